"""Computed slices: equal to SciPy and nibabel, and exact where the true answer is known by algebra."""

import nibabel
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from gadoscope.errors import RefusedError
from gadoscope.imaging import reformat as module
from gadoscope.imaging.geometry import PLANES, VIEWS
from gadoscope.imaging.reformat import find_grid, interpolate, reformat
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.imaging.stack import Choose
from gadoscope.imaging.volume import Geometry
from gadoscope.labels import Plane
from tests.support.volumes import (
    AXIS_ORDERS,
    UPRIGHT,
    ArrayVolume,
    make_affine,
    positions,
    random_rotations,
    rotation,
    store,
)

SHAPE, SPACING_MM = (40, 36, 30), (4.0, 3.5, 3.2)
FIVE = SlicePolicy(n_slices=5, extent=0.4).choose_indices
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _noise(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(100, 30, shape).astype(np.float32)


def test_interpolation_is_scipys() -> None:
    voxels = _noise((7, 9, 5))
    at = np.random.default_rng(4).uniform(-2, 10, (3, 40, 50))
    at[:, :20] = np.round(at[:, :20])
    at[0, 0] = 3
    expected = map_coordinates(voxels.astype(np.float64), at, order=1, mode="nearest")
    np.testing.assert_allclose(interpolate(voxels, at), expected, rtol=1e-12)


def test_interpolation_works_along_axes_of_one_voxel() -> None:
    voxels = _noise((1, 4, 1))
    np.testing.assert_allclose(
        interpolate(voxels, np.array([[-0.4], [1.25], [0.5]])), 0.75 * voxels[0, 1] + 0.25 * voxels[0, 2]
    )


def compute(volume: ArrayVolume, plane: Plane, choose: Choose) -> NDArray[np.float32]:
    (computed,) = reformat(volume, [plane], choose)
    return computed.voxels


@pytest.mark.parametrize("plane", PLANES)
def test_each_pixel_has_the_value_of_its_place_in_the_patient_however_the_volume_lies(plane: Plane) -> None:
    for turned in random_rotations(12):
        affine = make_affine(turned, SPACING_MM, SHAPE, (5.0, -20.0, 33.0))
        affine[:3, 0] += 0.2 * affine[:3, 1]  # and sheared, as a stack with a tilted gantry
        places = positions(Geometry(SHAPE, affine))
        measured = np.stack([compute(ArrayVolume(place, affine), plane, FIVE) for place in places])
        _check_places(measured, places, plane, Geometry(SHAPE, affine))


def _check_places(
    measured: NDArray[np.float32], places: NDArray[np.float32], plane: Plane, geometry: Geometry
) -> None:
    """Compare LPS+ coordinates of pixels, (3, slice, row, column), with what the view says."""
    inside = _are_inside(measured, geometry)
    assert inside.sum() > 200
    view = VIEWS[plane]
    through, down, right = (np.tensordot(axis, measured, 1) for axis in (view.through, view.down, view.right))
    below, beside = inside[:, 1:] & inside[:, :-1], inside[:, :, 1:] & inside[:, :, :-1]
    for change, pairs, axis in ((down, below, 1), (right, beside, 2)):
        steps = np.diff(change, axis=axis)[pairs]
        np.testing.assert_allclose(steps, steps.mean(), atol=1e-3)
        assert (
            min(SPACING_MM) * 0.97 < steps.mean() < max(SPACING_MM) * 1.03
        )  # forwards, and no finer than voxels
    for constant, pairs, axis in (
        (right, below, 1),
        (through, below, 1),
        (down, beside, 2),
        (through, beside, 2),
    ):
        np.testing.assert_allclose(np.diff(constant, axis=axis)[pairs], 0, atol=1e-3)
    tall, wide = np.diff(down, axis=1)[below].mean(), np.diff(right, axis=2)[beside].mean()
    assert tall == pytest.approx(wide, rel=0.02)  # square, but for a whole number of pixels


def _are_inside(measured: NDArray[np.float32], geometry: Geometry) -> NDArray[np.bool_]:
    """Return which pixels lie between voxels, and not at the edge, where the value is held constant."""
    homogeneous = np.vstack([measured.reshape(3, -1), np.ones(measured[0].size)])
    indices = (np.linalg.inv(geometry.affine) @ homogeneous)[:3]
    last = np.array(geometry.shape)[:, None] - 1
    inside = ((indices > 0.01) & (indices < last - 0.01)).all(axis=0).reshape(measured.shape[1:])
    darkest = measured.min(axis=(1, 2, 3), keepdims=True)  # outside the volume
    return np.asarray(inside & (measured > darkest).any(axis=0))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("degrees", [0, 17])
def test_computed_slices_are_those_of_nibabel(plane: Plane, degrees: float) -> None:
    voxels = _noise(SHAPE)
    affine = make_affine(rotation((3, 1, 2), degrees) @ UPRIGHT[Plane.AXIAL], SPACING_MM, SHAPE)
    geometry = Geometry(SHAPE, affine)
    grid = find_grid(geometry, plane, FIVE)
    ours = compute(ArrayVolume(voxels, affine), plane, FIVE)
    image = nibabel.Nifti1Image(voxels, LPS_TO_RAS @ affine)  # type: ignore[no-untyped-call]
    for origin, pixels in zip(grid.origins, ours, strict=True):
        to_index = np.eye(4)
        to_index[:3, :2], to_index[:3, 3] = np.stack([grid.down, grid.right], axis=1), origin
        to_index[:3, 2] = np.cross(grid.down, grid.right)
        wanted = ((*grid.shape, 1), LPS_TO_RAS @ affine @ to_index)
        resampled = resample_from_to(image, wanted, order=1, cval=-1e6)  # type: ignore[no-untyped-call]
        theirs = resampled.get_fdata()[..., 0]
        both = theirs > -1e5  # nibabel has no value in the outer half of the outermost voxels
        assert both.mean() > 0.4
        np.testing.assert_allclose(pixels[both], theirs[both], rtol=1e-4)


@pytest.mark.parametrize("plane", PLANES)
def test_all_48_ways_to_store_an_oblique_volume_give_the_same_slices(plane: Plane) -> None:
    affine = make_affine(rotation((1, 2, 3), 12) @ UPRIGHT[Plane.SAGITTAL], SPACING_MM, SHAPE)
    expected = compute(ArrayVolume(_noise(SHAPE), affine), plane, FIVE)
    for order in AXIS_ORDERS:
        stored = compute(ArrayVolume(*store(_noise(SHAPE), affine, order)), plane, FIVE)
        np.testing.assert_allclose(stored, expected, rtol=1e-5)


def test_pixels_are_square_and_as_fine_as_the_finer_of_the_two_axes_that_the_slices_show() -> None:
    volume = ArrayVolume(_noise((40, 36, 60)), make_affine(UPRIGHT[Plane.AXIAL], (3.0, 2.0, 0.5)))
    assert compute(volume, Plane.SAGITTAL, FIVE).shape == (5, 60, 36)
    assert compute(volume, Plane.CORONAL, FIVE).shape == (5, 240, 60)
    assert compute(volume, Plane.AXIAL, FIVE).shape == (5, 144, 60)


def test_pixels_outside_the_volume_are_as_dark_as_its_darkest_value() -> None:
    affine = make_affine(rotation((1, 0, 0), 30) @ UPRIGHT[Plane.AXIAL], SPACING_MM, SHAPE)
    voxels = np.abs(_noise(SHAPE)) + 7
    computed = compute(ArrayVolume(voxels, affine), Plane.SAGITTAL, FIVE)
    assert (computed[:, 0, 0] == computed.min()).all()
    assert computed.min() >= 7
    assert np.mean(computed == computed.min()) > 0.2


def test_of_a_volume_only_the_part_that_is_needed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    affine = make_affine(UPRIGHT[Plane.AXIAL], SPACING_MM, SHAPE)
    kept = []

    def watch(voxels: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float64]:
        kept.append(voxels.shape)
        return interpolate(voxels, at)

    monkeypatch.setattr(module, "interpolate", watch)
    whole = compute(ArrayVolume(_noise(SHAPE), affine), Plane.SAGITTAL, FIVE)
    assert kept == [(40, 36, 10)] * 5
    monkeypatch.setattr(module, "BLOCK_BYTES", 7 * 36 * 30 * 4)
    volume = ArrayVolume(_noise(SHAPE), affine)
    np.testing.assert_array_equal(compute(volume, Plane.SAGITTAL, FIVE), whole)
    assert [len(asked) for asked in volume.asked] == [7, 7, 7, 7, 7, 5]


def test_slices_of_the_volume_that_no_computed_slice_needs_are_not_decoded() -> None:
    volume = ArrayVolume(_noise(SHAPE), make_affine(UPRIGHT[Plane.AXIAL], SPACING_MM, SHAPE))
    compute(volume, Plane.AXIAL, FIVE)
    assert volume.asked == [list(range(13, 27))]


def test_a_volume_is_decoded_once_for_all_planes_and_each_plane_comes_as_if_alone() -> None:
    affine = make_affine(rotation((1, 2, 3), 12) @ UPRIGHT[Plane.AXIAL], SPACING_MM, SHAPE)
    volume = ArrayVolume(_noise(SHAPE), affine)
    together = reformat(volume, PLANES, FIVE)
    assert len(volume.asked) == 1
    for picked, plane in zip(together, PLANES, strict=True):
        np.testing.assert_array_equal(picked.voxels, compute(ArrayVolume(_noise(SHAPE), affine), plane, FIVE))


def test_a_volume_that_would_fill_the_memory_is_refused_before_decoding() -> None:
    shape = (1000, 1000, 1000)
    volume = ArrayVolume(np.broadcast_to(np.float32(0), shape), make_affine(UPRIGHT[Plane.AXIAL]))
    with pytest.raises(RefusedError, match="too_large: 200000000 voxels would be needed"):
        compute(volume, Plane.SAGITTAL, SlicePolicy(n_slices=200).choose_indices)
    assert volume.asked == []


def test_a_computed_slice_that_would_be_too_small_is_refused() -> None:
    volume = ArrayVolume(_noise((8, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL]))
    with pytest.raises(RefusedError, match="too_small: slices of 8 x 20 pixels"):
        compute(volume, Plane.SAGITTAL, FIVE)

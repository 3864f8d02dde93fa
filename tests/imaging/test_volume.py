"""What a geometry says of itself, and which geometries are refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.geometry import PLANES
from gadoscope.imaging.volume import MAX_SLICE_PIXELS, MIN_SIDE_PIXELS, Geometry
from gadoscope.labels import Plane
from gadoscope.reading import images
from tests.support.volumes import AXIS_ORDERS, UPRIGHT, make_affine, rotation, store

SHAPE = (20, 64, 48)


@pytest.mark.parametrize("plane", PLANES)
def test_the_plane_follows_from_the_affine_and_from_no_order_of_the_axes_but_the_slices(plane: Plane) -> None:
    affine = make_affine(UPRIGHT[plane], (5, 0.9, 0.9), SHAPE)
    for order in AXIS_ORDERS:
        if order[0][0] == 0:  # the slice axis stays first
            voxels, stored = store(np.zeros(SHAPE, np.float32), affine, order)
            assert Geometry(voxels.shape, stored).plane is plane


def test_the_plane_of_a_sheared_stack_is_that_of_its_pixels() -> None:
    affine = make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1))
    affine[:3, 0] = (0.0, 6.0, 5.0)  # slices step further backwards than upwards
    geometry = Geometry(SHAPE, affine)
    assert geometry.plane is Plane.AXIAL
    np.testing.assert_allclose(geometry.normal, (0, 0, 1))


def test_spacing_is_that_along_slice_row_and_column() -> None:
    turned = rotation((1, 2, 3), 33) @ UPRIGHT[Plane.CORONAL]
    assert Geometry(SHAPE, make_affine(turned, (5, 0.9, 0.7))).spacing_mm == pytest.approx((5, 0.9, 0.7))


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "expected"),
    [
        ((176, 256, 256), (1.0, 1.0, 1.0), True),
        ((120, 512, 512), (1.4, 0.47, 0.47), True),  # spoiled gradient echo, pixels interpolated to 512
        ((60, 64, 64), (4.0, 3.75, 3.75), True),
        ((24, 256, 256), (5.0, 0.9, 0.9), False),  # spin echo
        ((50, 256, 256), (3.0, 0.9, 0.9), False),
        ((31, 256, 256), (4.0, 4.0, 4.0), False),  # too few slices
        ((60, 512, 512), (0.6, 0.5, 0.5), False),  # a slab of 36 mm
        ((1, 256, 256), (1.0, 1.0, 1.0), False),
    ],
)
def test_a_volume_is_three_dimensional_if_its_slices_are_close_and_span_a_brain(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], expected: bool
) -> None:
    assert Geometry(shape, make_affine(np.eye(3), spacing_mm)).is_three_dimensional is expected


def _changed(place: tuple[int, int], value: float) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[place] = value
    return affine


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (_changed((0, 0), np.nan), "no finite position"),
        (_changed((1, 3), np.inf), "no finite position"),
        (_changed((3, 0), 1.0), "no finite position"),
        (np.eye(3), "no finite position"),
        (_changed((1, 1), 0.0), r"voxels of 1 x 0 x 1 mm .* not within 0\.001 and 1000 mm"),
        (np.diag([1e-6, 1, 1, 1]), "voxels of 1e-06 x 1 x 1 mm"),
        (np.diag([1, 1, 1e6, 1]), r"voxels of 1 x 1 x 1e\+06 mm"),
        (_changed((1, 0), 100.0), "in one plane"),
        (make_affine(np.ones((3, 3))), "in one plane"),
    ],
)
def test_a_geometry_that_places_no_voxels_is_refused(affine: NDArray[np.float64], message: str) -> None:
    with pytest.raises(RefusedError, match=message) as caught:
        Geometry(SHAPE, affine)
    assert caught.value.reason == "bad_geometry"


@pytest.mark.parametrize("shape", [(0, 64, 64), (64, 64), (1, 2, 3, 4)])
def test_a_volume_without_voxels_or_with_other_axes_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(RefusedError, match="bad_geometry: a volume of"):
        Geometry(shape, np.eye(4))


def test_a_volumes_slices_have_the_limits_of_slice_images() -> None:
    assert images.MAX_PIXELS == MAX_SLICE_PIXELS
    assert images.MIN_SIDE_PIXELS == MIN_SIDE_PIXELS

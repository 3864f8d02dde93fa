"""Which slices the network sees, and that every way to store a head shows it the same."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.imaging import reformat, slices, stack, window
from gadoscope.imaging.geometry import PLANES
from gadoscope.imaging.slices import ChosenSlices, SlicePolicy, choose_slices
from gadoscope.labels import Phase, Plane
from gadoscope.misfits import MisfitError
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.subject import draw_subject
from gadoscope.phantom.physics.acquire import Acquisition, acquire, make_grid
from gadoscope.phantom.physics.scanner import draw_scanner
from gadoscope.records import from_plain, to_plain
from tests.support.volumes import AXIS_ORDERS, UPRIGHT, ArrayVolume, Order, make_affine, rotation, store

SIDE = 40
ONE = SlicePolicy(n_slices=1)


@cache
def _phantom() -> Acquisition:
    """Return a head in voxels of about 6 mm on each side: left and right differ, as in all heads."""
    subject = draw_subject(11, 1, lesions=1.0)
    scanner = draw_scanner(subject)
    grid = make_grid(
        scanner,
        plane=Plane.AXIAL,
        n_slices=SIDE,
        slice_gap_mm=scanner.field_of_view_mm / SIDE,
        matrix=SIDE,
    )
    return acquire(Head(subject), scanner, grid, (Phase.POST_CONTRAST,))[0]


def _noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0, 1000, shape).astype(np.float32)


def _by_hand(plane: Plane, index: int) -> NDArray[np.float32]:
    """Return a slice of the phantom, whose axes are (feet to head, front to back, right to left)."""
    head = _phantom().signal
    if plane is Plane.SAGITTAL:
        return head[::-1, :, SIDE - 1 - index]  # counted from the patient's left
    return head[index] if plane is Plane.AXIAL else head[::-1, index]


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("order", AXIS_ORDERS, ids=str)
def test_all_48_ways_to_store_a_head_show_the_same_upright_slices(plane: Plane, order: Order) -> None:
    phantom = _phantom()
    top = float(np.percentile(phantom.signal, 99))
    volume = ArrayVolume(*store(phantom.signal, phantom.grid.affine, order), window=(0.0, top))
    chosen = choose_slices(volume, SlicePolicy(planes=(plane,), n_slices=3, extent=0.5))
    assert chosen.plane is volume.geometry.plane
    assert chosen.n_slices == SIDE
    for pixels, index in zip(chosen.pixels, (13, 20, 26), strict=True):
        grey = np.clip(_by_hand(plane, index) * (255 / top), 0, 255)
        np.testing.assert_array_equal(pixels, np.floor(grey.astype(np.float64) + 0.5))


@pytest.mark.parametrize("plane", PLANES)
def test_all_ways_to_store_a_stack_show_the_same_upright_slices(plane: Plane) -> None:
    shape, spacing_mm = (12, 30, 26), (6.0, 0.9, 1.3)
    voxels, affine = _noise(shape), make_affine(UPRIGHT[plane], spacing_mm, shape)
    expected = choose_slices(ArrayVolume(voxels, affine), SlicePolicy(extent=0.5))
    assert len(expected.pixels) == 5
    assert expected.pixels[0].shape == (30, round(26 * 1.3 / 0.9))
    for order in AXIS_ORDERS:
        if order[0][0] != 0:  # whoever reads a stack puts its slices first
            continue
        chosen = choose_slices(ArrayVolume(*store(voxels, affine, order)), SlicePolicy(extent=0.5))
        assert chosen.plane is plane
        np.testing.assert_array_equal(chosen.pixels, expected.pixels)


@pytest.mark.parametrize("plane", PLANES)
def test_an_upright_stack_is_shown_as_it_is_stored(plane: Plane) -> None:
    voxels = np.random.default_rng(1).integers(0, 256, (3, 20, 18)).astype(np.float32)
    volume = ArrayVolume(voxels, make_affine(UPRIGHT[plane], (5, 1, 1)), window=(0, 255))
    chosen = choose_slices(volume, SlicePolicy(n_slices=3, extent=1.0))
    np.testing.assert_array_equal(chosen.pixels, voxels)
    assert chosen.warnings == ()


@pytest.mark.parametrize(
    ("plane", "corner_of_the_picture", "place"),
    [
        (Plane.SAGITTAL, (0, 0), "front, head"),
        (Plane.SAGITTAL, (-1, -1), "back, feet"),
        (Plane.AXIAL, (0, 0), "right, front"),
        (Plane.AXIAL, (-1, -1), "left, back"),
        (Plane.CORONAL, (0, 0), "right, head"),
        (Plane.CORONAL, (-1, -1), "left, feet"),
    ],
)
@pytest.mark.parametrize("degrees", [0, 25, 40])
def test_a_marked_corner_of_the_patient_is_where_a_radiologist_expects_it(
    plane: Plane, corner_of_the_picture: tuple[int, int], place: str, degrees: float
) -> None:
    far = {
        "left": (0, 1),
        "right": (0, -1),
        "back": (1, 1),
        "front": (1, -1),
        "head": (2, 1),
        "feet": (2, -1),
    }
    shape = (3, 24, 24)
    affine = make_affine(rotation((1, 2, 3), degrees) @ UPRIGHT[plane], (5, 1, 1), shape)
    for order in AXIS_ORDERS:
        if order[0][0] != 0:
            continue
        voxels, stored = store(np.zeros(shape, np.float32), affine, order)
        reach = np.zeros((2, 2))
        for row, column in np.ndindex(2, 2):
            position = stored[:3, :3] @ (1, row * 23, column * 23) + stored[:3, 3]
            reach[row, column] = sum(position[far[word][0]] * far[word][1] for word in place.split(", "))
        row, column = np.unravel_index(reach.argmax(), (2, 2))
        voxels[1, -int(row), -int(column)] = 1
        (pixels,) = choose_slices(ArrayVolume(voxels, stored, window=None), ONE).pixels
        assert pixels[corner_of_the_picture] == 255
        assert np.count_nonzero(pixels) == 1


def test_only_the_slices_that_the_policy_asks_for_are_decoded() -> None:
    volume = ArrayVolume(_noise((101, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL], (4, 1, 1)))
    chosen = choose_slices(volume, SlicePolicy(n_slices=5, extent=0.2))
    assert volume.asked == [[42, 46, 50, 54, 58]]
    assert (chosen.n_slices, len(chosen.pixels)) == (101, 5)


def test_the_slices_come_in_the_same_order_from_whichever_end_they_are_counted() -> None:
    voxels, affine = _noise((10, 20, 20)), make_affine(UPRIGHT[Plane.CORONAL], (5, 1, 1))
    volume = ArrayVolume(*store(voxels, affine, ((0, 1, 2), (True, False, False))), window=(0, 1000))
    chosen = choose_slices(volume, SlicePolicy(n_slices=3, extent=0.3))
    assert volume.asked == [[3, 4, 5]]  # of ten, 4 to 6 are chosen, counted from the other end
    expected = choose_slices(
        ArrayVolume(voxels, affine, window=(0, 1000)), SlicePolicy(n_slices=3, extent=0.3)
    )
    np.testing.assert_array_equal(chosen.pixels, expected.pixels)


@given(n_total=st.integers(1, 600), n_slices=st.integers(1, 60), extent=st.floats(0.01, 1.0))
def test_the_chosen_slices_lie_evenly_in_the_middle(n_total: int, n_slices: int, extent: float) -> None:
    indices = SlicePolicy(n_slices=n_slices, extent=extent).choose_indices(n_total)
    assert indices == sorted(set(indices))
    assert 1 <= len(indices) <= n_slices
    assert indices[0] >= 0
    assert indices[-1] < n_total
    middle = (np.array(indices) + 0.5 - n_total / 2) / n_total
    assert np.abs(middle).max() <= extent / 2 + 0.5 / n_total + 1e-9
    steps = np.diff(indices)
    assert steps.size == 0 or steps.max() - steps.min() <= 1
    if n_slices <= extent * n_total:
        assert len(indices) == n_slices


def test_one_slice_alone_is_a_volume() -> None:
    voxels = np.random.default_rng(1).integers(0, 256, (1, 20, 18)).astype(np.float32)
    chosen = choose_slices(ArrayVolume(voxels, make_affine(UPRIGHT[Plane.AXIAL]), (0, 255)), SlicePolicy())
    assert (chosen.plane, chosen.n_slices) == (Plane.AXIAL, 1)
    np.testing.assert_array_equal(chosen.pixels, voxels)


def _read_planes(volume: ArrayVolume, policy: SlicePolicy) -> tuple[ChosenSlices, list[str]]:
    chosen = choose_slices(volume, policy)
    return chosen, [plane for plane in PLANES if slices.REFORMATTED.format(plane) in chosen.warnings]


@pytest.mark.parametrize(
    ("own", "planes", "volume_planes", "computed", "n_pictures"),
    [
        (Plane.AXIAL, (), (), [], 2),
        (Plane.AXIAL, (Plane.SAGITTAL, Plane.AXIAL), (), [], 2),
        (Plane.AXIAL, (Plane.SAGITTAL, Plane.CORONAL), (), [Plane.SAGITTAL], 2),
        (Plane.AXIAL, (), (Plane.CORONAL,), [Plane.CORONAL], 2),
        (Plane.AXIAL, PLANES, (Plane.AXIAL, Plane.SAGITTAL), [Plane.SAGITTAL], 4),
        (Plane.SAGITTAL, PLANES, PLANES, [Plane.AXIAL, Plane.CORONAL], 6),
    ],
)
def test_the_policy_says_which_planes_of_a_volume_are_read(
    own: Plane,
    planes: tuple[Plane, ...],
    volume_planes: tuple[Plane, ...],
    computed: list[Plane],
    n_pictures: int,
) -> None:
    shape = (36, 30, 24)
    volume = ArrayVolume(_noise(shape), make_affine(UPRIGHT[own], (4, 4, 4), shape))
    policy = SlicePolicy(planes=planes, volume_planes=volume_planes, n_slices=2)
    chosen, found = _read_planes(volume, policy)
    assert (chosen.plane, found, len(chosen.pixels)) == (own, computed, n_pictures)


def test_a_stack_in_a_plane_that_the_network_does_not_read_is_refused_before_decoding() -> None:
    volume = ArrayVolume(_noise((24, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1)))
    with pytest.raises(
        RefusedError, match=r"these 24 slices, 5 mm apart, are axial; this model reads sagittal"
    ):
        choose_slices(volume, SlicePolicy(planes=(Plane.SAGITTAL,)))
    assert volume.asked == []


def test_slices_far_from_all_planes_are_read_as_the_closest_with_a_warning() -> None:
    affine = make_affine(rotation((1, 1, 0.2), 40) @ UPRIGHT[Plane.AXIAL], (5, 1, 1))
    chosen = choose_slices(ArrayVolume(_noise((5, 20, 20)), affine), SlicePolicy(planes=(Plane.AXIAL,)))
    assert chosen.plane is Plane.AXIAL
    assert chosen.warnings == (slices.OBLIQUE,)


def test_slices_in_no_plane_are_read_by_a_network_that_reads_any_and_refused_by_another() -> None:
    tilted = make_affine(rotation((1, -1, 0), 54) @ UPRIGHT[Plane.AXIAL], (5, 1, 1))
    volume = ArrayVolume(_noise((5, 20, 20)), tilted)
    chosen = choose_slices(volume, SlicePolicy())
    assert (chosen.plane, chosen.warnings) == (Plane.UNKNOWN, (slices.OBLIQUE,))
    with pytest.raises(RefusedError, match="are in none of the three planes"):
        choose_slices(volume, SlicePolicy(planes=PLANES))


def test_a_volume_in_no_plane_is_cut_along_the_patients_axes_for_a_network_that_wants_a_plane() -> None:
    shape = (40, 40, 40)
    tilted = make_affine(rotation((1, -1, 0), 54) @ UPRIGHT[Plane.AXIAL], (4, 4, 4), shape)
    chosen, computed = _read_planes(ArrayVolume(_noise(shape), tilted), SlicePolicy(planes=(Plane.SAGITTAL,)))
    assert (chosen.plane, computed) == (Plane.UNKNOWN, [Plane.SAGITTAL])


def test_black_and_white_are_the_same_in_all_slices() -> None:
    voxels = np.tile(np.linspace(0, 100, 400, dtype=np.float32).reshape(1, 20, 20), (3, 1, 1))
    voxels[2] *= 10
    volume = ArrayVolume(voxels, make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1)))
    dark, _, bright = choose_slices(volume, SlicePolicy(n_slices=3, extent=1.0)).pixels
    assert dark.max() == 26
    assert bright.max() == 255


def test_a_window_that_does_not_fit_is_ignored_with_a_warning() -> None:
    affine = make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1))
    expected = choose_slices(ArrayVolume(_noise((5, 20, 20)), affine), SlicePolicy())
    for bad in ((5000.0, 6000.0), (float("nan"), 3.0), (0.0, 1.0)):
        chosen = choose_slices(ArrayVolume(_noise((5, 20, 20)), affine, bad), SlicePolicy())
        assert chosen.warnings == (slices.WINDOW_IGNORED,)
        np.testing.assert_array_equal(chosen.pixels, expected.pixels)


@pytest.mark.parametrize("scale", [1e-38, 1.0, 3e35])
def test_slices_do_not_depend_on_the_unit_of_their_values(scale: float) -> None:
    affine = make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1.5))
    voxels = np.round(_noise((5, 20, 20)))
    expected = choose_slices(ArrayVolume(voxels, affine), SlicePolicy()).pixels
    scaled = choose_slices(ArrayVolume(voxels * np.float32(scale), affine), SlicePolicy()).pixels
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(expected, scaled, strict=True)) <= 1


@pytest.mark.parametrize("value", [0.0, -7.5, 1e38])
@pytest.mark.parametrize("planes", [(), (Plane.SAGITTAL,)])
def test_a_constant_volume_is_blank(value: float, planes: tuple[Plane, ...]) -> None:
    voxels = np.full((40, 40, 40), value, dtype=np.float32)
    volume = ArrayVolume(voxels, make_affine(UPRIGHT[Plane.AXIAL], (4, 4, 4)), (0, 255))
    with pytest.raises(RefusedError, match="blank: all pixels have the same value"):
        choose_slices(volume, SlicePolicy(planes=planes))


def test_slices_of_one_value_are_left_out_with_a_warning_while_others_remain() -> None:
    voxels, affine = _noise((9, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1))
    policy = SlicePolicy(n_slices=3, extent=1.0)
    whole = choose_slices(ArrayVolume(voxels, affine, (0, 1000)), policy)
    voxels[4] = 0  # as of a decoder that fails without saying so
    chosen = choose_slices(ArrayVolume(voxels, affine, (0, 1000)), policy)
    assert chosen.warnings == (slices.BLANK_LEFT_OUT,)
    np.testing.assert_array_equal(chosen.pixels, [whole.pixels[0], whole.pixels[2]])
    voxels[:] = np.arange(9).reshape(-1, 1, 1)
    with pytest.raises(RefusedError, match="blank: all pixels have the same value"):
        choose_slices(ArrayVolume(voxels, affine), policy)


@pytest.mark.parametrize("planes", [(), (Plane.SAGITTAL,)])
def test_values_that_are_not_numbers_are_black_with_a_warning_and_all_of_them_are_blank(
    planes: tuple[Plane, ...],
) -> None:
    voxels = _noise((40, 40, 40)) + 10
    voxels[:, :, 20] = np.nan
    voxels[18, 5, :] = np.inf
    affine = make_affine(UPRIGHT[Plane.AXIAL], (4, 4, 4))
    chosen = choose_slices(ArrayVolume(voxels, affine), SlicePolicy(planes=planes))
    assert window.NOT_FINITE in chosen.warnings
    assert min(pixels.min() for pixels in chosen.pixels) == 0
    voxels[:] = np.nan
    with pytest.raises(RefusedError, match="blank: not one value is a number"):
        choose_slices(ArrayVolume(voxels, affine), SlicePolicy(planes=planes))


def test_slices_that_cannot_be_decoded_are_left_out_with_a_warning() -> None:
    voxels, affine = _noise((9, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL], (5, 1, 1))
    policy = SlicePolicy(n_slices=3, extent=1.0)
    whole = choose_slices(ArrayVolume(voxels, affine, (0, 1000)), policy)
    volume = ArrayVolume(voxels, affine, (0, 1000), broken={4})
    chosen = choose_slices(volume, policy)
    assert chosen.warnings == (stack.LEFT_OUT,)
    np.testing.assert_array_equal(chosen.pixels, [whole.pixels[0], whole.pixels[2]])
    assert volume.asked == [[1, 4, 7], [1], [4], [7]]


@pytest.mark.parametrize("planes", [(), (Plane.SAGITTAL,)])
def test_if_no_slice_can_be_decoded_the_first_one_says_why(planes: tuple[Plane, ...]) -> None:
    affine = make_affine(UPRIGHT[Plane.AXIAL], (4, 4, 4))
    volume = ArrayVolume(_noise((40, 40, 40)), affine, broken=range(40))
    with pytest.raises(ReadError, match=r"truncated: slice (16|0) is damaged"):
        choose_slices(volume, SlicePolicy(planes=planes))


@pytest.mark.parametrize("planes", [(), (Plane.SAGITTAL,)])
@pytest.mark.parametrize(
    ("shape", "reason"), [((40, 10_000, 10_000), "too_large"), ((40, 15, 256), "too_small")]
)
def test_slices_too_large_or_too_small_are_refused_before_decoding(
    shape: tuple[int, ...], reason: str, planes: tuple[Plane, ...]
) -> None:
    voxels = np.broadcast_to(np.float32(0), shape)
    volume = ArrayVolume(voxels, make_affine(UPRIGHT[Plane.AXIAL], (4, 1, 1)))
    with pytest.raises(RefusedError) as caught:
        choose_slices(volume, SlicePolicy(planes=planes))
    assert caught.value.reason == reason
    assert f"{shape[1]} x {shape[2]}" in caught.value.sentence
    assert volume.asked == []


def test_pixels_whose_sides_differ_absurdly_are_refused_before_they_fill_the_memory() -> None:
    volume = ArrayVolume(_noise((5, 20, 20)), make_affine(UPRIGHT[Plane.AXIAL], (5, 0.001, 900)))
    with pytest.raises(RefusedError, match="too_large: slices of 20 x 18000000 pixels"):
        choose_slices(volume, SlicePolicy())
    assert volume.asked == []


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("ratio", [1.02, 1.5, 4.0])
def test_pixels_become_square_by_straight_lines_between_them(axis: int, ratio: float) -> None:
    spacing_mm = [5.0, 0.8, 0.8]
    spacing_mm[axis] *= ratio
    voxels = np.random.default_rng(2).integers(0, 256, (1, 50, 50)).astype(np.float32)
    volume = ArrayVolume(voxels, make_affine(UPRIGHT[Plane.AXIAL], spacing_mm), (0, 255))
    chosen = choose_slices(volume, SlicePolicy())
    n_pixels = round(50 * ratio)
    at = (np.arange(n_pixels) + 0.5) * 50 / n_pixels - 0.5
    expected = np.apply_along_axis(lambda line: np.interp(at, np.arange(50), line), axis - 1, voxels[0])
    assert chosen.warnings == (stack.NOT_SQUARE,)
    assert chosen.pixels[0].shape == expected.shape
    assert np.abs(chosen.pixels[0] - expected).max() <= 0.5 + 1e-3


def test_pixels_that_are_nearly_square_are_left_as_they_are() -> None:
    volume = ArrayVolume(_noise((1, 50, 50)), make_affine(UPRIGHT[Plane.AXIAL], (5, 0.8, 0.807)))
    chosen = choose_slices(volume, SlicePolicy())
    assert chosen.pixels[0].shape == (50, 50)
    assert chosen.warnings == ()


def test_damaged_slices_of_a_reformatted_volume_are_filled_and_named_while_they_are_few() -> None:
    voxels, affine = _noise((40, 40, 40)), make_affine(UPRIGHT[Plane.AXIAL], (4, 4, 4))
    policy = SlicePolicy(planes=(Plane.CORONAL,))
    filled = voxels.copy()
    filled[[0, 17]] = voxels[[1, 16]]
    chosen = choose_slices(ArrayVolume(voxels, affine, (0, 1000), broken={0, 17}), policy)
    assert reformat.FILLED in chosen.warnings
    np.testing.assert_array_equal(
        chosen.pixels, choose_slices(ArrayVolume(filled, affine, (0, 1000)), policy).pixels
    )
    with pytest.raises(InputError, match="slice 30 is damaged"):
        choose_slices(ArrayVolume(voxels, affine, broken=range(30, 36)), policy)


def test_choosing_slices_of_its_own_plane_reads_no_others() -> None:
    shape = (176, 256, 256)
    volume = ArrayVolume(_noise(shape), make_affine(UPRIGHT[Plane.AXIAL], (1, 1, 1), shape))
    policy = SlicePolicy(planes=(Plane.AXIAL,))
    choose_slices(volume, policy)
    assert [sorted(asked) for asked in volume.asked] == [policy.choose_indices(shape[0])]


def test_a_policy_survives_a_trip_through_json() -> None:
    policy = SlicePolicy(planes=PLANES, n_slices=9, extent=0.35, volume_planes=(Plane.CORONAL,))
    assert from_plain(SlicePolicy, json.loads(json.dumps(to_plain(policy)))) == policy


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_slices": 0}, "n_slices = 0; expected a whole number, 1 to 512"),
        ({"n_slices": 5.0}, r"n_slices = 5\.0"),
        ({"n_slices": True}, "n_slices = True"),
        ({"extent": 0.0}, r"extent = 0\.0; expected a number above 0, at most 1"),
        ({"extent": float("nan")}, "extent = nan"),
        ({"extent": "all"}, "extent = 'all'"),
        (
            {"planes": (Plane.UNKNOWN,)},
            r"planes = \['unknown'\]; expected sagittal, axial, coronal, each once",
        ),
        ({"volume_planes": (Plane.AXIAL, Plane.AXIAL)}, "volume_planes = .*each once"),
        ({"planes": (Plane.AXIAL,), "volume_planes": (Plane.CORONAL,)}, "expected some of the planes"),
    ],
)
def test_a_value_that_is_unknown_is_named_with_what_was_expected(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SlicePolicy(**values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 3}, "unknown keys: colour"),
        ({"planes": "axial"}, "planes is 'axial'; expected a list"),
        ({"planes": ["oblique"]}, r"planes\[0\] is 'oblique'; expected one of sagittal, axial"),
    ],
)
def test_a_policy_of_another_version_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MisfitError, match=message):
        from_plain(SlicePolicy, {**to_plain(SlicePolicy()), **change})

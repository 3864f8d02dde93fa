"""The head is found by its grey values, whatever stands around it, and where there is none nothing is cut."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from gadoscope.imaging.foreground import MARGIN, Box, find_foreground
from gadoscope.imaging.parts import MIN_FILL, MIN_PART, keep_largest_parts
from gadoscope.labels import Plane
from tests.support.pictures import (
    PLANES,
    Change,
    add_border,
    add_letters,
    add_nested_frames,
    add_noise,
    add_white_border,
    brighten,
    compress,
    darken,
    phantom_slice,
)


def ellipse(
    rows: int, columns: int, middle: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.bool_]:
    row, column = np.mgrid[0:rows, 0:columns] + 0.5
    inside: NDArray[np.bool_] = ((row - middle[0]) / radii[0]) ** 2 + (
        (column - middle[1]) / radii[1]
    ) ** 2 <= 1
    return inside


def corners(box: Box) -> NDArray[np.float64]:
    return np.array([box.top, box.bottom, box.left, box.right])


def test_the_box_is_that_of_the_head_and_a_margin() -> None:
    pixels = 10 + 100 * ellipse(400, 300, (210.3, 140.8), (130.6, 90.2)).astype(np.uint8)
    margin = MARGIN * 2 * 130.6
    expected = [79.7 - margin, 340.9 + margin, 50.6 - margin, 231 + margin]
    np.testing.assert_allclose(corners(find_foreground(pixels).box), expected, atol=1.5)


def test_what_the_head_surrounds_belongs_to_it_and_the_air_does_not() -> None:
    head = ellipse(200, 200, (100, 100), (80, 60))
    hollow = head & ~ellipse(200, 200, (100, 100), (70, 50))
    places = np.arange(-20, 220, dtype=np.float64) + 0.5
    found = find_foreground(np.where(hollow, 200, 3).astype(np.uint8)).is_head(places, places)
    assert not found[:20].any()
    assert not found[:, -20:].any()
    assert np.count_nonzero(found[20:-20, 20:-20] != head) < 0.03 * head.sum()


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("change", [compress, brighten, darken, add_noise])
def test_the_box_of_a_phantom_stays_whatever_its_grey_values_went_through(
    plane: Plane, change: Change
) -> None:
    pixels = phantom_slice(plane)
    np.testing.assert_allclose(
        corners(find_foreground(change(pixels)).box), corners(find_foreground(pixels).box), atol=2
    )


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(
    ("change", "border"),
    [(add_border, 0.1), (add_white_border, 0.1), (add_nested_frames, None), (add_letters, None)],
)
def test_frames_and_letters_are_no_head(plane: Plane, change: Change, border: float | None) -> None:
    pixels = phantom_slice(plane)
    changed = change(pixels)
    offset = (changed.shape[0] - pixels.shape[0]) / 2
    assert border is None or offset == round(border * pixels.shape[0])
    for one in (changed, compress(changed)):
        box = corners(find_foreground(one).box) - offset
        np.testing.assert_allclose(box, corners(find_foreground(pixels).box), atol=4)


def test_a_white_margin_on_one_side_alone_is_no_head() -> None:
    pixels = phantom_slice()
    changed = np.hstack([np.full((256, 60), 255, dtype=np.uint8), pixels])
    box = corners(find_foreground(changed).box) - [0, 0, 60, 60]
    np.testing.assert_allclose(box, corners(find_foreground(pixels).box), atol=1)


def test_a_thin_tube_that_touches_the_head_does_not_widen_the_box() -> None:
    head = ellipse(256, 256, (128, 128), (90, 70))
    with_tube = head.copy()
    with_tube[120:124, 190:256] = True
    boxes = [find_foreground(np.where(shape, 150, 5).astype(np.uint8)).box for shape in (head, with_tube)]
    np.testing.assert_allclose(corners(boxes[1]), corners(boxes[0]), atol=2)  # it would widen by 58


@pytest.mark.parametrize("value", [0, 100, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (64, 50), (512, 512)])
def test_of_a_blank_picture_nothing_is_cut(shape: tuple[int, int], value: int) -> None:
    found = find_foreground(np.full(shape, value, dtype=np.uint8))
    assert found.box == Box(0, shape[0], 0, shape[1])
    assert found.cells.all()


@pytest.mark.parametrize("rows", [40, 256, 512])
def test_of_noise_nothing_is_cut(rows: int) -> None:
    generator = np.random.default_rng(rows)
    for pixels in (
        generator.integers(0, 256, (rows, rows)),
        generator.normal(100, 15, (rows, rows)).clip(0, 255),
    ):
        box = find_foreground(pixels.astype(np.uint8)).box
        np.testing.assert_array_less(corners(box)[::2], 0.05 * rows)
        np.testing.assert_array_less(0.95 * rows, corners(box)[1::2])


def test_a_few_bright_pixels_are_no_head() -> None:
    pixels = np.zeros((256, 256), dtype=np.uint8)
    pixels[30:60, 40:70] = 200
    pixels[::9, 255] = 90  # so that the black around is no margin of one grey
    pixels[255, ::9] = pixels[0, ::9] = pixels[::9, 0] = 90
    assert find_foreground(pixels).box == Box(0, 256, 0, 256)


@pytest.mark.parametrize("seed", range(6))
def test_the_parts_are_those_of_scipy(seed: int) -> None:
    """On masks from scattered cells to blobs with holes."""
    noise = np.random.default_rng(seed).normal(size=(60, 47))
    mask = ndimage.gaussian_filter(noise, seed / 2) > 0.0
    labels, n_parts = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=n_parts + 1)
    sizes[0] = 0
    for part, place in enumerate(ndimage.find_objects(labels), 1):
        if sizes[part] < MIN_FILL * labels[place].size:
            sizes[part] = 0
    expected = (sizes >= max(1, MIN_PART * sizes.max()))[labels]
    np.testing.assert_array_equal(keep_largest_parts(mask), expected)


def test_an_empty_mask_has_no_part() -> None:
    assert not keep_largest_parts(np.zeros((5, 7), dtype=np.bool_)).any()


def test_finding_a_head_does_not_import_scipy() -> None:
    program = (
        "import sys, numpy as np\n"
        "from gadoscope.imaging.foreground import find_foreground\n"
        "find_foreground(np.eye(64, dtype=np.uint8))\n"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

"""The head box: one head, however it was cropped, scaled, windowed or turned, is one network input."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import Phase, Plane
from gadoscope.preparation.items import Item, Manifest
from gadoscope.records import to_plain
from tests.support.pictures import (
    PLANES,
    Change,
    Pixels,
    add_border,
    add_letters,
    add_noise,
    add_white_border,
    brighten,
    compress,
    darken,
    halve,
    phantom_slice,
    phantom_slices,
)

HEAD = ImagePath(size=160, resize="head_box", low_percentile=1.0, high_percentile=99.7)
TURNS: dict[str, Callable[[Pixels], Pixels]] = {
    "90": lambda pixels: np.rot90(pixels, 1),
    "180": lambda pixels: np.rot90(pixels, 2),
    "270": lambda pixels: np.rot90(pixels, 3),
    "mirror": lambda pixels: pixels[:, ::-1],
    "upside down": lambda pixels: pixels[::-1],
}
CHANGES: dict[Change, float] = {
    add_border: 0.05,
    add_white_border: 0.05,
    brighten: 0.5,
    darken: 0.5,
    compress: 1,
    halve: 1,
    add_noise: 1,
    add_letters: 1,
}
"""What happens to slices, and how far the input may change: 1 is as far as if it moved by one pixel."""


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the mean difference in greys."""
    return float(np.abs(one.astype(np.float64) - other).mean())


def movement(changed: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    """Return the mean difference, in units of that to the picture one row lower and one column aside."""
    return difference(changed, expected) / difference(np.roll(expected, (1, 1), (0, 1)), expected)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_slice_gives_the_same_input_after_what_happens_to_slices(plane: Plane, change: Change) -> None:
    pixels = phantom_slice(plane)
    assert movement(HEAD.resize_slice(change(pixels)), HEAD.resize_slice(pixels)) < CHANGES[change]


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_slice_gives_the_turned_input(plane: Plane, turn: str) -> None:
    pixels = phantom_slice(plane)
    turned = HEAD.resize_slice(TURNS[turn](pixels))
    assert difference(turned, TURNS[turn](HEAD.resize_slice(pixels))) < 1


def test_the_head_fills_the_square_in_its_own_proportions() -> None:
    row, column = np.mgrid[0:300, 0:500] + 0.5
    circle = ((row - 120) ** 2 + (column - 300) ** 2 <= 80**2) * np.uint8(150)
    for pixels in (circle, np.repeat(circle, 2, axis=0)):  # a circle, and an ellipse twice as high
        shown = HEAD.resize_slice(pixels) > 100
        height, width = np.count_nonzero(shown.any(axis=1)), np.count_nonzero(shown.any(axis=0))
        assert 148 <= height <= 152
        assert abs(width - height / (len(pixels) / 300)) <= 2
        middle = np.flatnonzero(shown.any(axis=0))[[0, -1]].mean()
        assert abs(middle - 79.5) <= 1


def test_what_fills_the_square_is_black_also_where_the_air_is_not() -> None:
    pixels = brighten(phantom_slice(Plane.AXIAL))[:, 40:-40]
    tall = np.vstack([pixels, pixels[::-1]])[:256]
    assert (HEAD.resize_slice(tall)[:, :3] == 0).all()


def test_the_percentiles_are_those_of_the_head_and_not_of_the_black_around_it() -> None:
    row, column = np.mgrid[0:400, 0:400] + 0.5
    head = (row - 150) ** 2 + (column - 200) ** 2 <= 80**2
    texture = np.random.default_rng(0).normal(120, 15, (400, 400)).clip(0, 255)
    path = ImagePath(size=170, resize="head_box", low_percentile=10, high_percentile=95)
    greys = path.resize_slice((texture * head).astype(np.uint8))[40:130, 40:130]  # inside the head
    assert abs((greys == 0).mean() - 0.10) < 0.02
    assert abs((greys == 255).mean() - 0.05) < 0.02


@pytest.mark.parametrize("plane", PLANES)
def test_contrast_is_as_visible_as_before_the_clipping(plane: Plane) -> None:
    """Vessels and mucosa got brighter: what is brightest in the difference stays brighter, not all white."""
    pre, post = (phantom_slices(plane)[phase] for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    stretched_only = ImagePath(size=160, resize="head_box")
    gains = []
    for path in (stretched_only, HEAD):
        after = path.resize_slice(post).astype(np.float64)
        before = path.resize_slice(pre).astype(np.float64)
        after, before = (image / np.median(image[image > 60]) for image in (after, before))
        gains.append(np.percentile(after - before, 99.5))
    assert gains[0] > 0.1
    assert gains[1] > 0.8 * gains[0]


def test_without_percentiles_the_heads_own_range_is_stretched() -> None:
    pixels = (phantom_slice() // 4 + 30).astype(np.uint8)
    resized = ImagePath(size=128, resize="head_box").resize_slice(pixels)
    assert (resized.min(), resized.max()) == (0, 255)


def test_the_input_does_not_depend_on_memory_order_and_is_the_same_each_time() -> None:
    pixels = phantom_slice()
    expected = HEAD.resize_slice(pixels)
    np.testing.assert_array_equal(HEAD.resize_slice(np.asfortranarray(pixels)), expected)
    np.testing.assert_array_equal(HEAD.resize_slice(np.repeat(pixels, 2, axis=1)[:, ::2]), expected)


def test_a_larger_square_shows_the_same() -> None:
    """Training stores larger squares than the network reads."""
    large = ImagePath(**{**to_plain(HEAD), "size": 208}).resize_slice(phantom_slice())
    small = np.asarray(Image.fromarray(large).resize((160, 160), Image.Resampling.BILINEAR))
    assert difference(small, HEAD.resize_slice(phantom_slice())) < 3


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (17, 400), (16, 60000)])
@pytest.mark.parametrize("kind", ["blank", "noise"])
def test_any_shape_becomes_a_square(shape: tuple[int, int], kind: str) -> None:
    generator = np.random.default_rng(1)
    pixels = np.full(shape, 9, np.uint8) if kind == "blank" else generator.integers(0, 256, shape, np.uint8)
    resized = HEAD.resize_slice(pixels)
    assert resized.shape == (160, 160)
    assert resized.dtype == np.uint8


@pytest.fixture(scope="module")
def real_items(real_manifest: Manifest) -> dict[str, list[Item]]:
    """Return the real images by their source."""
    by_source: dict[str, list[Item]] = {}
    for item in real_manifest.items:
        by_source.setdefault(item.source, []).append(item)
    return by_source


@pytest.mark.parametrize("source", ["figshare-cheng", "ixi", "tcga-lgg", "tcga-lgg-sagittal", "feltrin"])
def test_real_slices_give_the_same_input_after_what_happens_to_slices(
    real_items: dict[str, list[Item]], source: str
) -> None:
    """On 3 slices of each source; the median of a source keeps the limits of the phantom."""
    items = real_items[source]
    slices = [np.asarray(Image.open(item.path).convert("L")) for item in items[:: len(items) // 3]]
    expected = [HEAD.resize_slice(pixels) for pixels in slices]
    for change, limit in CHANGES.items():
        changed = [HEAD.resize_slice(change(pixels)) for pixels in slices]
        movements = [movement(*pair) for pair in zip(changed, expected, strict=True)]
        assert np.median(movements) < limit, change
    for name, turn in TURNS.items():
        turned = [HEAD.resize_slice(turn(pixels)) for pixels in slices]
        differences = [difference(one, turn(other)) for one, other in zip(turned, expected, strict=True)]
        assert np.median(differences) < 1, name

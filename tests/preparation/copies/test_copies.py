"""A copy is found however it was saved; a neighbour, and the other phase, are no copies."""

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gadoscope.preparation.copies.alignment import average_weights, cut_out, refine
from gadoscope.preparation.copies.fingerprint import CUTS, MIN_SIMILARITY, find_suspects
from gadoscope.preparation.copies.pixel_check import (
    FINE_SIDE,
    MAX_DIFFERENCE,
    find_common,
    find_copies,
    find_heads,
    fit_curve,
    measure_difference,
)
from gadoscope.preparation.copies.thumbnail import THUMBNAIL_SIDE, shrink
from tests.support.heads import COHORT, head_slices, pairs_of_phases

Pixels = NDArray[np.uint8]


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def scaled(pixels: Pixels, factor: float) -> Pixels:
    rows, columns = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((round(columns * factor), round(rows * factor))))


def cut(pixels: Pixels, top: float, bottom: float, left: float, right: float) -> Pixels:
    rows, columns = pixels.shape
    return pixels[
        round(top * rows) : rows - round(bottom * rows),
        round(left * columns) : columns - round(right * columns),
    ]


def toned(pixels: Pixels, gain: float, offset: float) -> Pixels:
    changed: Pixels = np.clip(np.rint(pixels * gain + offset), 0, 255).astype(np.uint8)
    return changed


def tagged(pixels: Pixels) -> Pixels:
    copy = pixels.copy()
    copy[4:14, 4:14] = 220
    return copy


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "jpeg 90": lambda pixels: as_jpeg(pixels, 90),
    "jpeg 30": lambda pixels: as_jpeg(pixels, 30),
    "halved": lambda pixels: scaled(pixels, 0.5),
    "enlarged": lambda pixels: scaled(pixels, 1.5),
    "stretched": lambda pixels: np.asarray(Image.fromarray(pixels).resize((331, 260))),
    "cut by a twentieth": lambda pixels: cut(pixels, 0.05, 0.05, 0.05, 0.05),
    "cut by a tenth": lambda pixels: cut(pixels, 0.1, 0.1, 0.1, 0.1),
    "cut at two borders": lambda pixels: cut(pixels, 0.1, 0, 0.1, 0),
    "cut unevenly": lambda pixels: cut(pixels, 0.02, 0.06, 0.01, 0.04),
    "brighter": lambda pixels: toned(pixels, 1.0, 30),
    "darker": lambda pixels: toned(pixels, 0.6, 0),
    "more contrast": lambda pixels: toned(pixels, 1.25, -10),
    "a tag in the corner": tagged,
    "all at once": lambda pixels: as_jpeg(toned(scaled(cut(pixels, 0.1, 0.1, 0.1, 0.1), 0.6), 0.8, 10), 75),
}


def at_fine_side(thumbnails: Pixels) -> Pixels:
    count, side, _ = thumbnails.shape
    cells = thumbnails.reshape(count, FINE_SIDE, side // FINE_SIDE, FINE_SIDE, side // FINE_SIDE)
    small: Pixels = np.rint(cells.mean(axis=(2, 4))).astype(np.uint8)
    return small


@cache
def shrunken_slices() -> Pixels:
    """Return the thumbnails of all slices, which most tests look for copies of."""
    return np.stack([shrink(pixels) for pixels in head_slices().values()])


def found_pairs(pictures: list[Pixels], *more: Pixels) -> set[tuple[int, int]]:
    """Return the copies among thumbnails ``more``, and behind them those of ``pictures``."""
    thumbnails = np.concatenate([*more, np.stack([shrink(pixels) for pixels in pictures])])
    pairs = find_copies(thumbnails, find_suspects(thumbnails))
    return {(min(pair), max(pair)) for pair in pairs.tolist()}


@pytest.mark.parametrize("name", COPIES)
def test_every_copy_is_found_and_nothing_else(name: str) -> None:
    originals = list(head_slices().values())
    copies = [COPIES[name](pixels) for pixels in originals[::4]]

    expected = {(4 * index, len(originals) + index) for index in range(len(copies))}
    assert found_pairs(copies, shrunken_slices()) == expected


def test_among_clean_slices_no_copy_is_claimed() -> None:
    assert found_pairs(list(head_slices().values())) == set()


def test_the_phases_of_one_position_differ_by_more_than_copies_may() -> None:
    pairs = pairs_of_phases()
    whole = np.stack([shrink(pre) for pre, _ in pairs])
    part = np.stack([shrink(post) for _, post in pairs])
    frame = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (len(pairs), 1))
    heads, others = (find_heads(at_fine_side(pictures)) for pictures in (whole, part))
    assert measure_difference(whole, part, heads, others, frame).min() > 1.2 * MAX_DIFFERENCE


def test_a_picture_with_many_copies_is_one_connected_group() -> None:
    pixels = next(iter(head_slices().values()))
    many = [toned(pixels, 1.0, offset) for offset in range(16)]
    pairs = found_pairs(many)
    reached = {0}
    for _ in many:
        reached |= {b for a, b in pairs if a in reached} | {a for a, b in pairs if b in reached}
    assert reached == set(range(16))


def test_two_pictures_are_enough_and_flat_ones_do_no_harm() -> None:
    flat = np.full((64, 64), 90, dtype=np.uint8)
    flat[0, 0] = 91  # a file of one value is refused before
    assert found_pairs([flat, next(iter(head_slices().values()))]) == set()


def test_suspects_are_those_of_a_search_through_all_pairs() -> None:
    pictures = [*list(head_slices().values())[:12], cut(next(iter(head_slices().values())), 0.1, 0, 0.05, 0)]
    thumbnails = np.stack([shrink(pixels) for pixels in pictures])
    suspects = find_suspects(thumbnails)
    pair = np.flatnonzero((suspects.whole == 0) & (suspects.part == 12))
    assert pair.size == 1
    np.testing.assert_allclose(suspects.frame[pair[0]], [0.1, 1, 0.05, 1])
    assert len(set(zip(suspects.whole.tolist(), suspects.part.tolist(), strict=True))) == suspects.whole.size
    assert (suspects.whole != suspects.part).all()
    assert 0 < MIN_SIMILARITY < 1
    assert max(CUTS) == 0.1


def test_averaging_weighs_parts_of_pixels_by_their_area() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (96, 128)).astype(np.float32)
    rows = average_weights(np.array([0.125], np.float32), np.array([0.625], np.float32), 96, 10)[0]
    columns = average_weights(np.array([0.25], np.float32), np.array([0.75], np.float32), 128, 10)[0]
    fine = np.repeat(np.repeat(pixels, 10, axis=0), 10, axis=1)[120:600, 320:960]  # tenths of pixels
    expected = fine.reshape(10, 48, 10, 64).mean(axis=(1, 3))
    np.testing.assert_allclose(rows @ pixels @ columns.T, expected, rtol=1e-4)


def test_whole_cells_are_averaged_exactly() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 64, 64)).astype(np.float32)
    frame = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (2, 1))
    expected = pixels.reshape(2, 16, 4, 16, 4).mean(axis=(2, 4))
    np.testing.assert_allclose(cut_out(pixels, frame, 16), expected, rtol=1e-4)


def test_a_frame_is_found_to_a_fifth_of_a_pixel() -> None:
    whole = np.stack([shrink(pixels) for pixels in list(head_slices().values())[::6]])
    true = np.array([0.03, 0.94, 0.08, 0.99], dtype=np.float32)
    part = np.stack([
        shrink(cut(pixels, true[0], 1 - true[1], true[2], 1 - true[3]))
        for pixels in list(head_slices().values())[::6]
    ])  # fmt: skip
    rows, columns = next(iter(head_slices().values())).shape
    exact = np.array([round(0.03 * rows) / rows, 1 - round(0.06 * rows) / rows,
                      round(0.08 * columns) / columns, 1 - round(0.01 * columns) / columns])  # fmt: skip
    start = np.tile(np.array([0.05, 0.95, 0.1, 1], dtype=np.float32), (len(whole), 1))
    small = part.reshape(len(part), 64, 2, 64, 2).mean(axis=(2, 4)).astype(np.float32)
    frame = refine(whole.astype(np.float32), small, start, 6)
    assert np.abs(frame - exact).max() * 64 < 0.2


def test_a_curve_of_grey_values_is_fitted_without_rest() -> None:
    one = np.random.default_rng(0).uniform(0, 200, (64, 64)).astype(np.float32)
    other = (0.5 * one + 20).astype(np.float32)
    np.testing.assert_allclose(fit_curve(one, other, np.ones_like(one)), other, atol=0.05)


def test_the_fitted_curve_is_the_least_squares_line_of_numpy_where_it_is_stiff() -> None:
    generator = np.random.default_rng(1)
    one = generator.uniform(0, 200, (64, 64)).astype(np.float32)
    other = (0.7 * one + 10 + generator.normal(0, 4, one.shape)).astype(np.float32)
    slope, intercept = np.polyfit(one.ravel(), other.ravel(), 1)
    fitted = fit_curve(one, other, np.ones_like(one))
    assert np.abs(fitted - (slope * one + intercept)).mean() < 0.5


def test_what_was_written_beside_the_head_is_not_compared() -> None:
    pixels = next(iter(head_slices().values()))
    whole, part = (
        np.asarray(Image.fromarray(one).resize((64, 64), Image.Resampling.BOX))[np.newaxis]
        for one in (pixels, tagged(pixels))
    )
    frame = np.array([[0, 1, 0, 1]], dtype=np.float32)
    common = find_common(find_heads(whole), find_heads(part), frame, 64)
    assert common[0, 1:5, 1:5].max() == 0
    assert common[0, 24:40, 24:40].mean() > 0.9


def test_pictures_with_no_head_in_common_are_compared_everywhere() -> None:
    heads = np.zeros((2, 64, 64), dtype=np.bool_)
    heads[0, :20], heads[1, 44:] = True, True
    common = find_common(heads[:1], heads[1:], np.array([[0, 1, 0, 1]], dtype=np.float32), 32)
    assert common.min() == 1


@pytest.mark.parametrize("shape", [(40, 32), (128, 128), (512, 300)])
def test_a_thumbnail_has_one_size_whatever_the_slices(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert shrink(pixels).shape == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    assert COHORT.matrix == 192

"""Copies of a picture have nearly its hash; groups are chains of them, in memory that stays small."""

import io
import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gadoscope.preparation.near_duplicates import MAX_DISTANCE, group_near_duplicates, hash_slice
from tests.support.slices import grey_values

PICTURE = grey_values(200, 180, seed=3)


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.bitwise_count(hash_slice(one) ^ hash_slice(other)))


def as_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize(
    "copy",
    [
        as_jpeg(PICTURE),
        np.asarray(Image.fromarray(PICTURE).resize((90, 100))),
        np.asarray(Image.fromarray(PICTURE).resize((331, 331), Image.Resampling.NEAREST)),
        (PICTURE * 0.8 + 20).astype(np.uint8),
    ],
    ids=["compressed", "halved", "stretched", "lower contrast"],
)
def test_a_copy_is_a_near_duplicate(copy: NDArray[np.uint8]) -> None:
    assert distance(PICTURE, copy) <= MAX_DISTANCE


def test_other_pictures_are_not() -> None:
    pictures = [grey_values(200, 180, seed) for seed in range(8)]
    assert min(distance(one, other) for one, other in itertools.combinations(pictures, 2)) > MAX_DISTANCE


def test_copies_of_real_slices_are_near_duplicates(shared: Path) -> None:
    paths = sorted((shared / "data" / "figshare-cheng" / "sagittal").iterdir())[::20]
    distances = []
    for path in paths:
        pixels = np.asarray(Image.open(path))
        distances += [distance(pixels, as_jpeg(pixels))]
        distances += [distance(pixels, np.asarray(Image.fromarray(pixels).resize((256, 256))))]
    assert np.mean(np.array(distances) <= MAX_DISTANCE) > 0.97


def test_the_hash_says_which_cells_are_brighter_than_their_left_neighbour() -> None:
    ramp = np.tile(np.arange(9, dtype=np.uint8) * 20, (8, 1))
    assert hash_slice(ramp) == np.uint64(2**64 - 1)
    assert hash_slice(ramp[:, ::-1]) == np.uint64(0)
    assert hash_slice(np.full((8, 9), 7, dtype=np.uint8)) == np.uint64(0)


@given(st.lists(st.integers(0, 255).map(lambda bits: bits * 0x0101_0101), max_size=40), st.integers(0, 6))
def test_groups_are_the_connected_parts_of_all_near_pairs(numbers: list[int], max_distance: int) -> None:
    groups = group_near_duplicates(np.array(numbers, dtype=np.uint64), max_distance)
    expected = list(range(len(numbers)))
    for _ in numbers:  # the slow way: carry the smallest index along until nothing changes
        for one, other in itertools.combinations(range(len(numbers)), 2):
            if (numbers[one] ^ numbers[other]).bit_count() <= max_distance:
                expected[one] = expected[other] = min(expected[one], expected[other])
    np.testing.assert_array_equal(groups, expected)


def test_ten_thousand_hashes_need_little_memory() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)
    hashes[5_000:5_100] = hashes[:100]
    tracemalloc.start()
    try:
        groups = group_near_duplicates(hashes)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(groups[5_000:5_100], np.arange(100))
    assert len(set(groups.tolist())) == 9_900
    assert peak_bytes < 60_000_000  # all pairs at once would take 800 MB

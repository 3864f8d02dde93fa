"""A picture is known again in another format, size and brightness, and no other is taken for it."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gadoscope.preparation.picture_print import PRINT_BYTES, find_alike, print_picture
from tests.support.slices import grey_values

Picture = NDArray[np.uint8]


def reencode(pixels: Picture) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def resize(pixels: Picture) -> Picture:
    image = Image.fromarray(pixels).resize((256, 256), Image.Resampling.BILINEAR)
    return np.asarray(image)


def dim(pixels: Picture) -> Picture:
    return (pixels * 0.8).astype(np.uint8)


def prints(pictures: list[Picture]) -> Picture:
    return np.frombuffer(b"".join(map(print_picture, pictures)), np.uint8).reshape(-1, PRINT_BYTES)


PICTURES = [grey_values(120, 100, seed=seed) for seed in range(40)]


@pytest.mark.parametrize("alter", [reencode, resize, dim])
def test_copies_are_known_again(alter: Callable[[Picture], Picture]) -> None:
    assert find_alike(prints([alter(one) for one in PICTURES]), prints(PICTURES)).mean() >= 0.95


def test_other_pictures_are_not_taken_for_known_ones() -> None:
    others = [grey_values(120, 100, seed=seed) for seed in range(1000, 1200)]
    assert not find_alike(prints(others), prints(PICTURES)).any()


def test_a_grey_area_has_nothing_to_be_known_by() -> None:
    flat = prints([np.full((50, 50), 90, np.uint8)])
    assert not find_alike(flat, flat).any()
    assert find_alike(flat, prints([])).tolist() == [False]

"""An image is measured once, and one that cannot be used says why."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from gadoscope.errors import InputError
from gadoscope.inspection.measure import (
    BORDER_SHARE,
    N_BINS,
    Measurement,
    measure_border,
    measure_histogram,
    measure_items,
)
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from tests.support.slices import grey_values, write_slice


def measure(*paths: Path) -> list[Measurement | InputError]:
    return list(measure_items([Item(path=path, label=Label.PRE) for path in paths], jobs=2).results)


def test_the_same_pixels_in_two_formats_have_one_pixel_digest(tmp_path: Path) -> None:
    png, bmp = tmp_path / "a.png", tmp_path / "b.bmp"
    for path in (png, bmp):
        Image.fromarray(grey_values()).save(path)
    one, other = measure(png, bmp)
    assert isinstance(one, Measurement)
    assert isinstance(other, Measurement)
    assert one.pixel_digest == other.pixel_digest
    assert one.digest == hashlib.sha256(png.read_bytes()).hexdigest() != other.digest
    assert (one.n_bytes, one.shape, one.image_format) == (png.stat().st_size, (40, 32), "PNG")
    assert one.mean == grey_values().mean()


def test_pixels_of_another_shape_are_other_pixels(tmp_path: Path) -> None:
    for name, shape in (("a.png", (40, 32)), ("b.png", (32, 40))):
        Image.fromarray(grey_values().reshape(shape)).save(tmp_path / name)
    one, other = measure(tmp_path / "a.png", tmp_path / "b.png")
    assert isinstance(one, Measurement)
    assert isinstance(other, Measurement)
    assert one.pixel_digest != other.pixel_digest


def test_what_cannot_be_used_keeps_its_place_and_says_why(tmp_path: Path) -> None:
    blank, empty = tmp_path / "blank.png", tmp_path / "empty.png"
    Image.fromarray(np.zeros((64, 64), dtype=np.uint8)).save(blank)
    empty.touch()
    found = measure(blank, write_slice(tmp_path / "good.png"), empty, tmp_path / "gone.png")
    reasons = [one.reason if isinstance(one, InputError) else "" for one in found]
    assert reasons == ["blank", "", "empty_file", "missing"]


def test_the_histogram_is_numpys() -> None:
    pixels = grey_values(200, 150)
    expected, _ = np.histogram(pixels, bins=N_BINS, range=(0, 256))
    np.testing.assert_allclose(measure_histogram(pixels), expected / pixels.size)


def test_the_border_is_that_of_the_strips_and_corners() -> None:
    pixels = np.zeros((100, 200), dtype=np.uint8)
    pixels[: round(100 * BORDER_SHARE)] = 50  # the whole upper strip
    pixels[-10:, -20:] = 200  # the lower right corner
    border = measure_border(pixels)
    assert border[:2].tolist() == [50, 0]
    assert border[8 + 6] == 200  # its mean
    assert border[8:12].tolist() == [20, 50, 20, 50]  # the upper corners: 4 of 10 rows are lit
    assert border[12:14].tolist() == [0, 0]


def test_progress_is_told_for_every_image(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    items = [Item(path=write_slice(tmp_path / f"{n}.png", seed=n), label=Label.PRE) for n in range(3)]
    measure_items(items, jobs=1, on_progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]

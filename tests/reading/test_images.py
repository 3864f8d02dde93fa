"""Images that are read: to the bit where nothing had to be repaired, with a warning where it had."""

import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gadoscope.reading.images import read_slice
from tests.support.slices import grey_values

GREY = Image.fromarray(grey_values(60, 50))
EQUAL = Image.merge("RGB", (GREY, GREY, GREY))
COLOURED = Image.merge("RGB", (GREY, GREY.transpose(Image.Transpose.ROTATE_180), GREY))
LOSSLESS = ("PNG", "BMP", "TIFF")


def save(tmp_path: Path, image: Image.Image, image_format: str = "PNG", **options: Any) -> Path:
    """Save under a name without a suffix: only the content can say what it is."""
    path = tmp_path / "slice"
    image.save(path, image_format, **options)
    return path


def pillow_grey(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


@pytest.mark.parametrize("image_format", [*LOSSLESS, "JPEG"])
@pytest.mark.parametrize("image", [GREY, EQUAL], ids=["grey", "equal channels"])
def test_grey_images_equal_pillows_and_need_no_warning(
    tmp_path: Path, image: Image.Image, image_format: str
) -> None:
    path = save(tmp_path, image, image_format)
    read = read_slice(path)
    np.testing.assert_array_equal(read.pixels, pillow_grey(path))
    assert read.warnings == ()
    assert read.pixels.dtype == np.uint8
    assert read.pixels.flags.c_contiguous


@pytest.mark.parametrize("image_format", LOSSLESS)
def test_lossless_formats_give_back_what_was_written(tmp_path: Path, image_format: str) -> None:
    np.testing.assert_array_equal(read_slice(save(tmp_path, GREY, image_format)).pixels, np.asarray(GREY))


def test_a_lossy_webp_of_a_grey_slice_needs_no_warning(tmp_path: Path) -> None:
    path = save(tmp_path, EQUAL, "WEBP", quality=50)
    assert read_slice(path).warnings == ()
    np.testing.assert_array_equal(read_slice(path).pixels, pillow_grey(path))


def test_real_slices_equal_pillows(shared: Path) -> None:
    for folder in ("figshare-cheng/sagittal", "ixi/sagittal"):
        paths = sorted((shared / "data" / folder).iterdir())[::100]
        assert len(paths) > 4
        for path in paths:
            read = read_slice(path)
            np.testing.assert_array_equal(read.pixels, pillow_grey(path))
            assert read.warnings == ()


def test_a_colour_image_becomes_its_luminance_with_a_warning(tmp_path: Path) -> None:
    path = save(tmp_path, COLOURED)
    read = read_slice(path)
    np.testing.assert_array_equal(read.pixels, pillow_grey(path))
    assert read.warnings == ("colour image: its luminance was used",)


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_a_16_bit_image_is_scaled_by_its_own_range_with_a_warning(tmp_path: Path, image_format: str) -> None:
    wide = (np.asarray(GREY).astype(np.uint16) * 12) + 700
    read = read_slice(save(tmp_path, Image.fromarray(wide), image_format))
    expected = np.rint((wide - wide.min()) / (wide.max() - wide.min()) * 255)
    np.testing.assert_array_equal(read.pixels, expected)
    assert "more than 8 bits" in read.warnings[0]


def test_a_signed_32_bit_image_keeps_its_order(tmp_path: Path) -> None:
    values = np.asarray(GREY).astype(np.int32) * 9_000_000 - 2_000_000_000
    read = read_slice(save(tmp_path, Image.fromarray(values), "TIFF"))
    assert (read.pixels.min(), read.pixels.max()) == (0, 255)
    np.testing.assert_array_equal(np.argmax(read.pixels), np.argmax(values))


def test_a_float_tiff_with_holes_is_scaled_and_its_holes_are_black(tmp_path: Path) -> None:
    values = np.asarray(GREY).astype(np.float32) / 100 - 1
    values[0, 0], values[0, 1] = np.nan, np.inf
    read = read_slice(save(tmp_path, Image.fromarray(values), "TIFF"))
    assert read.pixels[0, 0] == read.pixels[0, 1] == 0
    assert read.pixels.max() == 255


def test_a_16_bit_tiff_whose_zero_is_white_is_not_read_as_a_negative(tmp_path: Path) -> None:
    values = np.asarray(GREY).astype(np.uint16) * 100
    as_written = read_slice(save(tmp_path, Image.fromarray(values), "TIFF")).pixels
    inverted = read_slice(save(tmp_path, Image.fromarray(values), "TIFF", tiffinfo={262: 0})).pixels
    np.testing.assert_array_equal(inverted, 255 - as_written)


def test_16_bit_colours_are_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "slice"
    path.write_bytes(png_of_16_bit_colours(np.asarray(GREY)))
    read = read_slice(path)
    np.testing.assert_array_equal(read.pixels, np.asarray(GREY))
    assert read.warnings == ("16 bits a colour: only the upper 8 were used",)


def png_of_16_bit_colours(grey: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Write what Pillow cannot: a PNG of colour type 2, bit depth 16 (PNG specification, 11.2.2)."""
    import struct  # noqa: PLC0415 - for this one file
    import zlib  # noqa: PLC0415

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows, columns = grey.shape
    samples = np.repeat((grey.astype(">u2") * 256 + 17)[..., np.newaxis], 3, axis=2).astype(">u2")
    lines = b"".join(b"\0" + line.tobytes() for line in samples)
    header = struct.pack(">IIBBBBB", columns, rows, 16, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def test_a_palette_image_is_looked_up_with_a_warning(tmp_path: Path) -> None:
    palette = GREY.convert("P")
    palette.putpalette([value for grey in range(256) for value in (255 - grey,) * 3])
    read = read_slice(save(tmp_path, palette))
    np.testing.assert_array_equal(read.pixels, 255 - np.asarray(GREY))
    assert read.warnings == ("palette image: each index was replaced by its colour",)


def test_a_single_gif_is_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_slice(save(tmp_path, GREY, "GIF")).pixels, np.asarray(GREY))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_transparent_image_is_laid_on_black_with_a_warning(tmp_path: Path, mode: str) -> None:
    image = GREY.convert(mode)
    alpha = np.full((60, 50), 255, dtype=np.uint8)
    alpha[:10] = 0
    image.putalpha(Image.fromarray(alpha))
    read = read_slice(save(tmp_path, image))
    assert not read.pixels[:10].any()
    np.testing.assert_array_equal(read.pixels[10:], np.asarray(GREY)[10:])
    assert read.warnings == ("transparency: the image was laid on black",)


def test_a_grey_value_marked_as_transparent_stays_as_it_is(tmp_path: Path) -> None:
    read = read_slice(save(tmp_path, GREY, transparency=128))
    np.testing.assert_array_equal(read.pixels, np.asarray(GREY))
    assert "marked as transparent" in read.warnings[0]


def test_a_palette_with_transparent_bytes_makes_no_warning_of_pillow(tmp_path: Path) -> None:
    palette = GREY.convert("P")
    read = read_slice(save(tmp_path, palette, transparency=bytes([0] * 100 + [255] * 156)))
    assert len(read.warnings) == 2


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_a_cmyk_image_is_read_with_a_warning(tmp_path: Path, image_format: str) -> None:
    path = save(tmp_path, EQUAL.convert("CMYK"), image_format)
    read = read_slice(path)
    assert "CMYK colours: converted to RGB" in read.warnings
    assert np.abs(read.pixels.astype(int) - np.asarray(GREY)).mean() < 3


def test_a_black_and_white_image_is_read_with_a_warning(tmp_path: Path) -> None:
    read = read_slice(save(tmp_path, GREY.convert("1")))
    assert set(np.unique(read.pixels)) == {0, 255}
    assert "1 bit a pixel" in read.warnings[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_orientation_tag_turns_the_pixels(tmp_path: Path, image_format: str, orientation: int) -> None:
    options: dict[str, Any] = {"lossless": True} if image_format == "WEBP" else {}
    plain = read_slice(save(tmp_path, GREY, image_format, **options)).pixels
    exif = Image.Exif()
    exif[0x0112] = orientation
    read = read_slice(save(tmp_path, GREY, image_format, exif=exif, **options))
    np.testing.assert_array_equal(read.pixels, plain)
    assert any("used as stored" in warning for warning in read.warnings) == (orientation != 1)


def test_a_suffix_that_lies_makes_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    GREY.save(path, "PNG")
    np.testing.assert_array_equal(read_slice(path).pixels, np.asarray(GREY))


@pytest.mark.parametrize(
    "name",
    ["größe-脳-🧠.png", "two\nlines.png", " leading and trailing ", "-dash", os.fsdecode(b"latin-\xe9.png")],
)
def test_unusual_names_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    GREY.save(path, "PNG")
    np.testing.assert_array_equal(read_slice(path).pixels, np.asarray(GREY))


def test_the_longest_name_that_the_system_allows_is_read(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    GREY.save(path)
    assert read_slice(path).pixels.shape == (60, 50)


def test_damaged_exif_is_one_warning_and_not_pillows(tmp_path: Path) -> None:
    orientation = b"\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"
    description = b"\x01\x0e\0\x02\0\xff\xff\xff\xff\xff\xff\xf0"  # 16 MB, at an offset far outside
    broken = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + orientation + description
    buffer = io.BytesIO()
    GREY.save(buffer, "JPEG", exif=broken)
    path = tmp_path / "slice"
    path.write_bytes(buffer.getvalue())
    read = read_slice(path)
    assert read.pixels.shape == (60, 50)
    assert "its metadata are damaged: only the pixels were used" in read.warnings


def test_reading_in_threads_leaves_the_processs_warnings_alone(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}" for index in range(60)]
    for index, path in enumerate(paths):
        GREY.save(path, ("TIFF", "PNG", "JPEG")[index % 3], exif=orientation_exif())
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(read_slice, paths * 3))
    assert warnings.filters == before
    assert all(one.warnings == read[0].warnings for one in read)


def orientation_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif

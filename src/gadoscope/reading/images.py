"""One image file becomes one grey slice, or one error that says what to do.

The content decides, never the name. The header is checked before a pixel is decoded, so that a
20,000 x 20,000 image costs milliseconds. 8-bit grey images, and colour images whose channels are
equal, come out exactly as Pillow's `convert("L")` gives them. Every other repair is a warning.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.formats import (
    PREFIX_BYTES,
    READ_FORMATS,
    TIFF,
    SliceFormat,
    find_format,
    find_other_format,
)
from gadoscope.reading.grey import array_to_grey, holds_metadata, note_orientation, tiff_to_grey, to_grey
from gadoscope.reading.image_parts import check_parts
from gadoscope.reading.quiet import WARNINGS_LOCK
from gadoscope.reading.regular_files import open_regular_file

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

MAX_PIXELS = 4096 * 2048
"""Eight times a 1024 x 1024 slice, the largest in use. With it no image, whatever its mode, takes more
than 200 MB while it is decoded."""
MIN_SIDE_PIXELS = 16
"""Below any acquisition matrix; slices reformatted from thin stacks have as few as 30 rows."""
MAX_FILE_BYTES = 16 * MAX_PIXELS
"""What `MAX_PIXELS` need without any compression at 4 bytes in each of 4 channels: 128 MiB."""
_EIGHT_BIT_MODES = ("LA", "RGB", "RGBA")
# Pillow's words for a file that is whole, but written in a way that it has no decoder for.
_NO_DECODER = ("unknown pixel mode", "not available", "Unsupported BMP", "unknown data organization")


@dataclass(frozen=True)
class SliceImage:
    """A grey slice as it was stored, and what was repaired on the way.

    Attributes
    ----------
    pixels
        Grey values 0..255, shape (row, column), uint8.
    warnings
        One sentence each, without values of this file, so that equal repairs can be counted.
    """

    pixels: NDArray[np.uint8]
    warnings: tuple[str, ...]


def read_slice(path: Path) -> SliceImage:
    """Read one image file.

    Raises
    ------
    ReadError
        With the reason ``empty_file``, ``truncated``, ``not_an_image``, ``not_a_file``,
        ``no_permission``, ``missing``, ``link_loop``, ``name_too_long`` or ``io_error``.
    RefusedError
        With the reason ``unsupported_format``, ``animated``, ``too_large``, ``too_small`` or ``blank``.
    """
    with open_regular_file(path) as file:
        return decode_slice(file)


def decode_slice(file: BinaryIO) -> SliceImage:
    """Decode the image that ``file`` holds, from its beginning; errors as `read_slice`."""
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    image_format = _recognise(file.read(PREFIX_BYTES))
    if n_bytes > MAX_FILE_BYTES:
        raise RefusedError(
            "too_large", f"{n_bytes} bytes is no slice; at most {MAX_FILE_BYTES}: export the single slice."
        )
    check_parts(file, image_format.name, n_bytes)
    file.seek(0)
    try:
        return _decode(file, image_format)
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise RefusedError(
            "too_large", "the picture is far larger than a slice: export the slice."
        ) from error
    # Pillow raises whatever a damaged file makes it trip over, from KeyError to struct.error;
    # one bad file must become one row, so all of it is turned into that row here.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _explain_decoding(error, image_format.name) from error


def _recognise(prefix: bytes) -> SliceFormat:
    if not prefix:
        raise ReadError("empty_file", "the file is empty (0 bytes); copy it again from its source.")
    image_format = find_format(prefix)
    if image_format is not None:
        return image_format
    other = find_other_format(prefix)
    if other is not None:
        raise RefusedError(
            "unsupported_format",
            f"this is {other}, not one slice as an image; a slice image is {READ_FORMATS}.",
        )
    raise ReadError(
        "not_an_image",
        f"the content is no image, whatever the name says; expected {READ_FORMATS}.",
    )


def _explain_decoding(error: Exception, name: str) -> InputError:
    if any(words in str(error) for words in _NO_DECODER):
        return RefusedError(
            "unsupported_format",
            f"this {name} image is written in a way that cannot be decoded here; save it as 8-bit grey PNG.",
        )
    return ReadError(
        "truncated", f"this {name} image is damaged or ends too early; copy it again from its source."
    )


def _decode(file: BinaryIO, image_format: SliceFormat) -> SliceImage:
    notes: list[str] = []
    with _pillow_warnings(notes):
        image = image_format.open(file)
        _check_header(image)
        # A TIFF's metadata are parsed once more while it loads, so all of it stays in here.
        grey = tiff_to_grey(cast("TiffImageFile", image), notes) if image_format is TIFF else None
    if grey is None:
        if any("16" in str(tile.args) for tile in image.tile) and image.mode in _EIGHT_BIT_MODES:
            notes.append("16 bits a colour: only the upper 8 were used")
        image.load()  # outside the lock: this is where the time goes
        if holds_metadata(image):
            with _pillow_warnings(notes):
                note_orientation(image, notes)
        grey = to_grey(image, notes)
    return _finish(grey, notes)


def take_slice(pixels: NDArray[Any]) -> SliceImage:
    """Return an array of real numbers, shape (row, column), as the slice that its image file would hold.

    Raises
    ------
    RefusedError
        ``too_large``, ``too_small`` or ``blank``.
    """
    check_size(pixels.shape[1], pixels.shape[0])
    notes: list[str] = []
    return _finish(array_to_grey(pixels, notes), notes)


def _finish(grey: NDArray[np.uint8], notes: list[str]) -> SliceImage:
    if grey.min() == grey.max():
        raise RefusedError("blank", "every pixel has the same value: there is no slice to judge.")
    return SliceImage(grey, tuple(dict.fromkeys(notes)))


def _check_header(image: ImageFile.ImageFile) -> None:
    check_size(*image.size)
    if getattr(image, "is_animated", False):
        raise RefusedError(
            "animated", "the file holds several pictures; save each slice as a file of its own."
        )


def check_size(width: int, height: int) -> None:
    """Raise RefusedError, ``too_large`` or ``too_small``, if so many pixels are no slice."""
    if width * height > MAX_PIXELS:
        raise RefusedError(
            "too_large",
            f"{width} x {height} pixels is no slice; at most {MAX_PIXELS} pixels in all are read: "
            "export the single slice.",
        )
    if min(width, height) < MIN_SIDE_PIXELS:
        raise RefusedError(
            "too_small",
            f"{width} x {height} pixels; a slice has at least {MIN_SIDE_PIXELS} on each side: "
            "export it at its own size.",
        )


@contextmanager
def _pillow_warnings(notes: list[str]) -> Iterator[None]:
    """Turn Pillow's warnings about a doubtful file into a note.

    `catch_warnings` changes the whole process, hence the lock, one for all readers. What runs inside
    holds the interpreter's own lock anyway, so decoding in threads loses nothing by it.
    """
    with WARNINGS_LOCK, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        if caught:
            notes.append("its metadata are damaged: only the pixels were used")

"""A decoded picture of any mode becomes 8-bit grey; every repair leaves a note.

The notes hold no value of the file, so that equal repairs can be counted over a folder.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.intensity import MAX_GREY

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

COMPRESSION_NOISE = 1
"""By how many grey levels lossy WebP parts the equal channels of a grey slice (JPEG: by none); measured."""
_UPRIGHT = 1  # orientation: rows run down, columns run right
_ORIENTATION = 0x0112  # the same tag in EXIF and in TIFF
_PHOTOMETRIC_INTERPRETATION = 262  # TIFF 6.0, section 4
_WHITE_IS_ZERO = 0
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
_BLOCK_ROWS = 64  # 64 rows in float64 are small beside the image itself
_BLACK = (0, 0, 0, 255)
# Pillow turns a TIFF as its orientation tag says; these turn it back, so that one rule holds for all.
_UNDO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_TURNED = "its metadata ask for a turned or mirrored display: the pixels were used as stored"


def holds_metadata(image: Image.Image) -> bool:
    """Say whether a decoded image carries metadata that may ask for a turned display."""
    return any(key in image.info for key in _EXIF_KEYS)


def note_orientation(image: Image.Image, notes: list[str]) -> None:
    """Add a note if the metadata of a decoded image ask for a turned or mirrored display."""
    if image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT:
        notes.append(_TURNED)


def tiff_to_grey(image: "TiffImageFile", notes: list[str]) -> NDArray[np.uint8]:
    """Decode a TIFF and return its grey values as they are stored, shape (row, column)."""
    orientation = image.tag_v2.get(_ORIENTATION, _UPRIGHT)
    inverted = image.tag_v2.get(_PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    image.load()
    stored: Image.Image = image
    if orientation != _UPRIGHT:
        notes.append(_TURNED)
    if orientation in _UNDO_ORIENTATION:
        stored = image.transpose(_UNDO_ORIENTATION[orientation])
    grey = to_grey(stored, notes)
    if inverted and image.mode in _WIDE_MODES:  # Pillow inverts only up to 8 bits
        grey = np.uint8(MAX_GREY) - grey
    return grey


def to_grey(image: Image.Image, notes: list[str]) -> NDArray[np.uint8]:
    """Return the grey values of a decoded image, shape (row, column)."""
    mode = image.mode
    if mode in _WIDE_MODES:
        return array_to_grey(np.asarray(image), notes)
    if mode == "1":
        notes.append("1 bit a pixel: there are no grey levels between black and white")
    elif mode == "P":
        notes.append("palette image: each index was replaced by its colour")
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif "transparency" in image.info:
        notes.append("one colour is marked as transparent: it was used as stored")
    if image.mode in _ALPHA_MODES:
        notes.append("transparency: the image was laid on black")
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, _BLACK), rgba).convert("RGB")
    return _colours_to_grey(image, notes)


def array_to_grey(values: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    """Return real numbers of any type as grey values; those of 8 bits as they are."""
    if values.dtype == np.uint8:
        return values
    notes.append("more than 8 bits a pixel: scaled to 8 by the image's own smallest and largest value")
    return _scale_to_grey(values)


def _colours_to_grey(image: Image.Image, notes: list[str]) -> NDArray[np.uint8]:
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"))
    if image.mode != "RGB":
        notes.append(f"{image.mode} colours: converted to RGB")
        image = image.convert("RGB")
    colours = np.asarray(image)
    red = colours[..., 0]
    if np.array_equal(red, colours[..., 1]) and np.array_equal(red, colours[..., 2]):
        return np.ascontiguousarray(red)
    if np.ptp(colours, axis=-1).max() > COMPRESSION_NOISE:
        notes.append("colour image: its luminance was used")
    return np.asarray(image.convert("L"))


def _scale_to_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale by the smallest and the largest finite value; what is not finite becomes black."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.zeros(values.shape, dtype=np.uint8)
    low, high = float(finite.min()), float(finite.max())
    span = high - low if high > low else 1.0
    grey = np.empty(values.shape, dtype=np.uint8)
    for start in range(0, len(values), _BLOCK_ROWS):
        block = values[start : start + _BLOCK_ROWS].astype(np.float64)
        block[~np.isfinite(block)] = low
        grey[start : start + _BLOCK_ROWS] = np.rint((block - low) / span * MAX_GREY)
    return grey

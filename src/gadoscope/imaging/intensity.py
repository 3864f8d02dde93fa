"""From a grey slice to the network's input: the ONE image path of training and inference.

A slice of any size becomes a square in one of two ways, is optionally passed through one named intensity
function, and divided by 255. The parameters travel in the bundle.

``stretch_nearest``: stretched with the nearest pixel, as the lesson does it (Keras'
`load_img(..., interpolation="nearest")`, which is Pillow's NEAREST).
``head_box``: the head's box is cut out and shrunk or enlarged, antialiased and at its own aspect ratio, into
the middle of a black square; its grey values are stretched between two percentiles of the head. How large a
field was scanned, how bright it is and what stands around the head then matters little.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.foreground import find_foreground
from gadoscope.imaging.order_statistics import find_grey_percentiles

MAX_GREY = 255.0
"""The largest grey value of an 8-bit image."""
N_GREYS = 256
"""Grey levels of an 8-bit image."""
MIN_SIZE = 1
MAX_SIZE = 4096
"""Far above any network's input; a larger number is a typing error and would exhaust memory."""
STRETCH_NEAREST = "stretch_nearest"
HEAD_BOX = "head_box"
RESIZES = (STRETCH_NEAREST, HEAD_BOX)
ALL_PERCENT = 100.0
MAX_SIDE = 8192
"""Pixels; of a slice that is longer each n-th row and column is read, so that the square around its box fits
into memory: as many pixels as a file may have could stand in one row."""
_RESCALE = np.float32(1 / MAX_GREY)  # Keras multiplies by `rescale=1/255` in float32, so do we


def _keep(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return images


def _invert(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.float32(MAX_GREY) - images


def _autocontrast(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch each image's own range to 0..255; a constant image stays as it is."""
    low = images.min(axis=(1, 2), keepdims=True)
    span = images.max(axis=(1, 2), keepdims=True) - low
    factor = np.float32(MAX_GREY) / np.where(span > 0, span, np.float32(1))
    stretched: NDArray[np.float32] = np.where(span > 0, (images - low) * factor, images)
    return stretched


def _equalise(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Equalise each image's histogram of whole grey levels, as Pillow's `ImageOps.equalize`."""
    levels = np.clip(np.rint(images), 0, MAX_GREY).astype(np.uint8)
    equalised = np.empty(images.shape, dtype=np.float32)
    for image, out in zip(levels, equalised, strict=True):
        out[:] = _equalising_table(np.bincount(image.ravel(), minlength=N_GREYS))[image]
    return equalised


def _equalising_table(histogram: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the grey level that each of the 256 becomes, shape (256,)."""
    occupied = histogram[histogram > 0]
    step = int(occupied.sum() - occupied[-1]) // int(MAX_GREY)
    if step == 0:  # a constant image, or too few pixels to spread
        return np.arange(N_GREYS, dtype=np.float32)
    below = np.cumsum(histogram) - histogram
    table: NDArray[np.float32] = np.minimum((step // 2 + below) // step, MAX_GREY).astype(np.float32)
    return table


PREPROCESSING_FUNCTIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "none": _keep,
    "autocontrast": _autocontrast,
    "equalise": _equalise,
    "invert": _invert,
}
"""The intensity functions by name: (n, row, column) float32 in 0..255 to the same."""


@dataclass(frozen=True, kw_only=True)
class ImagePath:
    """The parameters of the image path, and the path itself.

    Parameters
    ----------
    size
        Rows and columns of the network's input.
    resize
        How a slice becomes that size: ``stretch_nearest`` (the aspect ratio is not kept) or ``head_box``.
    preprocessing_function
        A name of `PREPROCESSING_FUNCTIONS`, applied before the division by 255.
    low_percentile, high_percentile
        Of the head's grey values: which become 0 and 255; what lies outside is clipped. Read by
        ``head_box``; ``stretch_nearest`` keeps the grey values, and takes 0 and 100 only.

    Raises
    ------
    ValueError
        If a value is not one of those expected.
    """

    size: int = 331
    resize: str = STRETCH_NEAREST
    preprocessing_function: str = "none"
    low_percentile: float = 0.0
    high_percentile: float = ALL_PERCENT

    def __post_init__(self) -> None:
        if type(self.size) is not int or not MIN_SIZE <= self.size <= MAX_SIZE:
            raise ValueError(f"size = {self.size!r}; expected a whole number, {MIN_SIZE} to {MAX_SIZE}.")
        if self.resize not in RESIZES:
            raise ValueError(f"resize = {self.resize!r}; expected {' or '.join(map(repr, RESIZES))}.")
        if self.preprocessing_function not in PREPROCESSING_FUNCTIONS:
            raise ValueError(
                f"preprocessing_function = {self.preprocessing_function!r}; "
                f"expected one of {', '.join(PREPROCESSING_FUNCTIONS)}."
            )
        self._check_percentiles()

    def _check_percentiles(self) -> None:
        percentiles = self.low_percentile, self.high_percentile
        given = f"low_percentile = {percentiles[0]!r} and high_percentile = {percentiles[1]!r}"
        if {type(value) for value in percentiles} - {int, float}:
            raise ValueError(f"{given}; expected two numbers.")
        if not 0 <= percentiles[0] < percentiles[1] <= ALL_PERCENT:
            raise ValueError(f"{given}; expected two numbers from 0 to 100, the first below the second.")
        if self.resize == STRETCH_NEAREST and percentiles != (0, ALL_PERCENT):
            raise ValueError(f"{given}; {STRETCH_NEAREST!r} keeps the grey values and takes 0 and 100 only.")

    def resize_slice(
        self, pixels: Annotated[NDArray[np.uint8], "row column"]
    ) -> Annotated[NDArray[np.uint8], "size size"]:
        """Return ``pixels`` (row, column) of any size as a square of shape (size, size)."""
        if self.resize == HEAD_BOX:
            return self._cut_out_head(pixels)
        if pixels.shape == (self.size, self.size):
            return pixels
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((self.size, self.size), Image.Resampling.NEAREST))

    def _cut_out_head(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        step = math.ceil(max(pixels.shape) / MAX_SIDE)
        pixels = np.ascontiguousarray(pixels[::step, ::step])
        found = find_foreground(pixels)
        box, picture = found.box, found.picture
        side = max(box.height, box.width)
        top, left = (box.top + box.bottom - side) / 2, (box.left + box.right - side) / 2
        # Black from here on: what lies around the picture, and what fills the shorter side of the box.
        kept = (
            max(math.floor(box.left), int(picture.left)),
            max(math.floor(box.top), int(picture.top)),
            min(math.ceil(box.right), int(picture.right)),
            min(math.ceil(box.bottom), int(picture.bottom)),
        )
        whole_left, whole_top = math.floor(left), math.floor(top)
        whole = (whole_left, whole_top, math.ceil(left + side), math.ceil(top + side))
        cut = _crop(Image.fromarray(pixels).crop(kept), whole, kept)
        square = cut.resize(
            (self.size, self.size),
            Image.Resampling.BILINEAR,  # Pillow's averages where it shrinks
            box=(left - whole_left, top - whole_top, left - whole_left + side, top - whole_top + side),
        )
        resized = np.asarray(square)
        place = (np.arange(self.size, dtype=np.float64) + 0.5) * (side / self.size)
        shown = found.is_head(top + place, left + place)
        greys = resized[shown] if shown.any() else resized  # a slice of one row may fall between the places
        low, high = find_grey_percentiles(greys, (self.low_percentile, self.high_percentile))
        stretched: NDArray[np.uint8] = _stretching_table(low, high)[resized]
        return stretched

    def scale(
        self, batch: Annotated[NDArray[np.uint8] | NDArray[np.float32], "n size size"]
    ) -> Annotated[NDArray[np.float32], "n 1 size size"]:
        """Return the network's input of resized slices.

        Parameters
        ----------
        batch
            Grey values 0..255, shape (n, size, size).

        Returns
        -------
        Shape (n, 1, size, size), float32, in [0, 1].
        """
        if self.preprocessing_function == "none":
            scaled = np.multiply(batch, _RESCALE, dtype=np.float32)
        else:
            prepare = PREPROCESSING_FUNCTIONS[self.preprocessing_function]
            scaled = prepare(batch.astype(np.float32)) * _RESCALE
        return scaled[:, np.newaxis]


def _crop(image: Image.Image, box: tuple[int, int, int, int], part: tuple[int, int, int, int]) -> Image.Image:
    """Return ``box`` of a slice of which ``image`` is ``part``, black where there is nothing of it."""
    left, top = part[:2]
    return image.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))


def _stretching_table(low: float, high: float) -> NDArray[np.uint8]:
    """Return what each of the 256 greys becomes if ``low`` is black and ``high`` white, shape (256,)."""
    greys = np.arange(N_GREYS, dtype=np.float64)
    if high > low:  # else of one grey, which stays
        greys = np.clip(np.rint((greys - low) * (MAX_GREY / (high - low))), 0, MAX_GREY)
    return greys.astype(np.uint8)

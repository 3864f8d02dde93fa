"""Measure one image for an audit: everything from a single reading of the file."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.arrays import Floats
from gadoscope.errors import InputError
from gadoscope.imaging.intensity import N_GREYS
from gadoscope.inspection.marks import Mark, find_marks
from gadoscope.inspection.texture import measure_lie, measure_texture, read_encoding
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item
from gadoscope.reading.formats import PREFIX_BYTES, find_format
from gadoscope.reading.images import decode_slice, open_regular_file

THUMBNAIL_SIDE = 128
"""Pixels a side of what is kept of each picture: 16 kB, so 10,000 pictures take 160 MB."""
N_BINS = 32
"""Of the histogram: eight grey levels each."""
BORDER_SHARE = 0.04
"""Of a side: the strips at the four borders, where a slice of a head shows air."""
CORNER_SHARE = 0.1
"""Of a side: the squares in the four corners, where tags are."""


@dataclass(frozen=True)
class Measurement:
    """What an audit keeps of an image.

    Attributes
    ----------
    digest, pixel_digest
        SHA-256 of the file's bytes, and of its decoded pixels with their shape.
    n_bytes
        Of the file.
    shape
        Rows and columns.
    image_format
        By content: PNG, JPEG ...
    mean
        Of the grey values 0..255.
    histogram
        Share of the pixels in each bin, shape (N_BINS,).
    border
        Mean and standard deviation of the strips at the top, bottom, left and right, then mean and
        largest value of the four corners; shape (16,).
    marks
        Text and tags beside the head.
    texture, lie, encoding
        From `measure_texture`, `measure_lie` and `read_encoding`.
    thumbnail
        Shape (THUMBNAIL_SIDE, THUMBNAIL_SIDE), uint8, stretched to a square.
    """

    digest: str
    pixel_digest: str
    n_bytes: int
    shape: tuple[int, int]
    image_format: str
    mean: float
    histogram: Floats
    border: Floats
    marks: tuple[Mark, ...]
    texture: Floats
    lie: Floats
    encoding: Floats
    thumbnail: NDArray[np.uint8]


def measure_items(
    items: Sequence[Item], *, jobs: int = 0, on_progress: Callable[[int, int], None] | None = None
) -> list[Measurement | InputError]:
    """Return for each image what was measured, or why it cannot be used."""
    measured: list[Measurement | InputError] = []
    for one in map_in_order(_measure, items, jobs):
        measured.append(one)
        if on_progress is not None:
            on_progress(len(measured), len(items))
    return measured


def _measure(item: Item) -> Measurement | InputError:
    try:
        with open_regular_file(item.path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            n_bytes = file.tell()
            file.seek(0)
            image_format = find_format(file.read(PREFIX_BYTES))
            pixels = decode_slice(file).pixels
            encoding = read_encoding(file)
    except InputError as error:
        return error
    return Measurement(
        digest=digest,
        pixel_digest=hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest(),
        n_bytes=n_bytes,
        shape=(pixels.shape[0], pixels.shape[1]),
        image_format=image_format.name if image_format else "",
        mean=float(pixels.mean()),
        histogram=measure_histogram(pixels),
        border=measure_border(pixels),
        marks=find_marks(pixels),
        texture=measure_texture(pixels),
        lie=measure_lie(pixels),
        encoding=encoding,
        thumbnail=shrink(pixels),
    )


def measure_histogram(pixels: NDArray[np.uint8]) -> Floats:
    """Return the share of the pixels in each of `N_BINS` equal ranges of grey."""
    counts = np.bincount(pixels.ravel(), minlength=N_GREYS).reshape(N_BINS, -1).sum(axis=1)
    shares: Floats = counts / pixels.size
    return shares


def measure_border(pixels: NDArray[np.uint8]) -> Floats:
    """Return the grey of strips and corners, as `Measurement.border` says."""
    rows, columns = (max(1, round(BORDER_SHARE * side)) for side in pixels.shape)
    strips = (pixels[:rows], pixels[-rows:], pixels[:, :columns], pixels[:, -columns:])
    rows, columns = (max(1, round(CORNER_SHARE * side)) for side in pixels.shape)
    corners = [part[:, across] for part in (pixels[:rows], pixels[-rows:]) for across in
               (slice(None, columns), slice(-columns, None))]  # fmt: skip
    values = [value for strip in strips for value in (strip.mean(), strip.std())]
    values += [value for corner in corners for value in (corner.mean(), corner.max())]
    return np.array(values, dtype=np.float64)


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the thumbnail of a slice (row, column)."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("F")
    # Averages of whole pixels would leave steps in a picture with few of them; a smooth one has none.
    finer = (max(image.width, 2 * THUMBNAIL_SIDE), max(image.height, 2 * THUMBNAIL_SIDE))
    if finer != image.size:
        image = image.resize(finer, Image.Resampling.BICUBIC)
    small = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    thumbnail: NDArray[np.uint8] = np.clip(np.rint(np.asarray(small)), 0, N_GREYS - 1).astype(np.uint8)
    return thumbnail

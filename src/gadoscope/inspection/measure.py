"""Measure the slices of images and scans for an audit: everything from a single reading."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.errors import InputError
from gadoscope.imaging.intensity import N_GREYS
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inspection.marks import Mark, find_marks
from gadoscope.inspection.texture import measure_lie, measure_texture, read_encoding
from gadoscope.parallel import map_in_order
from gadoscope.preparation.copies.thumbnail import shrink
from gadoscope.preparation.items import Item
from gadoscope.preparation.slices import open_item
from gadoscope.progress import OnCount, count_nothing

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
        Of the file; of a slice of a scan one a pixel, for the length of a header that speaks of contrast is
        nothing that a network sees.
    shape
        Rows and columns.
    image_format
        By content: PNG, JPEG ..., DICOM or NIfTI.
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
    pixels
        The slice itself, uint8 (row, column), of the first few with marks; None of all others.
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
    pixels: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Measured:
    """What was measured of each image and each slice of a scan, or why an item cannot be used.

    Attributes
    ----------
    items
        The row of each result.
    results
        In the order of the items, a scan's slices beside each other.
    """

    items: tuple[Item, ...]
    results: tuple[Measurement | InputError, ...]


def measure_items(
    items: Sequence[Item],
    *,
    n_shown: int = 0,
    jobs: int = 0,
    on_progress: OnCount = count_nothing,
) -> Measured:
    """Measure all slices.

    Parameters
    ----------
    n_shown
        Slices with marks that are kept to be shown.
    """
    rows: list[Item] = []
    results: list[Measurement | InputError] = []
    for done, (of_item, measured) in enumerate(map_in_order(_measure, items, jobs), start=1):
        for one in measured:
            if isinstance(one, Measurement) and one.pixels is not None:
                n_shown -= 1
                results.append(one if n_shown >= 0 else replace(one, pixels=None))
            else:
                results.append(one)
        rows += of_item
        on_progress(done, len(items))
    return Measured(tuple(rows), tuple(results))


def _measure(item: Item) -> tuple[Sequence[Item], Sequence[Measurement | InputError]]:
    try:
        with open_item(item) as opened:
            slices = opened.read(SlicePolicy())
            of_file = _OfFile(
                digest=opened.digest(),
                n_bytes=None if opened.image is None else opened.stamp()[0],
                image_format=opened.form,
                encoding=read_encoding(opened.image),
            )
    except InputError as error:
        return [item], [error]
    return slices.items, [_measure_slice(pixels, of_file) for pixels in slices.pixels]


@dataclass(frozen=True)
class _OfFile:
    digest: str
    n_bytes: int | None
    image_format: str
    encoding: Floats


def _measure_slice(pixels: NDArray[np.uint8], of_file: _OfFile) -> Measurement:
    marks = find_marks(pixels)
    return Measurement(
        digest=of_file.digest,
        pixel_digest=hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest(),
        n_bytes=pixels.size if of_file.n_bytes is None else of_file.n_bytes,
        shape=(pixels.shape[0], pixels.shape[1]),
        image_format=of_file.image_format,
        mean=float(pixels.mean()),
        histogram=measure_histogram(pixels),
        border=measure_border(pixels),
        marks=marks,
        texture=measure_texture(pixels),
        lie=measure_lie(pixels),
        encoding=of_file.encoding,
        thumbnail=shrink(pixels),
        pixels=pixels if marks else None,
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

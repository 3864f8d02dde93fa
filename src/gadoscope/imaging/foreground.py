"""Where the head is in a slice, whatever stands around it: air, padding, frames, letters, scale bars.

Margins of one grey are peeled off first. What is left is looked at as a small copy, in which letters and
noise blur away; Otsu's threshold parts it into bright and dark, and the largest connected bright parts are
the head. Nothing here knows of up, left or anatomy: a turned or mirrored slice gives the turned or mirrored
box.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.arrays import Bools
from gadoscope.imaging.parts import keep_largest_parts

HALF = 0.5
N_GREYS = 256
"""Grey levels of an 8-bit image."""

SMALL_SIDE = 96
"""Cells of the small copy along its longer side: a cell is 2.5 mm of a head, a letter 2 or 3 cells high."""
FLAT_SHARE = 0.05
"""Of the picture's range of greys: a row or column that spans less is of one grey. JPEG leaves up to 0.04."""
WHITE_SHARE = 0.2
"""Of that range: a row or column that is this bright throughout is of a white margin, though JPEG lets the
black beside it ring in it."""
MAX_FRAMES = 4
"""Margins inside each other that are peeled off: padding, a frame, the padding inside it, and one more."""
DARK_PERCENTILE = 2.0
"""The grey of air, from which the threshold is counted: a brightened picture has no black."""
MIN_CHORD = 4
"""Cells of the head's outermost rows and columns: a tube, a clip or letters that touch it have fewer."""
MIN_HEAD = 0.04
"""Share of the peeled picture that the head has at least, where there is one."""
MIN_WHOLE = 0.5
"""Share of all bright cells that the head's parts have at least: noise breaks into many parts."""
MARGIN = 0.03
"""Of the head's longer side, on each side: air enough for the edge of the scalp to be seen."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of a slice: pixel 0 reaches from 0 to 1."""

    top: float
    bottom: float
    left: float
    right: float

    @property
    def height(self) -> float:
        """Return the rows it spans."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Return the columns it spans."""
        return self.right - self.left


@dataclass(frozen=True)
class Foreground:
    """The head of one slice.

    Attributes
    ----------
    box
        The head's with a margin, which may reach beyond the slice.
    picture
        The slice without the margins of one grey around it, in whole pixels.
    cells
        Where the head, or what it surrounds, is in the picture: shape (row, column), of any size.
    """

    box: Box
    picture: Box
    cells: Bools

    def is_head(self, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Bools:
        """Return whether the head is at these places of the slice, in pixels, as a grid of both."""
        row, is_row = _to_cells(rows, self.picture.top, self.picture.height, self.cells.shape[0])
        column, is_column = _to_cells(columns, self.picture.left, self.picture.width, self.cells.shape[1])
        return self.cells[np.ix_(row, column)] & is_row[:, np.newaxis] & is_column


def find_foreground(pixels: Annotated[NDArray[np.uint8], "row column"]) -> Foreground:
    """Find the head of a slice.

    Parameters
    ----------
    pixels
        Shape (row, column).

    Returns
    -------
    The head; the whole slice where none was found, as in a blank picture. Noise is head everywhere.
    """
    picture = _peel(pixels)
    small = _shrink(pixels[int(picture.top) : int(picture.bottom), int(picture.left) : int(picture.right)])
    threshold = _find_threshold(small)
    bright = small > threshold
    head = keep_largest_parts(bright)
    n_cells = int(head.sum())
    if n_cells < MIN_HEAD * head.size or n_cells < MIN_WHOLE * int(bright.sum()):
        whole = Box(0, pixels.shape[0], 0, pixels.shape[1])
        return Foreground(whole, whole, np.ones((1, 1), dtype=np.bool_))
    soft = _soften(small, head, threshold)
    top, bottom = _find_edges(soft.sum(axis=1))
    left, right = _find_edges(soft.sum(axis=0))
    row_px, column_px = picture.height / head.shape[0], picture.width / head.shape[1]
    margin = MARGIN * max((bottom - top) * row_px, (right - left) * column_px)
    box = Box(
        picture.top + top * row_px - margin,
        picture.top + bottom * row_px + margin,
        picture.left + left * column_px - margin,
        picture.left + right * column_px + margin,
    )
    return Foreground(box, picture, _enclose(head))


def _to_cells(
    places: NDArray[np.float64], start: float, length: float, n_cells: int
) -> tuple[NDArray[np.intp], Bools]:
    """Return the cell in which each place lies, or the nearest one, and whether it lies in one."""
    cell = np.floor((places - start) * (n_cells / length)).astype(np.intp)
    return np.clip(cell, 0, n_cells - 1), (cell >= 0) & (cell < n_cells)


def _peel(pixels: NDArray[np.uint8]) -> Box:
    """Return what is left of a slice without the margins of one grey; a slice of one grey stays."""
    whole = inner = Box(0, pixels.shape[0], 0, pixels.shape[1])
    for _ in range(MAX_FRAMES):
        seen = pixels[int(inner.top) : int(inner.bottom), int(inner.left) : int(inner.right)]
        rows = _trim(seen.min(axis=1), seen.max(axis=1))
        columns = _trim(seen.min(axis=0), seen.max(axis=0))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return whole
        if (rows.stop - rows.start, columns.stop - columns.start) == seen.shape:
            break
        top, left = inner.top, inner.left
        inner = Box(top + rows.start, top + rows.stop, left + columns.start, left + columns.stop)
    return inner


def _trim(least: NDArray[np.uint8], largest: NDArray[np.uint8]) -> slice:
    """Return which rows are left without those at either end that are of the end's grey, by their greys."""
    low, high = int(least.min()), int(largest.max())
    flat, white = FLAT_SHARE * (high - low), high - WHITE_SHARE * (high - low)
    least, is_white = least.astype(np.int16), least >= white
    is_flat = largest - least <= flat
    start, stop = (
        np.flatnonzero(~(is_white if is_white[end] else is_flat & (np.abs(least - least[end]) <= flat)))
        for end in (0, -1)
    )
    return slice(int(start[0]) if len(start) else len(least), int(stop[-1]) + 1 if len(stop) else 0)


def _shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy of at most `SMALL_SIDE` cells a side, each the mean of its pixels."""
    rows, columns = pixels.shape
    factor = min(1.0, SMALL_SIDE / max(rows, columns))
    shape = max(1, round(columns * factor)), max(1, round(rows * factor))
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(shape, Image.Resampling.BOX))


def _find_threshold(small: NDArray[np.uint8]) -> float:
    """Return Otsu's threshold of the root of the grey values, halfway between two greys.

    Of the grey values themselves the threshold falls between brain and bright fat in some T1 images; their
    root, counted from the grey of air, moves it down to between air and head. Of cells of one grey it is
    above them all.
    """
    counts = np.bincount(small.ravel(), minlength=N_GREYS)
    below = np.cumsum(counts)
    dark = int(np.searchsorted(below, DARK_PERCENTILE / 100 * small.size))
    sum_below = np.cumsum(counts * np.sqrt(np.maximum(np.arange(N_GREYS) - dark, 0)))
    above = small.size - below
    # The variance between both sides, which is largest at the threshold; 0 where one side is empty.
    between = (sum_below[-1] * below - sum_below * small.size) ** 2 / np.maximum(below * above, 1)
    between[above == 0] = 0
    return int(between.argmax()) + HALF if between.any() else float(N_GREYS)


def _soften(small: NDArray[np.uint8], head: Bools, threshold: float) -> NDArray[np.float32]:
    """Return how much head each cell holds: by its grey, 0.5 at the threshold; 0 where no head is near."""
    near = np.pad(head, 1)
    near = head | near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    dark = float(small.min())
    share = np.clip((small - np.float32(dark)) * np.float32(HALF / (threshold - dark)), 0, 1)
    return np.where(near, share, np.float32(0))


def _find_edges(profile: NDArray[np.float32]) -> tuple[float, float]:
    """Return where the head begins and ends in cells and parts of a cell, by how much head is in each row.

    A straight line between the middles of two rows crosses `MIN_CHORD` there: so the box moves with the
    head, and not from cell to cell.
    """
    chord = min(MIN_CHORD, HALF * float(profile.max()))
    span = _span(profile >= chord)
    edges = []
    for inside, outside in ((span.start, span.start - 1), (span.stop - 1, span.stop)):
        share = HALF  # of the way to the middle of the row outside
        if 0 <= outside < len(profile):
            share = (profile[inside] - chord) / (profile[inside] - profile[outside])
        edges.append(inside + HALF + (outside - inside) * float(share))
    return edges[0], edges[1]


def _enclose(head: Bools) -> Bools:
    """Return the head and what it surrounds: what lies between its cells both in its row and column."""
    enclosed = head
    for axis in (0, 1):
        before = np.maximum.accumulate(head, axis=axis)
        behind = np.flip(np.maximum.accumulate(np.flip(head, axis), axis=axis), axis)
        between = before & behind
        enclosed = between if axis == 0 else enclosed & between
    return enclosed


def _span(flags: Bools) -> slice:
    """Return from the first to the last true one; an empty slice if there is none."""
    found = np.flatnonzero(flags)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)

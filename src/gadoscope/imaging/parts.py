"""Connected parts of a small mask: the large ones stay, letters and drawn frames go.

As `scipy.ndimage.label`, whose import takes longer than the whole answer to a slice.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools

MIN_PART = 0.15
"""Cells of a part that belongs to the head, as a share of the largest part's: a scalp or a neck that dark
bone or a dark fold cuts off has more, a line of text or a grey scale has less."""
MIN_FILL = 0.1
"""Share of its own box that a part of the head fills, at least: a ring of scalp 0.13, a drawn frame 0.05."""


def keep_largest_parts(bright: Annotated[Bools, "row column"]) -> Annotated[Bools, "row column"]:
    """Return the parts, connected by the edges of cells, that may belong to a head.

    They fill `MIN_FILL` of their box or more, and have `MIN_PART` of the cells of the largest such part or
    more.

    Parameters
    ----------
    bright
        Shape (row, column).

    Returns
    -------
    Which cells belong to such a part, same shape.
    """
    row, start, stop = _find_runs(bright)
    if not len(row):
        return bright
    part = _join_runs(row, start, stop)
    sizes = np.bincount(part, weights=stop - start)
    sizes[sizes < MIN_FILL * _box_sizes(part, row, start, stop)] = 0
    is_kept = (sizes[part] > 0) & (sizes[part] >= MIN_PART * sizes.max())
    # A kept run adds 1 at its start and takes it away at its stop: the running sum is the mask.
    steps = np.zeros((bright.shape[0], bright.shape[1] + 1), dtype=np.int8)
    steps[row[is_kept], start[is_kept]] = 1
    steps[row[is_kept], stop[is_kept]] = -1
    kept: Bools = np.cumsum(steps, axis=1)[:, :-1] > 0
    return kept


def _find_runs(mask: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return row, start and stop of each run of true cells in a row, in reading order."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    change = np.diff(padded, axis=1)
    row, start = np.nonzero(change == 1)
    return row, start, np.nonzero(change == -1)[1]


def _join_runs(row: NDArray[np.intp], start: NDArray[np.intp], stop: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the part to which each run belongs: runs of neighbouring rows that touch are one part."""
    # On one line of rows laid end to end, a run touches those of the row above that end behind its start
    # and start before its end.
    width = int(stop.max()) + 1
    position = row * width
    first = np.searchsorted(position + stop, position - width + start, side="right")
    last = np.searchsorted(position + start, position - width + stop, side="left")
    parent = list(range(len(row)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    for run, (above, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for other in range(above, end):
            parent[root(other)] = root(run)
    return np.array([root(run) for run in range(len(row))], dtype=np.intp)


def _box_sizes(
    part: NDArray[np.intp], row: NDArray[np.intp], start: NDArray[np.intp], stop: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the cells of each part's box, 0 for a number that is no part's."""
    first_row, first_column = (np.full(len(part), np.iinfo(np.intp).max) for _ in range(2))
    last_row, last_column = (np.full(len(part), -1) for _ in range(2))
    np.minimum.at(first_row, part, row)
    np.maximum.at(last_row, part, row + 1)
    np.minimum.at(first_column, part, start)
    np.maximum.at(last_column, part, stop)
    sizes: NDArray[np.intp] = (last_row - first_row) * (last_column - first_column)
    sizes[last_row < 0] = 0
    return sizes[: int(part.max()) + 1]

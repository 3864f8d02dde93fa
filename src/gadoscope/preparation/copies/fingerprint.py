"""Find pairs of slices that may be one picture: a fingerprint of 14 x 14 cells, compared all with all.

The fingerprint is a perceptual hash that keeps its numbers: the shrunk picture without its slow
changes of brightness, scaled to length 1, so that the product of two fingerprints is a correlation.
Size, compression, brightness and contrast hardly change it. A cut border does, so each picture is
also printed as if its borders had been cut, in `CUTS` ways for each side, and every such print is
compared with every whole one: the best of them says how the two pictures lie to each other.

What passes here is only a suspect: slices beside each other, and one slice before and after contrast,
pass as well. `gadoscope.preparation.copies.pixel_check` decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from threadpoolctl import threadpool_limits

from gadoscope.arrays import Singles
from gadoscope.parallel import map_in_order
from gadoscope.preparation.copies.alignment import average_weights

SIDE = 14
"""Cells a side: with more, a cut between two of `CUTS` is missed; with fewer, all heads look alike."""
CUTS = (0.0, 0.05, 0.1)
"""Share of a side that may have been cut off at one border. A cut between two of them is still found:
it moves the picture by a third of a cell at most."""
SLOW_CELLS = 2.0
"""Sigma of what counts as a slow change of brightness, in cells: coil shading, not anatomy."""
OUTSTANDING = 1.5
"""Standard deviations at which a cell is clipped: what stands out further is no more telling."""
COMPONENTS = 96
"""Principal components of the cells that are compared: correlations change by 0.01, the time halves."""
MIN_SIMILARITY = 0.87
"""Of pictures that may be one. Measured: copies that were not cut have 0.97 and more; with cuts of 0.05
or 0.1, 0.99; with random cuts of 0 to 0.1 at each border, 0.95 in the middle and 0.83 at worst."""
MAX_SUSPECTS = 48
"""For each picture, the most similar first: of 80 copies that were cut at random from volumes of slices
1 mm apart, 56 are among the first 16, 71 among 32 and all among 64."""
_BLOCK_ROWS = 512  # 512 x 10,000 similarities take 20 MB, whatever the number of pictures


@dataclass(frozen=True)
class Suspects:
    """Pairs of pictures that may be one.

    Attributes
    ----------
    whole, part
        Indices of the pictures, shape (m,): ``part`` may be ``whole`` with its borders cut.
    frame
        Where ``part`` lies in ``whole``: top, bottom, left, right, as shares of its sides, shape (m, 4).
    """

    whole: NDArray[np.int64]
    part: NDArray[np.int64]
    frame: Singles


def find_suspects(thumbnails: NDArray[np.uint8], *, jobs: int = 0) -> Suspects:
    """Return the pairs that are alike enough to be looked at, each once.

    Parameters
    ----------
    thumbnails
        The shrunk pictures, shape (n, side, side).
    jobs
        Threads; 0 means one for each core that the process may use.
    """
    # Threads of ours share the work; those inside each product of small matrices would only wait.
    with threadpool_limits(1, user_api="blas"):
        prints = _Prints(thumbnails)
        starts = range(0, len(thumbnails), _BLOCK_ROWS)
        found = list(map_in_order(partial(_search, prints), starts, jobs))
    whole, part, similarity, cut = (np.concatenate(column) for column in zip(*found, strict=True))
    # One of the two orders is enough: the one in which they look more alike.
    low, high = np.minimum(whole, part), np.maximum(whole, part)
    kept = _first_of_each(low * len(thumbnails) + high, similarity)
    return Suspects(whole[kept], part[kept], prints.frames[cut[kept]])


class _Prints:
    """The fingerprints of all pictures, whole and as if cut."""

    def __init__(self, thumbnails: NDArray[np.uint8]) -> None:
        one_way = np.array([(low, 1 - high) for low, high in product(CUTS, repeat=2)], dtype=np.float32)
        self.frames = np.array([(*rows, *columns) for rows, columns in product(one_way, repeat=2)])
        self._weights = average_weights(one_way[:, 0], one_way[:, 1], thumbnails.shape[1], SIDE)
        self._thumbnails = thumbnails
        self._to_detail = _without_slow_changes()
        detail = np.concatenate([self._print(cells) for cells in self._iter_blocks_of_cells()])
        axes = np.linalg.eigh(np.cov(detail, rowvar=False))[1]
        self._axes = axes[:, -COMPONENTS:].astype(np.float32)
        self.whole = _to_unit_length(detail @ self._axes)

    def iter_cuts(self, rows: slice) -> Iterator[Singles]:
        """Yield the fingerprints of some pictures in each of the frames, shape (n, COMPONENTS)."""
        for cells in self._iter_cells(rows):
            yield _to_unit_length(self._print(cells) @ self._axes)

    def _print(self, cells: Singles) -> Singles:
        detail = cells @ self._to_detail
        # A letter in a corner must not outweigh a head.
        limit = OUTSTANDING * detail.std(axis=1, keepdims=True)
        return _to_unit_length(np.clip(detail, -limit, limit))

    def _iter_blocks_of_cells(self) -> Iterator[Singles]:
        for start in range(0, len(self._thumbnails), _BLOCK_ROWS):
            yield next(self._iter_cells(slice(start, start + _BLOCK_ROWS)))

    def _iter_cells(self, rows: slice) -> Iterator[Singles]:
        """Yield the mean grey value in each cell of each frame, shape (n, SIDE * SIDE)."""
        pictures = self._thumbnails[rows].astype(np.float32)
        n, side, _ = pictures.shape
        # Products of large matrices, first along columns, then along rows: small ones take ten times longer.
        narrow = [pictures.reshape(-1, side) @ weights.T for weights in self._weights]
        lying = [
            np.ascontiguousarray(part.reshape(n, side, SIDE).transpose(0, 2, 1)).reshape(-1, side)
            for part in narrow
        ]
        for row_weights in self._weights:
            for part in lying:
                cells = (part @ row_weights.T).reshape(n, SIDE, SIDE)  # (n, column, row)
                yield cells.transpose(0, 2, 1).reshape(n, -1)


_Columns = tuple[NDArray[np.int64], NDArray[np.int64], Singles, NDArray[np.int64]]


def _search(prints: _Prints, start: int) -> _Columns:
    """Return whole, part, similarity and cut of the suspects whose whole lies in one block."""
    wholes, parts, similarities, cuts = [], [], [], []
    for number, cut_prints in enumerate(prints.iter_cuts(slice(start, start + _BLOCK_ROWS))):
        similarity = cut_prints @ prints.whole.T
        found = np.flatnonzero(similarity.ravel() >= MIN_SIMILARITY)
        row, column = np.divmod(found, similarity.shape[1])
        wholes.append(row + start)
        parts.append(column)
        similarities.append(similarity.ravel()[found])
        cuts.append(np.full(len(found), number, dtype=np.int64))
    whole, part = np.concatenate(wholes), np.concatenate(parts)
    value, cut = np.concatenate(similarities), np.concatenate(cuts)
    value[whole == part] = -1  # cutting a picture does not make it another
    kept = _first_of_each(whole * len(prints.whole) + part, value)
    kept = kept[value[kept] >= 0]
    kept = kept[np.lexsort((-value[kept], whole[kept]))]
    _, first = np.unique(whole[kept], return_index=True)
    rank = np.arange(len(kept)) - np.repeat(first, np.diff(np.append(first, len(kept))))
    kept = kept[rank < MAX_SUSPECTS]
    return whole[kept], part[kept], value[kept], cut[kept]


def _first_of_each(keys: NDArray[np.int64], value: Singles) -> NDArray[np.int64]:
    """Return the index of the largest value of each key, by key."""
    order = np.lexsort((-value, keys))
    _, first = np.unique(keys[order], return_index=True)
    kept: NDArray[np.int64] = order[first]
    return kept


def _without_slow_changes() -> Singles:
    """Return what takes the slow changes and the mean from averaged cells, as one matrix."""
    n_cells = SIDE * SIDE
    cells = np.eye(n_cells, dtype=np.float32).reshape(n_cells, SIDE, SIDE)
    detail = (cells - ndimage.gaussian_filter(cells, (0, SLOW_CELLS, SLOW_CELLS))).reshape(n_cells, n_cells)
    matrix: Singles = detail - detail.mean(axis=1, keepdims=True)
    return matrix


def _to_unit_length(vectors: Singles) -> Singles:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Singles = vectors / np.maximum(length, np.float32(1e-6))  # a flat picture has no fingerprint
    return unit

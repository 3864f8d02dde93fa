"""Groups of pictures: copies of one picture, and what goes together in a split where nobody says whose it is.

For a split two answers are joined. A difference hash joins whatever looks alike, many slices of one person
among it and now and then of two: that costs a split nothing. It misses some copies, most of them with borders
cut, which the audit's comparison of pixels finds; without that, a split would keep apart what an audit of the
same images calls copies (docs/decisions/0004-splits.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gadoscope.preparation.copies.fingerprint import find_suspects
from gadoscope.preparation.copies.pixel_check import find_copies
from gadoscope.preparation.copies.thumbnail import THUMBNAIL_SIDE, shrink
from gadoscope.preparation.near_duplicates import group_near_duplicates, hash_slice

Links = NDArray[np.int64]
"""Pairs of pictures, shape (m, 2)."""


def link_copies(thumbnails: Sequence[NDArray[np.uint8]], jobs: int = 0) -> Links:
    """Return the pairs of pictures that are one.

    Parameters
    ----------
    thumbnails
        From `thumbnail.shrink`.
    jobs
        Threads; 0 means one for each core that the process may use.
    """
    if len(thumbnails) < 2:  # noqa: PLR2004 # nothing to compare with
        return np.empty((0, 2), dtype=np.int64)
    stacked = np.stack(thumbnails)
    return find_copies(stacked, find_suspects(stacked, jobs=jobs), jobs=jobs)


def join(n: int, *links: Links) -> NDArray[np.int64]:
    """Return for each of ``n`` pictures the smallest index in its group, shape (n,)."""
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *links])
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    numbers = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    joined: NDArray[np.int64] = first[inverse].astype(np.int64)
    return joined


@dataclass(frozen=True)
class Look:
    """What is kept of a slice: its difference hash and its thumbnail."""

    hash: np.uint64
    thumbnail: NDArray[np.uint8]


def look_at(pixels: NDArray[np.uint8]) -> Look:
    """Return what is kept of a slice, shape (row, column)."""
    return Look(hash_slice(pixels), shrink(pixels))


def look_at_nothing(digest: bytes) -> Look:
    """Return what stands for a slice that cannot be read: nothing is like it."""
    return Look(np.uint64(int.from_bytes(digest[:8])), np.zeros((THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.uint8))


def group_alike(looks: Sequence[Look], jobs: int = 0) -> NDArray[np.int64]:
    """Return for each slice the smallest index among those that it goes with, shape (n,)."""
    alike = group_near_duplicates(np.array([look.hash for look in looks], dtype=np.uint64))
    links = np.stack([np.arange(len(looks)), alike], axis=1)
    return join(len(looks), links, link_copies([look.thumbnail for look in looks], jobs))

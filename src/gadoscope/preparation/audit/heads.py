"""Where the head is in a small picture: what was written into the air around it must not count."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gadoscope.preparation.audit.alignment import cut_out

Floats = NDArray[np.float32]

AIR_PERCENTILE, BRIGHT_PERCENTILE, AIR_LIMIT = 5.0, 99.0, 0.12
"""Air lies within this share of the range between two percentiles of the grey values."""
MIN_HEAD = 0.1
"""Share of the picture that two heads have in common, at least, to be compared on their own."""
_HALF = 0.5  # a cell belongs to the head if half of it does


def find_heads(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the largest bright region of each picture, and what it surrounds, shape (n, row, column)."""
    heads = np.empty(pictures.shape, dtype=np.bool_)
    for picture, head in zip(pictures, heads, strict=True):
        low, high = np.percentile(picture, (AIR_PERCENTILE, BRIGHT_PERCENTILE))
        labels, n_regions = ndimage.label(picture > low + AIR_LIMIT * (high - low))
        if n_regions > 1:
            sizes = np.bincount(labels.ravel())
            sizes[0] = 0
            labels = labels == sizes.argmax()
        head[:] = ndimage.binary_fill_holes(labels)
    return heads


def find_common(whole: NDArray[np.bool_], part: NDArray[np.bool_], frame: Floats, side: int) -> Floats:
    """Return 1 where a whole and its part both show the head, and 0 elsewhere.

    Pairs in which hardly anything is common are compared everywhere.

    Parameters
    ----------
    whole, part
        Where the heads are, shape (m, s, s).
    frame
        Where the parts lie in the wholes, shape (m, 4).

    Returns
    -------
    Shape (m, side, side), in the parts' frame.
    """
    everything = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (len(part), 1))
    common = cut_out(whole.astype(np.float32), frame, side) >= _HALF
    common &= cut_out(part.astype(np.float32), everything, side) >= _HALF
    common[common.mean(axis=(1, 2)) < MIN_HEAD] = True
    return common.astype(np.float32)

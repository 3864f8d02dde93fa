"""Lay one picture onto another: find the frame in which a part lies, to a fraction of a pixel.

Gauss-Newton on the grey values, as Lucas and Kanade did it, for scale and shift along rows and along
columns, and for one gain and one offset of brightness. Pairs are worked on in batches.

References
----------
B. D. Lucas and T. Kanade, "An iterative image registration technique", IJCAI 1981, 674-679
"""

import numpy as np

from gadoscope.arrays import Singles

MAX_STEP = 0.03
"""Share of a side that an edge of the frame may move in one step: more is a leap into the dark."""
MAX_OUTSIDE = 0.02
"""Share of a side by which a frame may reach beyond the whole picture: rounding, not content."""
MIN_GAIN = 0.05
"""Below it the part shows nothing of the whole, and the steps mean nothing."""
_RIDGE = 1e-3  # of the diagonal: a picture without rows or columns to hold on to leaves its frame alone


def refine(whole: Singles, part: Singles, frame: Singles, n_steps: int) -> Singles:
    """Return the frames of the parts in the wholes, better than ``frame``.

    Parameters
    ----------
    whole
        Pictures, shape (m, s, s), finer than the parts by a quarter at least: the cells of a cut
        picture lie between its pixels.
    part
        Shape (m, side, side).
    frame
        Top, bottom, left, right, as shares of the whole's sides, shape (m, 4).
    n_steps
        How often the frame is moved.
    """
    side = part.shape[1]
    along = ((np.arange(side, dtype=np.float32) + np.float32(0.5)) / side)[np.newaxis]
    for _ in range(n_steps):
        seen = cut_out(whole, frame, side)
        down, across = np.gradient(seen, axis=(1, 2))
        # The edge at 0 moves the near end of a side, the edge at 1 the far end.
        down /= (frame[:, 1] - frame[:, 0])[:, np.newaxis, np.newaxis]
        across /= (frame[:, 3] - frame[:, 2])[:, np.newaxis, np.newaxis]
        slopes = (
            down * (1 - along[:, :, np.newaxis]) * side,
            down * along[:, :, np.newaxis] * side,
            across * (1 - along[:, np.newaxis]) * side,
            across * along[:, np.newaxis] * side,
        )
        columns = (seen, np.ones_like(seen), *slopes)
        matrix = np.stack([column.reshape(len(seen), -1) for column in columns], axis=1)
        normal = matrix @ matrix.transpose(0, 2, 1)
        diagonal = np.einsum("mii->mi", normal)
        diagonal += _RIDGE * diagonal + np.float32(1e-3)
        wanted = matrix @ part.reshape(len(part), -1, 1)
        fitted = np.linalg.solve(normal.astype(np.float64), wanted.astype(np.float64))[..., 0]
        gain = fitted[:, :1]
        steps = np.clip(fitted[:, 2:] / np.where(np.abs(gain) > MIN_GAIN, gain, 1.0), -MAX_STEP, MAX_STEP)
        moved: Singles = (frame + steps).astype(np.float32)
        frame = np.clip(moved, -MAX_OUTSIDE, 1 + MAX_OUTSIDE)
    return frame


def cut_out(whole: Singles, frame: Singles, side: int) -> Singles:
    """Return what lies inside the frames, averaged to pictures of ``side``, shape (m, side, side)."""
    rows = average_weights(frame[:, 0], frame[:, 1], whole.shape[1], side)
    columns = average_weights(frame[:, 2], frame[:, 3], whole.shape[2], side)
    seen: Singles = (rows @ whole @ columns.transpose(0, 2, 1)).astype(np.float32)
    return seen


def average_weights(low: Singles, high: Singles, n_pixels: int, n_cells: int) -> Singles:
    """Return what averages the pixels between two shares of a side into cells.

    Parameters
    ----------
    low, high
        Shares of a side, shape (m,). Beyond the edge the edge counts.

    Returns
    -------
    Weights, shape (m, n_cells, n_pixels); each row's sum is 1.
    """
    share = np.linspace(0, 1, n_cells + 1, dtype=np.float32)
    edges = (low[:, np.newaxis] + (high - low)[:, np.newaxis] * share) * n_pixels
    edges = np.clip(edges, 0, n_pixels)[..., np.newaxis]
    pixels = np.arange(n_pixels, dtype=np.float32)
    overlap = np.minimum(edges[:, 1:], pixels + 1) - np.maximum(edges[:, :-1], pixels)
    weights = np.clip(overlap, 1e-6, None)  # a cell wholly outside: the average of the row
    averages: Singles = weights / weights.sum(axis=2, keepdims=True)
    return averages

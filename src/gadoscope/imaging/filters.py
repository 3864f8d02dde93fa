"""The three filters that answering needs, in NumPy: whoever only classifies needs no scipy, which is 143 MB.

Each is separable, mirrors the image at its edges (the last pixel twice), and gives what the filter of the
same name in `scipy.ndimage` gives.
"""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

TRUNCATE = 4.0
"""Standard deviations at which a Gaussian ends."""


def gaussian_filter(image: NDArray[np.floating], sigma: float) -> NDArray[np.float64]:
    """Return an image smoothed by a Gaussian along every axis.

    Parameters
    ----------
    image
        Of any shape.
    sigma
        Standard deviation, pixels.
    """
    radius = int(TRUNCATE * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    smooth = np.asarray(image, dtype=np.float64)
    for axis in range(smooth.ndim):
        windows = sliding_window_view(_mirror(smooth, axis, radius), len(weights), axis=axis)
        smooth = windows @ weights
    return smooth


def uniform_filter(image: NDArray[np.floating], sides: Sequence[int]) -> NDArray[np.float64]:
    """Return the mean of a box around each pixel.

    Parameters
    ----------
    image
        Of any shape.
    sides
        Of the box along each axis, pixels; odd.
    """
    mean = np.asarray(image, dtype=np.float64)
    for axis, side in enumerate(sides):
        mean = _slide(mean, axis, side, np.add) / side
    return mean


def maximum_filter(image: NDArray[np.floating], sides: Sequence[int]) -> NDArray[np.float64]:
    """Return the largest value of a box around each pixel; parameters as of `uniform_filter`."""
    largest = np.asarray(image, dtype=np.float64)
    for axis, side in enumerate(sides):
        largest = _slide(largest, axis, side, np.maximum)
    return largest


def _slide(
    image: NDArray[np.float64], axis: int, side: int, join: Callable[..., NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the values of a window along an axis, joined two by two."""
    padded = np.moveaxis(_mirror(image, axis, side // 2), axis, 0)
    joined = reduce(join, (padded[start : start + image.shape[axis]] for start in range(side)))
    return np.moveaxis(joined, 0, axis)


def _mirror(image: NDArray[np.float64], axis: int, by: int) -> NDArray[np.float64]:
    """Return an image with more pixels at both ends of an axis."""
    widths = [(by, by) if which == axis else (0, 0) for which in range(image.ndim)]
    return np.pad(image, widths, mode="symmetric")

"""From voxel values to 256 greys: which value is black, which is white, a straight line between."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.order_statistics import find_existing_percentiles

MAX_GREY = 255.0
"""The largest grey value of an 8-bit image."""

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
"""Black and white where the file has no window: nearly all values, without the few brightest (vessels in
inflow, a spike), which would leave the rest dark. Scanners and viewers choose likewise."""
SAMPLED_PIXELS = 131_072
"""About as many, evenly spread, are sorted for the percentiles: within a hundredth of those of all."""

LARGEST = float(np.finfo(np.float32).max)
"""Of the voxels' type: a window beyond shows nothing."""
MIN_GREY_SHARE = 0.02
"""Of the voxels, between black and white. Even a small head in a large field of view fills a tenth."""
MAX_WHITE_SHARE = 0.15
"""Of the voxels, white. A head fills a quarter to a half of its slices, and a window that whitens
half of that was not meant for it; scanners whiten about a hundredth."""

NOT_FINITE = "some values are not numbers: shown as black"


def replace_not_finite(voxels: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """Return ``voxels`` with NaN and infinity as dark as the darkest number, and whether there were any.

    Raises
    ------
    RefusedError
        ``blank``, if none is a number.
    """
    finite = np.isfinite(voxels)
    if finite.all():
        return voxels, False
    if not finite.any():
        raise RefusedError("blank", "not one value is a number: there is no image to judge.")
    return np.where(finite, voxels, voxels[finite].min()), True


def find_limits(voxels: NDArray[np.float32], window: tuple[float, float] | None) -> tuple[float, float]:
    """Return the values that become black and white.

    Parameters
    ----------
    voxels
        Finite values of all slices to be shown, of any shape, not all equal.
    window
        (black, white) as the file has it. It is obeyed if it fits the voxels: see `fits`.

    Returns
    -------
    (low, high)
        ``low < high``. Without a fitting window two robust percentiles; where these are equal, the
        smallest and the largest value.
    """
    if window is not None and fits(voxels, window):
        return float(window[0]), float(window[1])
    step = voxels.size // SAMPLED_PIXELS | 1  # odd: slices have an even number of columns, so all are met
    sample = voxels.reshape(-1)[::step]
    # Existing values, not means of two: those of a file's largest numbers would overflow.
    low, high = find_existing_percentiles(sample, LOW_PERCENTILE, HIGH_PERCENTILE)
    return (low, high) if low < high else (float(voxels.min()), float(voxels.max()))


def fits(voxels: NDArray[np.float32], window: tuple[float, float]) -> bool:
    """Return whether a window is one at all, and does not turn nearly all ``voxels`` black or white."""
    low, high = window
    if not -LARGEST <= low < high <= LARGEST:  # NaN neither
        return False
    white = np.count_nonzero(voxels >= high) / voxels.size
    black = np.count_nonzero(voxels <= low) / voxels.size
    return bool(white <= MAX_WHITE_SHARE and 1 - white - black >= MIN_GREY_SHARE)


def to_grey(
    voxels: Annotated[NDArray[np.float32], "*shape"], low: float, high: float
) -> Annotated[NDArray[np.uint8], "*shape"]:
    """Return ``voxels`` as greys: ``low`` and below are 0, ``high`` and above 255, rounded between.

    (0, 255) is the identity on 8-bit values. Any shape; finite values.

    Raises
    ------
    ValueError
        If ``low`` is not below ``high``.
    """
    if not low < high:
        raise ValueError(f"black must lie below white, but they are {low} and {high}.")
    # In float64: neither the range of the largest float32 nor the slope of the smallest one overflows.
    grey = np.subtract(voxels, low, dtype=np.float64)
    grey *= MAX_GREY / (high - low)
    grey += 0.5  # rounds half up when the fraction is cut off
    np.clip(grey, 0.0, MAX_GREY, out=grey)
    return grey.astype(np.uint8)

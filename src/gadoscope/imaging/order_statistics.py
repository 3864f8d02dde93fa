"""Percentiles and medians, to the last bit those of NumPy, whose own import `numpy.ma` and take longer.

References
----------
Hyndman and Fan, Am. Stat. 50 (1996) 361: definition 7, and those of existing values.
"""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

N_GREYS = 256
ALL_PERCENT = 100


def find_grey_percentiles(
    greys: Annotated[NDArray[np.uint8], "*shape"], percents: Sequence[float]
) -> list[float]:
    """Return percentiles of grey values, at least one; between two ranks they lie on a straight line."""
    at_most = np.cumsum(np.bincount(greys.reshape(-1), minlength=N_GREYS))
    last = greys.size - 1
    found = []
    for percent in percents:
        rank = last * (percent / ALL_PERCENT)
        below = min(math.floor(rank), last)
        low, high = np.searchsorted(at_most, (below, min(below + 1, last)), side="right").tolist()
        share = rank - below
        # As NumPy has it: from the nearer end.
        found.append(low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share))  # noqa: PLR2004
    return found


def find_existing_percentiles(
    values: Annotated[NDArray[np.float32], "n"], low: float, high: float
) -> tuple[float, float]:
    """Return two percentiles of finite values, both existing ones: the next below and the next above."""
    last, whole = np.float32(values.size - 1), np.float32(ALL_PERCENT)
    ranks = math.floor(last * (np.float32(low) / whole)), math.ceil(last * (np.float32(high) / whole))
    ordered = np.partition(values, ranks)
    return float(ordered[ranks[0]]), float(ordered[ranks[1]])


def find_median(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the median of numbers: of an even count the mean of the two in the middle."""
    ordered = sorted(map(float, values))
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

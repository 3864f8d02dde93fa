"""From logit to probability to phase: the sigmoid and the operating point."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.inference.bundle import OperatingPoint
from gadoscope.labels import Phase


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return P(post-contrast) for logits of any shape, as float64.

    Exact to rounding at both ends: ``exp`` is only ever taken of a number that is not positive.
    """
    values = np.asarray(logits, dtype=np.float64)
    tail = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + tail), tail / (1 + tail))


def decide(probability: float, point: OperatingPoint) -> Phase:
    """Return the phase that ``probability`` = P(post-contrast) stands for at this operating point.

    ``[lower, upper)`` is INDETERMINATE; ``upper`` itself is post-contrast. Where the band is empty
    this is ``probability >= threshold``.

    Raises
    ------
    ValueError
        If ``probability`` is not in [0, 1]; NaN is not.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies in [0, 1], but this one is {probability}.")
    if probability >= point.upper:
        return Phase.POST_CONTRAST
    if probability < point.lower:
        return Phase.PRE_CONTRAST
    return Phase.INDETERMINATE

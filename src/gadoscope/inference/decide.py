"""From logit to probability to phase: the bundle's calibration and its operating point."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.inference.bundle import BundleMetadata, Level, OperatingPoint
from gadoscope.labels import Phase


def probability_of(
    logit: NDArray[np.floating], metadata: BundleMetadata, level: Level = Level.SLICE
) -> NDArray[np.float64]:
    """Return P(post-contrast) for logits of any shape, calibrated as the bundle says.

    Parameters
    ----------
    logit
        As the network gives them for slices, or as `aggregate_logits` does for series.
    level
        Which of the two they are: each has its own calibration.
    """
    return metadata.calibration_of(level).apply(logit)


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

"""From the logits of a volume's slices to the one logit of the volume."""

import math

import numpy as np
from numpy.typing import NDArray

from gadoscope.aggregation import Aggregation

MEAN = Aggregation()
"""The mean of logits is the logit of the geometric mean of the odds: a slice that is sure counts more than
one that is not, and no slice alone decides."""


def aggregate_logits(logits: NDArray[np.float64], aggregation: Aggregation = MEAN) -> float:
    """Return the one logit that ``aggregation`` makes of the slices' logits.

    For one slice it is that slice's logit, whatever the aggregation is, so a slice image and a volume of
    that one slice have the same answer. Probabilities are never averaged: their mean is drawn to 0.5.

    Parameters
    ----------
    logits
        Logits of POST_CONTRAST, shape (n,), at least one. Their order makes no difference, not even in
        the last bit.

    Returns
    -------
    float
        NaN if any of them is no finite number.

    Raises
    ------
    ValueError
        If there is none.
    """
    if logits.ndim != 1 or not logits.size:
        raise ValueError(f"logits must have the shape (n,), n at least 1, but they have {logits.shape}.")
    if not np.isfinite(logits).all():
        return math.nan
    if logits.size == 1:
        return float(logits[0])
    return aggregation.apply(np.sort(logits))

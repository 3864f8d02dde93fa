"""From the logits of a series' slices to one logit of the series."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.named_method import NamedMethod

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "mean": (),
    "median": (),
    "trimmed_mean": (),
    "max": (),
    "log_mean_exp": ("sharpness",),
}
"""What each method needs to be applied, the simplest first."""
METHODS = tuple(PARAMETERS)

# Share of the slices that the trimmed mean leaves out at each end: of five slices, one and one.
TRIMMED_SHARE = 0.2
# At 1e-6 the result is the mean to seven digits, and below that the sum of exponentials loses them.
MIN_SHARPNESS = 1e-6


@dataclass(frozen=True)
class Aggregation(NamedMethod):
    """How the slices of a series become one score.

    Parameters
    ----------
    method
        ``mean``, ``median``, ``trimmed_mean`` (without the ``TRIMMED_SHARE`` lowest and highest),
        ``max`` (one enhancing slice suffices), or ``log_mean_exp``, which lies between mean (sharpness
        near 0) and max (large), all of the logits.
    parameters
        ``{"sharpness": positive number}`` for ``log_mean_exp``, else empty.

    Raises
    ------
    ValueError
        If the method is unknown, or its parameters do not fit.
    """

    method: str = "mean"

    KIND = "aggregation"
    PARAMETERS = PARAMETERS
    LEAST: ClassVar = {"sharpness": MIN_SHARPNESS}

    def apply(self, logits: Annotated[NDArray[np.floating], "n"]) -> float:
        """Return the logit of a series from those of its slices, shape (n,), n at least 1.

        In any order the same to the last bit, so what was chosen, what is judged and what is applied are
        one; of one slice its own logit.

        Raises
        ------
        ValueError
            If there is no slice.
        """
        values = np.sort(np.asarray(logits, dtype=np.float64))
        if values.size == 0:
            raise ValueError("a series without slices has no logit.")
        if values.size == 1:
            return float(values[0])
        match self.method:
            case "median":
                return float(np.median(values))
            case "trimmed_mean":
                n_cut = int(TRIMMED_SHARE * values.size)
                return float(values[n_cut : values.size - n_cut].mean())
            case "max":
                return float(values[-1])
            case "log_mean_exp":
                sharpness = self.parameters["sharpness"]
                return float((np.logaddexp.reduce(sharpness * values) - math.log(values.size)) / sharpness)
            case _:
                return math.fsum(values) / values.size


MEAN = Aggregation()
"""The mean of logits is the logit of the geometric mean of the odds: a slice that is sure counts more than
one that is not, and no slice alone decides."""


def aggregate_logits(logits: Annotated[NDArray[np.float64], "n"], aggregation: Aggregation = MEAN) -> float:
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
    return aggregation.apply(logits)

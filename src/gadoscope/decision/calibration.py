"""From a network's logit to a probability: the sigmoid, its inverse, and the calibration between."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.decision.named_method import NamedMethod

Method = Literal["none", "temperature", "beta"]
METHODS: tuple[str, ...] = get_args(Method)
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "temperature": ("temperature",),
    "beta": ("slope_post", "slope_pre", "intercept"),
}
"""What each method needs to be applied."""

# Probabilities are kept this far from 0 and 1 where a logit is taken of them; as operating points are.
PROBABILITY_LIMIT = 1e-6
# A factor on a logit below this would turn every answer into "about one half", and one that is 0
# would give two different logits one probability: the order of the scores must never change.
MIN_SLOPE = 1e-3


def sigmoid(logit: NDArray[np.floating]) -> Floats:
    """Return P(post-contrast) for logits of any shape, as float64.

    Exact to rounding at both ends: ``exp`` is only ever taken of a number that is not positive.
    """
    values = np.asarray(logit, dtype=np.float64)
    tail = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + tail), tail / (1 + tail))


def logit_of(probability: NDArray[np.floating]) -> Floats:
    """Return the logit of probabilities of any shape, clipped to ``PROBABILITY_LIMIT`` from 0 and 1."""
    values = np.clip(np.asarray(probability, dtype=np.float64), PROBABILITY_LIMIT, 1 - PROBABILITY_LIMIT)
    logits: Floats = np.log(values) - np.log1p(-values)
    return logits


@dataclass(frozen=True)
class Calibration(NamedMethod):
    """How a logit becomes a probability that means what it says.

    Parameters
    ----------
    method
        ``none``: the plain sigmoid. ``temperature``: the sigmoid of ``logit / temperature`` [1]_.
        ``beta``: the sigmoid of ``slope_post ln(p) - slope_pre ln(1 - p) + intercept`` with
        ``p`` the sigmoid of the logit [2]_; it contains the others.
    parameters
        The numbers in `PARAMETERS` of the method; temperature and slopes are positive, so that a
        higher logit never gets a lower probability.

    Raises
    ------
    ValueError
        If the method is unknown, or a parameter is missing, superfluous, or out of its range.

    References
    ----------
    .. [1] Guo et al., ICML 2017, arXiv:1706.04599
    .. [2] Kull, Silva Filho and Flach, AISTATS 2017
    """

    method: str = "none"

    KIND = "calibration"
    PARAMETERS = PARAMETERS
    LEAST: ClassVar = {
        "temperature": MIN_SLOPE,
        "slope_post": MIN_SLOPE,
        "slope_pre": MIN_SLOPE,
        "intercept": -math.inf,
    }

    def apply_logit(self, logit: NDArray[np.floating]) -> Floats:
        """Return the calibrated logits, of the same shape and in the same order."""
        values = np.asarray(logit, dtype=np.float64)
        if self.method == "temperature":
            return values / self.parameters["temperature"]
        if self.method == "beta":
            # ln p = -softplus(-logit) and -ln(1 - p) = softplus(logit): exact for every logit.
            return (
                -self.parameters["slope_post"] * np.logaddexp(0, -values)
                + self.parameters["slope_pre"] * np.logaddexp(0, values)
                + self.parameters["intercept"]
            )
        return values

    def apply(self, logit: NDArray[np.floating]) -> Floats:
        """Return P(post-contrast), of the same shape."""
        return sigmoid(self.apply_logit(logit))

"""How far a figure may be off by chance: intervals, Wilson's for a share, a bound for a mean of losses."""

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm

from gadoscope.arrays import Floats

CONFIDENCE = 0.95
# An estimated spread between subjects rests on the few subjects that err. Half a subject whose images
# all say the same is added to them, so that no error at all reads as "the subjects count, not their
# images". The weight was chosen by simulation: 94-98 % of the intervals hold the true share, and
# 93-97 % the true ROC area, for 20 to 200 subjects with 1 to 10 images each.
PRIOR_SUBJECTS = 0.5


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, unless it says otherwise."""

    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure and its 95 % interval; what the data do not define is None."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class Estimate(Measured):
    """A figure, its 95 % interval, and what it rests on; what the data do not define is None.

    ``n`` counts images and ``n_subjects`` the subjects they come from.
    """

    n: int
    n_subjects: int
    method: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A figure of one model less that of another on the same images, with a 95 % interval.

    ``p_value`` is two-sided, of no difference; None where the method gives none.
    """

    value: float | None
    lower: float | None
    upper: float | None
    p_value: float | None
    method: str


@cache  # asked for each share of a report, and for thousands of thresholds where a band is chosen
def two_sided_z(confidence: float = CONFIDENCE) -> float:
    """Return the normal quantile that leaves (1 - confidence) / 2 on each side."""
    return float(norm.isf((1 - confidence) / 2))


def wilson_of_share(share: float, n: float, z: float | None = None) -> Interval:
    """Return Wilson's score interval of a share of ``n`` > 0 independent images, ``n`` need not be whole.

    Several images of one subject are not independent, and the true interval is then wider: see
    `shares.estimate_share`. ``z`` is the normal quantile; that of 95 % if None.

    References
    ----------
    Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Brown, Cai and DasGupta, Stat. Sci. 16 (2001) 101
    """
    z = two_sided_z() if z is None else z
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / scale
    # At 0 and 1 one end is the share itself: rounding must not put it outside.
    return Interval(min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share))


def risk_p_value(losses: Annotated[Floats, "subjects"], risk: float, *, is_binary: bool) -> float:
    """Return a valid p-value of "the mean loss is at least ``risk``" for losses in [0, 1].

    It is valid for any number of subjects.

    Parameters
    ----------
    losses
        One of each subject, shape (subjects,).
    is_binary
        Whether losses can only be 0 or 1, whatever these happen to be: then the binomial test is exact.

    References
    ----------
    Bates et al., J. ACM 68 (2021) 43 (Hoeffding and Bentkus)
    """
    n, total = losses.size, float(losses.sum())
    if is_binary:
        return _binomial_tail(round(total), n, risk)
    mean = min(total / n, risk)
    divergence = (1 - mean) * math.log((1 - mean) / (1 - risk))
    if mean > 0:
        divergence += mean * math.log(mean / risk)
    # The sum of shares such as 1/3 must not be rounded up over a whole number.
    bentkus = math.e * _binomial_tail(math.ceil(total - 1e-9), n, risk)
    return min(1.0, math.exp(-n * divergence), bentkus)


@lru_cache(maxsize=10_000)  # where a band is chosen, the same few counts are tested at the same few risks
def _binomial_tail(count: int, n: int, risk: float) -> float:
    """Return how likely ``count`` events or fewer are among ``n``."""
    return float(binom.cdf(count, n, risk))


def bound_risk(losses: Floats, confidence: float, *, is_binary: bool) -> float:
    """Return the one-sided upper bound of the mean loss: the least risk that passes the test."""
    alpha = 1 - confidence

    def excess(risk: float) -> float:
        return risk_p_value(losses, risk, is_binary=is_binary) - alpha

    low, high = max(float(losses.mean()), 1e-12), 1 - 1e-12
    if excess(high) > 0:
        return 1.0
    return float(brentq(excess, low, high)) if excess(low) > 0 else low

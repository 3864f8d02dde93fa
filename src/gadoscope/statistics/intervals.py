"""How far a figure may be off by chance: what an interval is, and Wilson's for a share."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

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

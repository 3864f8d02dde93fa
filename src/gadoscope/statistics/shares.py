"""Accuracy, sensitivity, specificity and their mean, with intervals that know of subjects."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.statistics.columns import effective_number, number_groups, sum_by_group
from gadoscope.statistics.intervals import CONFIDENCE, PRIOR_SUBJECTS, Estimate, two_sided_z, wilson_of_share

WILSON_BY_SUBJECT = "Wilson, design effect by subject"
MOVER = "Wilson by subject, combined (MOVER)"


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Sensitivity, specificity, and how their errors go together.

    ``correlation`` is that of the two estimates: not 0 where one subject has images of both classes.
    """

    sensitivity: Estimate
    specificity: Estimate
    correlation: float


def estimate_share(
    is_success: Annotated[Bools, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return the share of images that succeed, with an interval for subjects drawn anew.

    Wilson's interval with the effective number of images: their number over the design effect, that
    is the ratio of the share's variance by subject to that of independent images. It is defined for
    a single subject, and where all or no images succeed: there each subject counts as one image.

    Parameters
    ----------
    is_success, group
        Outcome and subject of each image, shape (n,); n may be 0.

    References
    ----------
    Franco, Little, Louis and Slud, J. Surv. Stat. Methodol. 7 (2019) 334
    """
    groups = number_groups(group, is_success.size)
    n, n_subjects = is_success.size, int(groups.max(initial=-1)) + 1
    if n == 0:
        return Estimate(value=None, lower=None, upper=None, n=0, n_subjects=0, method=WILSON_BY_SUBJECT)
    share = float(is_success.mean())
    interval = wilson_of_share(share, effective_images(is_success, groups), two_sided_z(confidence))
    return Estimate(
        value=share,
        lower=interval.lower,
        upper=interval.upper,
        n=n,
        n_subjects=n_subjects,
        method=WILSON_BY_SUBJECT,
    )


def effective_images(is_success: Bools, group: Integers) -> float:
    """Return how many independent images say as much about the share as these, at least 1."""
    n = is_success.size
    mean_size = n / effective_number(group)  # seen from an image: images of its subject
    if mean_size <= 1:
        return float(n)
    size = np.bincount(group).astype(np.float64)
    successes = sum_by_group(is_success, group)
    share = successes.sum() / n
    n_informative = min(int((successes < size).sum()), int((successes > 0).sum()))
    correlation = 0.0
    if n_informative and size.size > 1:
        design_effect = _variance(successes, size) / (share * (1 - share) / n)
        correlation = float(np.clip((design_effect - 1) / (mean_size - 1), 0, 1))
    correlation = (correlation * n_informative + PRIOR_SUBJECTS) / (n_informative + PRIOR_SUBJECTS)
    return max(1.0, n / (1 + (mean_size - 1) * correlation))


def _variance(successes: Floats, size: Floats) -> float:
    """Return the variance of a share of images by subject, linearised (Cochran 1977)."""
    residual = successes - successes.sum() / size.sum() * size
    return float(size.size / (size.size - 1) * (residual @ residual) / size.sum() ** 2)


def estimate_rates(is_post: Bools, called_post: Bools, group: NDArray[np.generic]) -> Rates:
    """Return sensitivity and specificity; a rate whose class is missing has the value None."""
    groups = number_groups(group, is_post.size)
    right = called_post == is_post
    return Rates(
        sensitivity=estimate_share(right[is_post], groups[is_post]),
        specificity=estimate_share(right[~is_post], groups[~is_post]),
        correlation=_correlation(is_post, right, groups),
    )


def _correlation(is_post: Bools, right: Bools, group: Integers) -> float:
    """Return the correlation of the two rates over subjects, 0 where it is not defined."""
    if is_post.all() or not is_post.any():
        return 0.0
    n_subjects = int(group.max()) + 1
    parts = []
    for rows in (is_post, ~is_post):
        excess = right[rows] - right[rows].mean()
        parts.append(sum_by_group(excess, group[rows], n_subjects))
    scale = float(np.sqrt((parts[0] @ parts[0]) * (parts[1] @ parts[1])))
    return float(np.clip(parts[0] @ parts[1] / scale, -1, 1)) if scale > 0 else 0.0


def estimate_balanced_accuracy(rates: Rates) -> Estimate:
    """Return the mean of sensitivity and specificity, its interval from theirs.

    References
    ----------
    Zou and Donner, Stat. Med. 27 (2008) 1693; with correlation: Zou, Psychol. Methods 12 (2007) 399
    """
    first, second = rates.sensitivity, rates.specificity
    n, n_subjects = first.n + second.n, max(first.n_subjects, second.n_subjects)
    limits = (first.value, first.lower, first.upper, second.value, second.lower, second.upper)
    if None in limits:
        return Estimate(value=None, lower=None, upper=None, n=n, n_subjects=n_subjects, method=MOVER)
    value_1, lower_1, upper_1, value_2, lower_2, upper_2 = (float(limit or 0.0) for limit in limits)
    total = value_1 + value_2
    below = join_errors(value_1 - lower_1, value_2 - lower_2, rates.correlation)
    above = join_errors(upper_1 - value_1, upper_2 - value_2, rates.correlation)
    return Estimate(
        value=total / 2,
        lower=max(0.0, (total - below) / 2),
        upper=min(1.0, (total + above) / 2),
        n=n,
        n_subjects=n_subjects,
        method=MOVER,
    )


def join_errors(first: float, second: float, correlation: float) -> float:
    """Return the error of a sum of two estimates from the errors of both."""
    return float(np.sqrt(max(0.0, first**2 + second**2 + 2 * correlation * first * second)))

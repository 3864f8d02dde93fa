"""Predictive values where contrast is as common as stated, not as in the test data."""

import math

import numpy as np

from gadoscope.decision.calibration import sigmoid
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.shares import MOVER, Rates, join_errors

PREVALENCES = (0.10, 0.30, 0.50)
"""Shares of post-contrast series: an archive of screening, of mixed, of tumour examinations."""


def estimate_predictive_values(rates: Rates, prevalence: float) -> tuple[Estimate, Estimate]:
    """Return the positive and the negative predictive value, with intervals.

    The positive predictive value is the chance that a series called post-contrast is one, if
    ``prevalence`` of all series are; the negative one that a series called pre-contrast is one. Both
    rest on sensitivity and specificity alone and suppose that these stay as they are.

    Returns
    -------
    tuple
        A value is None where a class is missing, or where no image gets that answer.

    Raises
    ------
    ValueError
        If ``prevalence`` does not lie strictly between 0 and 1.

    References
    ----------
    Mercaldo, Lau and Zhou, Stat. Med. 26 (2007) 2170 (the logit scale); Zou and Donner, Stat. Med. 27
    (2008) 1693 (an interval of a ratio from those of its parts)
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"a prevalence lies between 0 and 1, but this one is {prevalence}.")
    odds = math.log(prevalence / (1 - prevalence))
    # log sensitivity and log (1 - specificity) err together as sensitivity and -specificity do.
    positive = _odds_of_answer(rates.sensitivity, _complement(rates.specificity), odds, -rates.correlation)
    negative = _odds_of_answer(rates.specificity, _complement(rates.sensitivity), -odds, -rates.correlation)
    return positive, negative


def _complement(rate: Estimate) -> Estimate:
    if rate.value is None or rate.lower is None or rate.upper is None:
        return rate
    return Estimate(
        value=1 - rate.value,
        lower=1 - rate.upper,
        upper=1 - rate.lower,
        n=rate.n,
        n_subjects=rate.n_subjects,
        method=rate.method,
    )


def _odds_of_answer(right: Estimate, wrong: Estimate, prior: float, correlation: float) -> Estimate:
    """Return sigmoid(prior + ln(right / wrong)): how likely an answer is right.

    ``right`` is the rate at which it is given where it holds, ``wrong`` where it does not.
    """
    n, n_subjects = right.n + wrong.n, max(right.n_subjects, wrong.n_subjects)
    limits = [right.value, right.lower, right.upper, wrong.value, wrong.lower, wrong.upper]
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits) or (known[0] == 0 and known[3] == 0):
        return Estimate(value=None, lower=None, upper=None, n=n, n_subjects=n_subjects, method=MOVER)
    a, a_low, a_high, b, b_low, b_high = (_log(limit) for limit in known)
    if math.isinf(a) or math.isinf(b):  # never, or always right: the worst of both limits
        lower, upper = a_low - b_high, a_high - b_low
    else:
        lower = a - b - join_errors(a - a_low, b_high - b, -correlation)
        upper = a - b + join_errors(a_high - a, b - b_low, -correlation)
    return Estimate(
        value=_share(prior + a - b),
        lower=_share(prior + lower),
        upper=_share(prior + upper),
        n=n,
        n_subjects=n_subjects,
        method=MOVER,
    )


def _log(rate: float) -> float:
    return math.log(rate) if rate > 0 else -math.inf


def _share(odds: float) -> float:
    return float(sigmoid(np.array(odds)))

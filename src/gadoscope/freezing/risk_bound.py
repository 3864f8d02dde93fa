"""How high the mean of losses in [0, 1] may be at most, valid for any number of subjects."""

import math
from typing import Annotated

from scipy.optimize import brentq
from scipy.stats import binom

from gadoscope.arrays import Floats


def risk_p_value(losses: Annotated[Floats, "subjects"], risk: float, *, is_binary: bool) -> float:
    """Return a valid p-value of "the mean loss is at least ``risk``" for losses in [0, 1].

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
        return float(binom.cdf(round(total), n, risk))
    mean = min(total / n, risk)
    divergence = (1 - mean) * math.log((1 - mean) / (1 - risk))
    if mean > 0:
        divergence += mean * math.log(mean / risk)
    # The sum of shares such as 1/3 must not be rounded up over a whole number.
    bentkus = math.e * float(binom.cdf(math.ceil(total - 1e-9), n, risk))
    return min(1.0, math.exp(-n * divergence), bentkus)


def bound_risk(losses: Floats, confidence: float, *, is_binary: bool) -> float:
    """Return the one-sided upper bound of the mean loss: the least risk that passes the test."""
    alpha = 1 - confidence

    def excess(risk: float) -> float:
        return risk_p_value(losses, risk, is_binary=is_binary) - alpha

    low, high = max(float(losses.mean()), 1e-12), 1 - 1e-12
    if excess(high) > 0:
        return 1.0
    return float(brentq(excess, low, high)) if excess(low) > 0 else low

"""Cohen's kappa: how far two readers agree beyond what chance would have them, with its interval."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.statistics.intervals import Measured, two_sided_z

# The large-sample formula knows no doubt where two readers never disagree: of 100 cases with a true kappa of
# 0.97 its intervals hold that in 79 %. So many cases in which both answered by chance are added to those
# there are. Chosen by simulation, as in tests/statistics/test_kappa.py: of 0, 1, 2 and 4 the intervals of two
# come nearest to 95 % from 50 cases on.
PRIOR_CASES = 2.0


@dataclass(frozen=True, kw_only=True)
class Kappa(Measured):
    """Cohen's kappa with its 95 % interval; None where both gave one and the same answer to all.

    ``agreement`` is the share of the ``n`` cases to which both gave the same answer; None without a case.
    """

    agreement: float | None
    n: int


def estimate_kappa(table: Annotated[NDArray[np.integer], "k k"]) -> Kappa:
    """Return how far two readers agree.

    Cases count as independent of each other; where several are of one subject, the truth may lie further off.

    Parameters
    ----------
    table
        Counts of cases, shape (k, k): those that the first reader called i and the second j.

    References
    ----------
    Cohen, Educ. Psychol. Meas. 20 (1960) 37; Fleiss, Cohen and Everitt, Psychol. Bull. 72 (1969) 323 (the
    standard error); Agresti and Coull, Am. Stat. 52 (1998) 119 (cases added, there for a share)
    """
    n = int(table.sum())
    if n == 0:
        return Kappa(value=None, lower=None, upper=None, agreement=None, n=0)
    share = table / n
    agreement = float(np.trace(share))
    chance = np.outer(share.sum(axis=1), share.sum(axis=0))
    if np.trace(chance) == 1:
        return Kappa(value=None, lower=None, upper=None, agreement=agreement, n=n)
    value = min(_kappa(share), 1.0)  # of shares that sum to a little more
    added = (table + PRIOR_CASES * chance) / (n + PRIOR_CASES)
    centre, half = _kappa(added), two_sided_z() * _standard_error(added, n + PRIOR_CASES)
    return Kappa(
        value=value,
        lower=max(min(centre - half, value), -1.0),
        upper=min(max(centre + half, value), 1.0),
        agreement=agreement,
        n=n,
    )


def _kappa(share: Floats) -> float:
    by_chance = float(share.sum(axis=1) @ share.sum(axis=0))
    return float((np.trace(share) - by_chance) / (1 - by_chance))


def _standard_error(share: Floats, n: float) -> float:
    """Return the large-sample standard error of kappa for shares of the cases, shape (k, k)."""
    kappa, first, second = _kappa(share), share.sum(axis=1), share.sum(axis=0)
    by_chance = float(first @ second)
    same = np.diagonal(share)
    on = float((same * (1 - (first + second) * (1 - kappa)) ** 2).sum())
    # Of what the first called i and the second j: how often the second says i, and the first j.
    weights = share * (second[:, None] + first[None, :]) ** 2
    off = (1 - kappa) ** 2 * float(weights.sum() - np.trace(weights))
    variance = max(on + off - (kappa - by_chance * (1 - kappa)) ** 2, 0.0)
    return float(np.sqrt(variance / n)) / (1 - by_chance)

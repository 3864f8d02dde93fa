"""When was the agent given? The series of one study, in the order of acquisition, answered together.

An agent stays given, so the phases of a study turn once at most: a row of n series has n + 1 places where
the injection may have been, before the first, between two, or after the last. Each place is as likely as
the series make it; none is preferred beforehand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from gadoscope.arrays import Floats

MAX_PROBABILITY = 0.995
"""However sure a network is of one series, it is believed no further: one in two hundred of its surest
answers on scans of another hospital is wrong. A guess on the safe side of the lesson's test, one in ninety
of all its answers."""


@dataclass(frozen=True)
class Witness:
    """What the pixels of one acquisition say of its phase.

    Parameters
    ----------
    pre, post, turning
        Logarithms of the likelihood that it lies before the injection, after it, or around it (a dynamic
        series); only their differences matter.
    """

    pre: float
    post: float
    turning: float = -math.inf

    @classmethod
    def of_probability(cls, probability: float) -> Self:
        """Return what P(post-contrast) says, no further than `MAX_PROBABILITY`."""
        bounded = min(max(probability, 1 - MAX_PROBABILITY), MAX_PROBABILITY)
        return cls(pre=math.log1p(-bounded), post=math.log(bounded))

    @classmethod
    def of_mixed(cls) -> Self:
        """Return what a series says whose volumes lie on both sides of the injection."""
        other = math.log((1 - MAX_PROBABILITY) / 2)
        return cls(pre=other, post=other, turning=math.log(MAX_PROBABILITY))


@dataclass(frozen=True)
class Enhancement:
    """Two acquisitions, compared voxel by voxel, between which the head enhanced.

    Parameters
    ----------
    earlier, later
        Their places in the order, from 0.
    """

    earlier: int
    later: int


def locate_injection(
    witnesses: Sequence[Witness], enhancements: Sequence[Enhancement] = ()
) -> tuple[Annotated[Floats, "n"], Annotated[Floats, "n"]]:
    """Return P(pre-contrast) and P(post-contrast) of each acquisition, given all of them.

    Parameters
    ----------
    witnesses
        In the order of acquisition.
    enhancements
        Pairs of them that were compared and differ by enhancement; each is believed as far as the surest
        witness, `MAX_PROBABILITY`.

    Returns
    -------
    tuple of two arrays
        Shape (n,) each; they add up to 1 but for an acquisition that may lie around the injection.
    """
    n = len(witnesses)
    # A row for each hypothesis, a column for each acquisition: -1 before, 0 around, 1 after the injection.
    between = np.where(np.arange(n) >= np.arange(n + 1)[:, None], 1, -1)
    around = np.sign(np.arange(n) - np.arange(n)[:, None])
    states = np.concatenate([between, around])
    likelihood = np.array([[one.pre, one.turning, one.post] for one in witnesses]).reshape(n, 3)
    log_posterior = likelihood[np.arange(n), states + 1].sum(axis=1)
    for pair in enhancements:
        is_between = (states[:, pair.earlier] < 0) & (states[:, pair.later] > 0)
        log_posterior += np.where(is_between, math.log(MAX_PROBABILITY), math.log(1 - MAX_PROBABILITY))
    posterior = np.exp(log_posterior - log_posterior.max())
    posterior /= posterior.sum()
    return posterior @ (states < 0), posterior @ (states > 0)

"""How far a figure may be off by chance: Wilson's interval, and resampling by subject."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
DRAWS = 2000
SEED = 1020  # the lesson's
# Percentiles of resamples mean little when a class rests on fewer subjects than this. A guess on the
# careful side: of 5 subjects, a third of the draws leave a given one out, (4/5)^5.
MIN_SUBJECTS = 5
# Weights of one block of draws, in elements (8 bytes each): 64 MB at most.
BLOCK_ELEMENTS = 8_000_000


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    lower: float
    upper: float


def wilson(successes: int, n: int) -> Interval | None:
    """Return Wilson's score interval of a share; None when n is 0.

    It supposes that the n images are independent; several images of one subject are not, and the
    true interval is then wider: see `bootstrap_share`.

    References
    ----------
    Wilson, J. Am. Stat. Assoc. 22 (1927) 209; Brown, Cai and DasGupta, Stat. Sci. 16 (2001) 101
    """
    if n == 0:
        return None
    interval = binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def bootstrap_auc(
    is_post: NDArray[np.bool_],
    score: Floats,
    group: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval | None:
    """Return the percentile interval of the ROC area when whole subjects are drawn anew.

    Parameters
    ----------
    is_post, score
        Labels and scores, shape (n,); only the order of the scores counts.
    group
        Subject of each image, whole numbers from 0, shape (n,).

    Returns
    -------
    Interval or None
        None with fewer than ``MIN_SUBJECTS`` subjects in a class, and where every image is ranked
        right: resampling cannot tell then how far below 1 the true value may lie.
    """
    if min(np.unique(group[is_post]).size, np.unique(group[~is_post]).size) < MIN_SUBJECTS:
        return None
    group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    ranks = np.unique(score, return_inverse=True)[1]
    order = np.argsort(ranks, kind="stable")
    start = np.flatnonzero(np.diff(ranks[order], prepend=-1))  # where a new score begins
    post, groups = is_post[order], group[order]

    def area(weights: Floats) -> Floats:
        rows = weights[:, groups]
        n_post = np.add.reduceat(rows * post, start, axis=1)
        n_pre = np.add.reduceat(rows * ~post, start, axis=1)
        below = np.cumsum(n_pre, axis=1) - n_pre / 2  # pre-contrast images below, ties by half
        with np.errstate(invalid="ignore"):  # 0 / 0: a draw without one of the classes
            areas: Floats = (n_post * below).sum(axis=1) / (n_post.sum(axis=1) * n_pre.sum(axis=1))
        return areas

    return _percentiles(area, groups, draws, seed)


def bootstrap_share(
    is_success: NDArray[np.bool_], group: NDArray[np.int64], *, draws: int = DRAWS, seed: int = SEED
) -> Interval | None:
    """Return the percentile interval of a share of images when whole subjects are drawn anew.

    None with fewer than ``MIN_SUBJECTS`` subjects, and where all or no images succeed.
    """
    if np.unique(group).size < MIN_SUBJECTS:
        return None
    compact = np.unique(group, return_inverse=True)[1].astype(np.int64)
    size = np.bincount(compact).astype(np.float64)
    successes = np.bincount(compact, weights=is_success)
    return _percentiles(lambda weights: (weights @ successes) / (weights @ size), compact, draws, seed)


def _percentiles(
    statistic: Callable[[Floats], Floats], group: NDArray[np.int64], draws: int, seed: int
) -> Interval | None:
    values = np.concatenate([statistic(weights) for weights in _draw(group, draws, seed)])
    values = values[np.isfinite(values)]
    if values.size == 0 or values.min() == values.max():
        return None
    tail = (1 - CONFIDENCE) / 2 * 100
    lower, upper = np.percentile(values, [tail, 100 - tail])
    return Interval(float(lower), float(upper))


def _draw(group: NDArray[np.int64], draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each subject is drawn, blocks of shape (draws in the block, subjects)."""
    generator = np.random.default_rng(seed)
    n_subjects = int(group.max()) + 1
    block = max(1, BLOCK_ELEMENTS // max(n_subjects, group.size))
    chances = np.full(n_subjects, 1 / n_subjects)
    for first in range(0, draws, block):
        size = min(block, draws - first)
        yield generator.multinomial(n_subjects, chances, size=size).astype(np.float64)

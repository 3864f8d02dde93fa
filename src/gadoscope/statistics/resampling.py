"""Intervals by drawing whole subjects anew: for any figure, as many at once as one pass gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student_t

from gadoscope.arrays import Floats
from gadoscope.statistics.columns import number_groups
from gadoscope.statistics.intervals import CONFIDENCE, Interval

Statistic = Callable[[Floats], Floats]
"""Weights of the subjects, shape (draws, subjects), to k figures of each draw, shape (draws, k)."""

DRAWS = 2000
SEED = 1020  # the lesson's
# Percentiles of resamples mean little when a class rests on fewer subjects than this. A guess on the
# careful side: of 5 subjects, a third of the draws leave a given one out, (4/5)^5.
MIN_SUBJECTS = 5
# Weights of one block of draws, in elements (8 bytes each): 16 MB, and a statistic holds a dozen such.
BLOCK_ELEMENTS = 2_000_000
# Leaving out each of more subjects than this one by one says no more of the skewness than blocks do.
MAX_LEFT_OUT = 400
# A draw that lacks one class has no figure; where fewer than this share have one, neither has the whole.
MIN_DEFINED = 0.9
# Student's t with fewer degrees of freedom leaves the range of 2,000 draws.
MIN_DEGREES_OF_FREEDOM = 2.0


@dataclass(frozen=True)
class Resamples:
    """k figures: of the data, shape (k,), of each draw (draws, k), of each left-out part (parts, k)."""

    value: Floats
    drawn: Floats
    left_out: Floats

    def find_interval(
        self, figure: int, *, confidence: float = CONFIDENCE, corrected: bool = True
    ) -> Interval | None:
        """Return the interval of one figure: percentiles of the draws, corrected (BCa, widened).

        The bare percentiles are too narrow with few subjects and miss on one side near 0 and 1. The
        correction for bias and skewness is Efron's; the normal quantile in it is Student's, with
        degrees of freedom from how unequally the subjects carry the figure.

        Parameters
        ----------
        figure
            Its column.
        corrected
            Whether to correct for bias and skewness; the widening stays.

        Returns
        -------
        Interval or None
            None where the figure is not defined, or does not vary: resampling cannot tell then how
            far off it may be.

        References
        ----------
        Efron, J. Am. Stat. Assoc. 82 (1987) 171; Hesterberg, Am. Stat. 69 (2015) 371 (widening)
        """
        value, drawn, left_out = self.value[figure], self.drawn[:, figure], self.left_out[:, figure]
        drawn, left_out = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
        if drawn.size < MIN_DEFINED * len(self.drawn) or not np.isfinite(value):
            return None
        # Weights in another order round otherwise: a spread of rounding errors is none.
        if np.ptp(drawn) <= 1e-12 * max(1.0, abs(value)) or left_out.size < MIN_SUBJECTS:
            return None
        pull = left_out.mean() - left_out
        squares = float(pull @ pull)
        if squares == 0:
            return None
        quantile = _widened_quantile(pull, confidence)
        bias, acceleration = 0.0, 0.0
        if corrected:
            below = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
            bias = float(norm.ppf(np.clip(below, 1 / drawn.size, 1 - 1 / drawn.size)))
            acceleration = float((pull**3).sum()) / (6 * squares**1.5)
        tails = [_corrected_tail(bias, acceleration, sign * quantile) for sign in (-1, 1)]
        lower, upper = np.quantile(drawn, tails)
        return Interval(min(float(lower), float(value)), max(float(upper), float(value)))


def resample(
    statistic: Statistic, group: Annotated[NDArray[np.generic], "n"], *, draws: int = DRAWS, seed: int = SEED
) -> Resamples:
    """Draw whole subjects with replacement ``draws`` times and take the figures of each draw.

    The same seed and subjects give the same draws, whatever the statistic: figures of two models
    from one call, or from two, are paired.

    Parameters
    ----------
    statistic
        See `Statistic`; column i of the weights belongs to subject i of ``number_groups(group)``.
    group
        Subject of each image, shape (n,).
    """
    compact = number_groups(group, group.size)
    n_subjects = int(compact.max()) + 1
    blocks = _draw(n_subjects, max(n_subjects, compact.size), draws, seed)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0: a draw without one of the classes
        return Resamples(
            value=statistic(np.ones((1, n_subjects)))[0],
            drawn=np.concatenate([statistic(weights) for weights in blocks]),
            left_out=np.concatenate(
                [statistic(weights) for weights in _leave_out(n_subjects, compact.size, seed)]
            ),
        )


def _widened_quantile(pull: Floats, confidence: float) -> float:
    """Return Student's quantile for the subjects that carry the figure.

    Degrees of freedom 2 (sum of squares)^2 / sum of fourth powers, as for a sum of unequal variances
    (Satterthwaite), at most one less than the subjects.
    """
    n = pull.size
    freedom = 2 * float(pull @ pull) ** 2 / float((pull**4).sum())
    freedom = min(max(freedom, MIN_DEGREES_OF_FREEDOM), n - 1)
    return float(np.sqrt(n / (n - 1)) * student_t.isf((1 - confidence) / 2, freedom))


def _corrected_tail(bias: float, acceleration: float, quantile: float) -> float:
    """Return the share of draws below one end of the interval (Efron 1987)."""
    shifted = bias + quantile
    scale = 1 - acceleration * shifted
    if scale <= 0:  # so skewed that the end lies beyond all draws
        return float(quantile > 0)
    return float(norm.cdf(bias + shifted / scale))


def _draw(n_subjects: int, width: int, draws: int, seed: int) -> Iterator[Floats]:
    """Yield how often each subject is drawn, blocks of shape (draws in the block, subjects)."""
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_ELEMENTS // width)
    chances = np.full(n_subjects, 1 / n_subjects)
    for first in range(0, draws, block):
        size = min(block, draws - first)
        yield generator.multinomial(n_subjects, chances, size=size).astype(np.float64)


def _leave_out(n_subjects: int, n_images: int, seed: int) -> Iterator[Floats]:
    """Yield weights that leave out each subject, or each of `MAX_LEFT_OUT` random parts, in turn."""
    parts = min(n_subjects, MAX_LEFT_OUT)
    part = np.random.default_rng(seed).permutation(n_subjects) % parts
    block = max(1, BLOCK_ELEMENTS // max(n_subjects, n_images))
    for first in range(0, parts, block):
        left_out = np.arange(first, min(first + block, parts))
        yield (part[None, :] != left_out[:, None]).astype(np.float64)


def bootstrap_average_precision(
    is_post: NDArray[np.bool_],
    score: Floats,
    group: NDArray[np.int64],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval | None:
    """Return the interval of the average precision when whole subjects are drawn anew.

    None with fewer than ``MIN_SUBJECTS`` subjects in a class, and where every image is ranked right.
    """
    if not has_enough_subjects(is_post, group):
        return None
    return resample(ranking_statistic(is_post, score, group), group, draws=draws, seed=seed).find_interval(1)


def has_enough_subjects(is_post: NDArray[np.bool_], group: NDArray[np.generic]) -> bool:
    """Return whether each class comes from at least ``MIN_SUBJECTS`` subjects."""
    return min(np.unique(group[is_post]).size, np.unique(group[~is_post]).size) >= MIN_SUBJECTS


def ranking_statistic(is_post: NDArray[np.bool_], score: Floats, group: NDArray[np.generic]) -> Statistic:
    """Return the statistic (ROC area, average precision); both classes present."""
    ranks = np.unique(score, return_inverse=True)[1]
    order = np.argsort(ranks, kind="stable")
    start = np.flatnonzero(np.diff(ranks[order], prepend=-1))  # where a new score begins
    post, subjects = is_post[order], number_groups(group, is_post.size)[order]

    def figures(weights: Floats) -> Floats:
        rows = weights[:, subjects]
        n_all = np.add.reduceat(rows, start, axis=1)
        rows *= post
        n_post = np.add.reduceat(rows, start, axis=1)
        del rows
        n_pre = n_all - n_post
        pre_up_to = np.cumsum(n_pre, axis=1)
        total_post, total_pre = n_post.sum(axis=1), pre_up_to[:, -1]
        # Pre-contrast images below, ties by half.
        area = np.einsum("ij,ij->i", n_post, pre_up_to - n_pre / 2) / (total_post * total_pre)
        post_from = total_post[:, None] - np.cumsum(n_post, axis=1) + n_post
        pre_from = total_pre[:, None] - pre_up_to + n_pre
        precision = post_from / np.maximum(post_from + pre_from, 1)  # no image so high: 0 / 1
        average = np.einsum("ij,ij->i", n_post, precision) / total_post
        defined = (total_post > 0) & (total_pre > 0)
        return np.where(defined[:, None], np.column_stack([area, average]), np.nan)

    return figures

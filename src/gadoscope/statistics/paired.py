"""Two models on the same images: how much better is one, and could it be chance.

Both are judged on the same draws of subjects, so what makes a subject easy or hard for both cancels.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.statistics.columns import number_groups, sum_by_group
from gadoscope.statistics.delong import compare_auc
from gadoscope.statistics.intervals import Difference
from gadoscope.statistics.metrics import has_both_classes
from gadoscope.statistics.resampling import DRAWS, has_enough_subjects, ranking_statistic, resample
from gadoscope.statistics.shares import estimate_share, join_errors

SHARES = "Wilson by subject, combined (MOVER); McNemar by subject"
PAIRED_BOOTSTRAP = "paired bootstrap by subject"


def compare_models(
    is_post: Annotated[Bools, "n"],
    score: tuple[Annotated[Floats, "n"], Annotated[Floats, "n"]],
    called_post: tuple[Annotated[Bools, "n"], Annotated[Bools, "n"]],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    draws: int = DRAWS,
) -> dict[str, Difference]:
    """Return the figures of the first model less those of the second, by name.

    ``auc`` by DeLong's method by subject; ``accuracy``, ``sensitivity``, ``specificity`` and
    ``balanced_accuracy`` from the single intervals and their correlation; ``average_precision`` by
    drawing subjects anew. What a missing class leaves undefined has the value None; limits are None
    where resampling cannot give them.

    Parameters
    ----------
    is_post, group
        Label and subject of each image, shape (n,).
    score
        What each of the two ranks the images by, shape (n,): only the order counts.
    called_post
        The answers of each.

    Raises
    ------
    ManifestError
        If there is no image, the lengths differ, or a score is not a number.
    """
    subject = number_groups(group, is_post.size)
    differences = {"auc": compare_auc(is_post, *score, subject)}  # first: it checks the scores
    right = called_post[0] == is_post, called_post[1] == is_post
    everything = np.ones(is_post.size, dtype=np.bool_)
    for name, rows in (("accuracy", everything), ("sensitivity", is_post), ("specificity", ~is_post)):
        differences[name] = compare_shares(right[0][rows], right[1][rows], subject[rows])
    differences["balanced_accuracy"] = _compare_balanced(differences, is_post, right, subject)
    differences["average_precision"] = _compare_average_precision(is_post, score, subject, draws)
    return differences


def compare_shares(first: Bools, second: Bools, group: NDArray[np.generic]) -> Difference:
    """Return the share of successes of the first less that of the second on the same images.

    The interval is Newcombe's of two paired shares, with Wilson's intervals and the correlation taken by
    subject. The p-value is McNemar's with the sums by subject; it is 1 where no image tells the two apart.

    References
    ----------
    Newcombe, Stat. Med. 17 (1998) 2635, method 10; Durkalski et al., Stat. Med. 22 (2003) 2417
    """
    subject = number_groups(group, first.size)
    a, b = estimate_share(first, subject), estimate_share(second, subject)
    if a.value is None or b.value is None:
        return Difference(value=None, lower=None, upper=None, p_value=None, method=SHARES)
    correlation = _correlation(first - a.value, second - b.value, subject)
    value = a.value - b.value
    below = join_errors(a.value - _limit(a.lower), _limit(b.upper) - b.value, -correlation)
    above = join_errors(_limit(a.upper) - a.value, b.value - _limit(b.lower), -correlation)
    return Difference(
        value=value,
        lower=max(-1.0, value - below),
        upper=min(1.0, value + above),
        p_value=_mcnemar(sum_by_group(first.astype(np.int64) - second.astype(np.int64), subject)),
        method=SHARES,
    )


def _limit(limit: float | None) -> float:
    return limit if limit is not None else 0.0


def _mcnemar(excess: Floats) -> float:
    """Return the two-sided p-value from each subject's successes of one less those of the other."""
    squares = float(excess @ excess)
    return float(2 * norm.sf(abs(excess.sum()) / np.sqrt(squares))) if squares else 1.0


def _correlation(first: NDArray[np.floating], second: NDArray[np.floating], subject: Integers) -> float:
    a, b = sum_by_group(first, subject), sum_by_group(second, subject)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(a @ b / scale, -1, 1)) if scale > 0 else 0.0


def _compare_balanced(
    rates: dict[str, Difference], is_post: Bools, right: tuple[Bools, Bools], subject: Integers
) -> Difference:
    """Return the difference of balanced accuracies from those of sensitivity and specificity."""
    post, pre = rates["sensitivity"], rates["specificity"]
    if post.value is None or pre.value is None:
        return Difference(value=None, lower=None, upper=None, p_value=None, method=SHARES)
    gain = (right[0].astype(np.float64) - right[1]) / np.where(is_post, is_post.sum(), (~is_post).sum())
    excess = gain - np.where(is_post, gain[is_post].mean(), gain[~is_post].mean())
    n_subjects = int(subject.max()) + 1
    parts = [sum_by_group(excess[rows], subject[rows], n_subjects) for rows in (is_post, ~is_post)]
    together = _correlation(parts[0], parts[1], np.arange(n_subjects))
    total = post.value + pre.value
    below = join_errors(post.value - _limit(post.lower), pre.value - _limit(pre.lower), together)
    above = join_errors(_limit(post.upper) - post.value, _limit(pre.upper) - pre.value, together)
    return Difference(
        value=total / 2,
        lower=max(-1.0, (total - below) / 2),
        upper=min(1.0, (total + above) / 2),
        p_value=_mcnemar(sum_by_group(gain, subject)),
        method=SHARES,
    )


def _compare_average_precision(
    is_post: Bools, score: tuple[Floats, Floats], subject: Integers, draws: int
) -> Difference:
    """Return the difference of average precisions by drawing subjects anew."""
    if not has_both_classes(is_post):
        return Difference(value=None, lower=None, upper=None, p_value=None, method=PAIRED_BOOTSTRAP)
    one, other = (ranking_statistic(is_post, of_model, subject) for of_model in score)
    resamples = resample(lambda weights: one(weights) - other(weights), subject, draws=draws)
    interval = resamples.find_interval(1) if has_enough_subjects(is_post, subject) else None
    return Difference(
        value=float(resamples.value[1]),
        lower=interval.lower if interval else None,
        upper=interval.upper if interval else None,
        p_value=None,
        method=PAIRED_BOOTSTRAP,
    )

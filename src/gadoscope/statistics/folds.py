"""Subjects dealt into folds, so that nothing is judged on a subject it was fitted to."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.statistics.columns import number_groups, sum_by_group

SEED = 1020  # the lesson's
N_FOLDS = 5


def deal_folds(
    is_post: Annotated[NDArray[np.bool_], "n"],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    n_folds: int = N_FOLDS,
    seed: int = SEED,
) -> Annotated[NDArray[np.int64], "n"] | None:
    """Return the fold of each image, shape (n,); all images of a subject share one.

    Subjects are shuffled, sorted by their share of post-contrast images, and dealt out like cards: each
    fold gets its part of both classes. There are fewer folds where a class has fewer subjects.

    Returns
    -------
    array or None
        None where a class comes from fewer than two subjects: leaving one out would leave none.
    """
    subject = number_groups(group, is_post.size)
    rarest = min(np.unique(subject[is_post]).size, np.unique(subject[~is_post]).size)
    n_folds = min(n_folds, rarest)
    if n_folds < 2:  # noqa: PLR2004  # one fold to fit, one to judge
        return None
    share = sum_by_group(is_post, subject) / np.bincount(subject)
    shuffled = np.random.default_rng(seed).permutation(share.size)
    fold = np.empty(share.size, dtype=np.int64)
    fold[shuffled[np.argsort(share[shuffled], kind="stable")]] = np.arange(share.size) % n_folds
    return fold[subject]


def weigh_by_subject(group: Annotated[NDArray[np.generic], "n"]) -> Annotated[NDArray[np.float64], "n"]:
    """Return weights with which each subject counts 1, however many images it has; shape (n,)."""
    subject = number_groups(group, group.size)
    weight: NDArray[np.float64] = 1 / np.bincount(subject)[subject]
    return weight

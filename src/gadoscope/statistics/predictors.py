"""How well a trivial predictor tells the label of subjects that it has not seen.

Each predictor is fitted on four fifths of the subjects and scores the rest, five times. Names (plane,
source, vendor) become the ratio of their frequencies in the two classes; numbers go through a small
boosted forest, which also finds a range in the middle ("512 x 512 is post"). Both classes weigh the
same, so that a score above 0 speaks for post-contrast whatever the mixture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import compute_sample_weight
from threadpoolctl import ThreadpoolController

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.bins import cut_into_bins
from gadoscope.statistics.folds import N_FOLDS, SEED

MIN_SUBJECTS = N_FOLDS
"""Subjects that each class needs for five folds; with fewer, a fold would lack a class."""
N_TREES, TREE_DEPTH, LEARNING_RATE = 40, 3, 0.15
"""Of the forest: three questions to an image, often enough to fit a curve in any predictor here."""
MIN_LEAF = 8
"""Images in a leaf of a tree: a rule that fewer images follow is not learned."""
N_BINS = 100
"""Into which a number's values are cut: as fine as `MIN_LEAF` can use of some hundred images."""
PSEUDO_COUNT = 0.5
"""Added to each name's count in each class: a name seen once proves nothing."""
DIGITS = 6
"""Of a score: what differs by rounding alone is a tie."""


class Nature(StrEnum):
    """Whether contrast itself could be what a predictor sees."""

    CIRCUMSTANCE = "circumstance"
    """It cannot: where it came from, how it was stored. What it predicts is a shortcut."""
    GREY = "grey values"
    """It can, for contrast brightens: what it predicts is the least that a network must surpass."""


@dataclass(frozen=True)
class Predictor:
    """A trivial predictor, and its value for each image.

    Attributes
    ----------
    meaning
        What it is, for a newcomer.
    values
        Numbers, shape (n, k), NaN where unknown; or names, shape (n,), of a string type.
    """

    name: str
    meaning: str
    nature: Nature
    values: Floats | NDArray[np.str_]

    @property
    def is_named(self) -> bool:
        """Whether the values are names, not numbers."""
        return self.values.dtype.kind == "U"

    @property
    def is_constant(self) -> bool:
        """Whether all images have the same value, so that nothing can be predicted."""
        if self.is_named:
            return np.unique(self.values).size < 2  # noqa: PLR2004 # one name
        numbers = np.nan_to_num(np.asarray(self.values, dtype=np.float64), nan=np.inf)
        return bool((numbers == numbers[:1]).all())


@dataclass(frozen=True)
class Scored:
    """A predictor's scores for images of subjects that it was not fitted on.

    Attributes
    ----------
    score
        Above 0 speaks for post-contrast, shape (n,); None if it could not be measured.
    reason
        Why not: ``constant`` or ``too few subjects``; else empty.
    """

    predictor: Predictor
    score: Floats | None
    reason: str = ""


def score_predictors(
    predictors: Sequence[Predictor], is_post: Annotated[Bools, "n"], group: Annotated[NDArray[np.int64], "n"]
) -> Iterator[Scored]:
    """Yield the scores of each predictor.

    Parameters
    ----------
    is_post
        Labels, shape (n,).
    group
        Subject of each image, shape (n,): the images of one are never on both sides of a fold.
    """
    folds = _deal_folds(is_post, group)
    threads = ThreadpoolController()  # it looks through all libraries of the process: once
    for predictor in predictors:
        if predictor.is_constant:
            yield Scored(predictor, None, "constant")
        elif not folds:
            yield Scored(predictor, None, "too few subjects")
        else:
            with threads.limit(limits=1):  # so small a forest is grown sooner than threads are woken for it
                score = _score(predictor, is_post, folds)
            yield Scored(predictor, score)


class _Fold(NamedTuple):
    """Images to fit on and to score, shapes (n,) and (m,), and the weight of each to fit on, shape (n,)."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    weight: Floats


def _deal_folds(is_post: Bools, group: NDArray[np.int64]) -> list[_Fold]:
    """Return the folds; none if a class has too few subjects."""
    fewest = min(np.unique(group[is_post]).size, np.unique(group[~is_post]).size)
    if fewest < MIN_SUBJECTS:
        return []
    dealer = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=SEED)
    folds = list(dealer.split(np.zeros((is_post.size, 1)), is_post, group))
    return [
        _Fold(train, test, compute_sample_weight("balanced", is_post[train]))
        for train, test in folds
        if is_post[train].any() and not is_post[train].all()
    ]


def _score(predictor: Predictor, is_post: Bools, folds: Sequence[_Fold]) -> Floats:
    score = np.zeros(is_post.size)
    for train, test, weight in folds:
        given, asked = predictor.values[train], predictor.values[test]
        if predictor.is_named:
            score[test] = _compare_frequencies(given, is_post[train], asked)
        elif train.size < 2 * MIN_LEAF:
            continue  # a tree could not divide so few: all scores stay what both classes have before any
        else:
            numbers = cut_into_bins(given.astype(np.float64), weight, asked.astype(np.float64), N_BINS)
            score[test] = _ask_forest(*numbers, is_post[train], weight)
    return np.round(score, DIGITS)


def _ask_forest(given: Floats, asked: Floats, is_post: Bools, weight: Floats) -> Floats:
    """Return the scores of ``asked``, shape (m, k), by a forest grown on ``given``, shape (n, k)."""
    forest = HistGradientBoostingClassifier(
        max_iter=N_TREES,
        max_depth=TREE_DEPTH,
        learning_rate=LEARNING_RATE,
        min_samples_leaf=MIN_LEAF,
        max_bins=N_BINS,
        early_stopping=False,
        random_state=SEED,
    )
    scores: Floats = forest.fit(given, is_post, weight).decision_function(asked)
    return scores


def _compare_frequencies(given: NDArray[np.generic], is_post: Bools, asked: NDArray[np.generic]) -> Floats:
    """Return the log ratio of each name's frequency in the two classes; 0 for a name never seen."""
    names, number = np.unique(given, return_inverse=True)
    n_post = np.bincount(number[is_post], minlength=names.size) + PSEUDO_COUNT
    n_pre = np.bincount(number[~is_post], minlength=names.size) + PSEUDO_COUNT
    ratio = np.log(n_post / n_post.sum()) - np.log(n_pre / n_pre.sum())
    place = np.minimum(np.searchsorted(names, asked), names.size - 1)
    return np.where(names[place] == asked, ratio[place], 0.0)

"""Figures of merit for two classes; what cannot be computed is None, never a made-up number."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from gadoscope.arrays import Bools, Floats


@dataclass(frozen=True)
class Confusion:
    """How often each reference label got each answer; post-contrast is the positive class."""

    true_pre: int
    false_post: int
    false_pre: int
    true_post: int

    @property
    def n_pre(self) -> int:
        """Images whose reference label is pre-contrast."""
        return self.true_pre + self.false_post

    @property
    def n_post(self) -> int:
        """Images whose reference label is post-contrast."""
        return self.false_pre + self.true_post

    @property
    def n(self) -> int:
        """All images."""
        return self.n_pre + self.n_post

    @property
    def matrix(self) -> list[list[int]]:
        """Rows: reference pre, post; columns: answered pre, post (as in scikit-learn)."""
        return [[self.true_pre, self.false_post], [self.false_pre, self.true_post]]

    @property
    def n_right(self) -> int:
        """Images whose answer is the reference label."""
        return self.true_pre + self.true_post

    @property
    def accuracy(self) -> float:
        """Share of right answers, of at least one image."""
        return self.n_right / self.n

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of sensitivity and specificity; None where a class is missing."""
        if not self.n_pre or not self.n_post:
            return None
        return (self.true_pre / self.n_pre + self.true_post / self.n_post) / 2


def confusion_at(is_post: NDArray[np.bool_], probability: Floats, threshold: float) -> Confusion:
    """Count the answers when ``probability >= threshold`` is called post-contrast."""
    called_post = probability >= threshold
    return Confusion(
        true_pre=int((~is_post & ~called_post).sum()),
        false_post=int((~is_post & called_post).sum()),
        false_pre=int((is_post & ~called_post).sum()),
        true_post=int((is_post & called_post).sum()),
    )


def has_both_classes(is_post: NDArray[np.bool_]) -> bool:
    """Return whether pre- and post-contrast images are both present."""
    return bool(is_post.any()) and not bool(is_post.all())


def roc_auc(is_post: NDArray[np.bool_], score: Floats) -> float | None:
    """Return P(a post-contrast image scores above a pre-contrast one); None with one class."""
    return float(roc_auc_score(is_post, score)) if has_both_classes(is_post) else None


def average_precision(is_post: NDArray[np.bool_], score: Floats) -> float | None:
    """Return the area under the precision-recall steps; None with one class."""
    return float(average_precision_score(is_post, score)) if has_both_classes(is_post) else None


def roc_points(is_post: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Return false-positive and true-positive rate along the ROC curve, both classes present."""
    false_rate, true_rate, _ = roc_curve(is_post, score)
    return false_rate, true_rate


def precision_recall_points(is_post: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Return recall (ascending) and precision along the curve, both classes present."""
    precision, recall, _ = precision_recall_curve(is_post, score, drop_intermediate=True)
    return recall[::-1], precision[::-1]


def accuracy_sweep(
    is_post: Annotated[NDArray[np.bool_], "n"], probability: Annotated[Floats, "n"]
) -> tuple[Annotated[Floats, "edges"], Annotated[Floats, "edges-1"]]:
    """Return accuracy as a step function of the threshold.

    Returns
    -------
    tuple of arrays
        Edges 0, distinct probabilities ascending, 1, shape (k + 2,), and the accuracy between each
        two neighbours, shape (k + 1,): a threshold in (edge[i], edge[i + 1]] gives accuracy[i].
    """
    scores, group = np.unique(probability, return_inverse=True)
    n_post = np.bincount(group, weights=is_post, minlength=scores.size)
    n_pre = np.bincount(group, weights=~is_post, minlength=scores.size)
    true_post = n_post.sum() - np.concatenate([[0.0], np.cumsum(n_post)])
    true_pre = np.concatenate([[0.0], np.cumsum(n_pre)])
    edges = np.concatenate([[0.0], scores, [1.0]])
    return edges, (true_post + true_pre) / max(is_post.size, 1)


def log_losses(is_post: Annotated[Bools, "n"], logit: Annotated[Floats, "n"]) -> Annotated[Floats, "n"]:
    """Return -ln of the probability given to each image's label, in nats, shape (n,)."""
    losses: Floats = np.logaddexp(0, np.where(is_post, -logit, logit))
    return losses

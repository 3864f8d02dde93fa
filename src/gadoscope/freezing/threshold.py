"""Where to cut: the threshold that is chosen on validation data and then frozen in the bundle."""

from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ManifestError, UsageError

Rule = Literal["balanced_accuracy", "accuracy"]
RULES: tuple[str, ...] = get_args(Rule)

# Thresholds stay inside [LIMIT, 1 - LIMIT]. Beyond it a float32 probability has too few digits left
# (spacing 6e-8 just below 1) and a printed threshold reads as 0 or 1.
LIMIT = 1e-6
# A cut outside all scores has no far end; it is put this far beyond the outermost score, in logits.
OUTER_MARGIN_LOGIT = 1.0


def choose_threshold(
    is_post: Annotated[NDArray[np.bool_], "n"],
    probability: Annotated[NDArray[np.float64], "n"],
    rule: str = "balanced_accuracy",
    *,
    weight: Annotated[NDArray[np.float64], "n"] | None = None,
) -> float:
    """Return the threshold at which ``probability >= threshold`` is most often right.

    All cuts between two neighbouring scores are tried. Of the equally good ones the cut in the
    widest gap wins, in the middle of the gap on the logit scale: with perfect separation that is
    half-way between the highest pre-contrast and the lowest post-contrast score.

    Parameters
    ----------
    is_post
        Reference labels, shape (n,).
    probability
        P(post-contrast), shape (n,), in [0, 1].
    rule
        ``balanced_accuracy`` (mean of sensitivity and specificity: blind to how common contrast is
        in these data) or ``accuracy`` (what the SIIM lesson maximises).
    weight
        How much each image counts, shape (n,), 0 or more; the largest weight of right answers is then what
        is looked for, and the rule has no say.

    Returns
    -------
    float
        In ``[LIMIT, 1 - LIMIT]``.

    Raises
    ------
    UsageError
        If the rule is unknown.
    ManifestError
        If a class is missing or a probability is not a number in [0, 1].
    """
    if rule not in RULES:
        raise UsageError(f"the threshold rule {rule!r} is unknown; choose one of {', '.join(RULES)}.")
    cuts = Cuts(is_post, probability)
    if weight is not None:
        return cuts.best(cuts.weigh(is_post, weight))
    if rule == "balanced_accuracy":
        return cuts.best(cuts.true_post * cuts.n_pre + cuts.true_pre * cuts.n_post)
    return cuts.best(cuts.true_post + cuts.true_pre)


class Cuts:
    """All ways to cut a table in two: cut k calls post what is in the k-th, k+1-th ... lowest score on.

    Cut 0 calls everything post-contrast, the last one nothing. Attributes of shape (cuts,) are whole
    numbers, so that equally good cuts are exactly equal.

    Raises
    ------
    ManifestError
        If a class is missing or a probability is not a number in [0, 1].
    """

    def __init__(self, is_post: NDArray[np.bool_], probability: NDArray[np.float64]) -> None:
        _check(is_post, probability)
        clipped = np.clip(probability.astype(np.float64), LIMIT, 1 - LIMIT)
        self.scores, group = np.unique(clipped, return_inverse=True)
        self._place = group
        n_post = np.bincount(group, weights=is_post, minlength=self.scores.size).astype(np.int64)
        n_pre = np.bincount(group, weights=~is_post, minlength=self.scores.size).astype(np.int64)
        self.n_post, self.n_pre = int(n_post.sum()), int(n_pre.sum())
        self.true_post = self.n_post - np.concatenate([[0], np.cumsum(n_post)])
        self.true_pre = np.concatenate([[0], np.cumsum(n_pre)])
        self._middle, self._width = _gaps(np.log(self.scores / (1 - self.scores)))

    def weigh(
        self, is_post: Annotated[NDArray[np.bool_], "n"], weight: Annotated[NDArray[np.float64], "n"]
    ) -> Annotated[NDArray[np.float64], "cuts"]:
        """Return the weight of the right answers of each cut, shape (cuts,), equal where it is equal."""
        of_post, of_pre = (
            np.concatenate([[0], np.cumsum(np.bincount(self._place, np.where(rows, weight, 0)))])
            for rows in (is_post, ~is_post)
        )
        right: NDArray[np.float64] = np.round((of_post[-1] - of_post + of_pre) / weight.sum(), 12)
        return right

    def best(self, quality: Annotated[NDArray[np.integer] | NDArray[np.floating], "cuts"]) -> float:
        """Return the threshold of the cut with the highest quality, shape (cuts,)."""
        best = np.flatnonzero(quality == quality.max())
        # Widest gap first, then the one nearest to probability 0.5.
        order = np.lexsort((np.abs(self._middle[best]), -self._width[best]))
        return self.threshold(int(best[order[0]]))

    def threshold(self, cut: int) -> float:
        """Return the threshold in the middle of a cut's gap, on the logit scale."""
        threshold = float(np.clip(1 / (1 + np.exp(-self._middle[cut])), LIMIT, 1 - LIMIT))
        if 0 < cut < self.scores.size and not self.scores[cut - 1] < threshold <= self.scores[cut]:
            return float(self.scores[cut])  # two neighbouring floats: rounding would miss the gap
        return threshold


def _gaps(logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return middle and width of every cut, shape (n + 1,) for n ascending logits."""
    inner = (logits[1:] + logits[:-1]) / 2
    middle = np.concatenate([[logits[0] - OUTER_MARGIN_LOGIT], inner, [logits[-1] + OUTER_MARGIN_LOGIT]])
    # An outer cut says nothing about the data: any inner gap that is as good comes before it.
    width = np.concatenate([[0.0], np.diff(logits), [0.0]])
    return middle, width


def _check(is_post: NDArray[np.bool_], probability: NDArray[np.float64]) -> None:
    outside = ~((probability >= 0) & (probability <= 1))  # true for NaN, too
    if outside.any():
        raise ManifestError(
            f"{int(outside.sum())} of {outside.size} probabilities are not numbers between 0 and 1; "
            "the network's weights are damaged: train again or use another bundle."
        )
    n_post = int(is_post.sum())
    if n_post in (0, is_post.size):
        missing = "post-contrast" if n_post == 0 else "pre-contrast"
        raise ManifestError(
            f"no {missing} image among the {is_post.size} from which the threshold is chosen; "
            "a threshold needs both classes: add some or change the split."
        )

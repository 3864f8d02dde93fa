"""Where to cut: the threshold that is chosen on validation data and then frozen in the bundle."""

from typing import Literal, get_args

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
    is_post: NDArray[np.bool_], probability: NDArray[np.float64], rule: str = "balanced_accuracy"
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
    _check(is_post, probability)
    clipped = np.clip(probability.astype(np.float64), LIMIT, 1 - LIMIT)
    scores, group = np.unique(clipped, return_inverse=True)
    # Whole numbers, so that equally good cuts are exactly equal. Cut k calls post what is in the
    # groups k, k+1, ...; cut 0 calls everything post, the last cut nothing.
    n_post = np.bincount(group, weights=is_post, minlength=scores.size).astype(np.int64)
    n_pre = np.bincount(group, weights=~is_post, minlength=scores.size).astype(np.int64)
    true_post = n_post.sum() - np.concatenate([[0], np.cumsum(n_post)])
    true_pre = np.concatenate([[0], np.cumsum(n_pre)])
    if rule == "balanced_accuracy":
        quality = true_post * n_pre.sum() + true_pre * n_post.sum()
    else:
        quality = true_post + true_pre
    middle, width = _gaps(np.log(scores / (1 - scores)))
    best = np.flatnonzero(quality == quality.max())
    # Widest gap first, then the one nearest to probability 0.5.
    order = np.lexsort((np.abs(middle[best]), -width[best]))
    cut = int(best[order[0]])
    threshold = float(np.clip(1 / (1 + np.exp(-middle[cut])), LIMIT, 1 - LIMIT))
    if 0 < cut < scores.size and not scores[cut - 1] < threshold <= scores[cut]:
        return float(scores[cut])  # two neighbouring floats: rounding would miss the gap between them
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

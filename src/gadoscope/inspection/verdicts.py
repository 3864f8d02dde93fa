"""From the scores of a trivial predictor to a word: none, weak or strong."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.records import Data, to_plain
from gadoscope.statistics.delong import estimate_auc
from gadoscope.statistics.intervals import CONFIDENCE, Estimate
from gadoscope.statistics.metrics import has_both_classes
from gadoscope.statistics.predictors import Scored
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates

WEAK_AUC, STRONG_AUC = 0.6, 0.8
"""From here on a predictor tells something, and from there on so much that a network may rest on it
alone. Conventions ("poor" and "excellent" discrimination), not laws; the interval must exclude 0.5 too,
for all predictors together.

Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression, 3rd edition, section 5.2.4
"""
NO_SKILL = 0.5

NONE, WEAK, STRONG, UNKNOWN = "none", "weak", "strong", "not measured"


def judge_predictor(
    scored: Scored, is_post: NDArray[np.bool_], subject: NDArray[np.int64], *, n_tried: int
) -> Data:
    """Return name, verdict, and the figures behind it.

    Parameters
    ----------
    scored
        Its scores for images of subjects it was not fitted on, shape (n,).
    is_post, subject
        Label and subject of each image, shape (n,).
    n_tried
        Predictors that are tried on these images. Of twenty without any skill one has a 95 % interval
        above 0.5 by chance, so the verdict rests on an interval that is wider by as many (Bonferroni).
    """
    predictor = scored.predictor
    judged: Data = {
        "name": predictor.name,
        "meaning": predictor.meaning,
        "nature": predictor.nature.value,
        "verdict": NONE if scored.reason == "constant" else UNKNOWN,
        "reason": scored.reason,
        "auc": None,
        "balanced_accuracy": None,
        "accuracy": None,
    }
    if scored.score is None or not has_both_classes(is_post):
        return judged
    called_post = scored.score > 0
    auc = estimate_auc(is_post, scored.score, subject)
    careful = estimate_auc(is_post, scored.score, subject, confidence=1 - (1 - CONFIDENCE) / n_tried)
    balanced = estimate_balanced_accuracy(estimate_rates(is_post, called_post, subject))
    accuracy = float((called_post == is_post).mean())
    return {
        **judged,
        "verdict": name_verdict(careful),
        "auc": _short(auc),
        "balanced_accuracy": _short(balanced),
        "accuracy": accuracy,
    }


def name_verdict(auc: Estimate) -> str:
    """Return none, weak or strong; what lies below 0.5 has learned nothing that holds for new subjects."""
    if auc.value is None:
        return UNKNOWN
    lower = NO_SKILL if auc.lower is None else auc.lower
    if auc.value < WEAK_AUC or lower <= NO_SKILL:
        return NONE
    return STRONG if auc.value >= STRONG_AUC else WEAK


def _short(estimate: Estimate) -> Data:
    figures = to_plain(estimate)
    return {key: figures[key] for key in ("value", "lower", "upper")}

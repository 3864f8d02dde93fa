"""What was answered wrongly, and how confidently."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.evaluation.summary import EVALUATED
from gadoscope.freezing.threshold import LIMIT
from gadoscope.labels import Label
from gadoscope.records import Data
from gadoscope.statistics.table import Predictions
from gadoscope.wording import short_name


def list_wrong(predictions: Predictions, threshold: float) -> list[int]:
    """Return the rows answered wrongly: test first, in each split the most confident error first."""
    rows = [np.flatnonzero(predictions.split == split.value) for split in EVALUATED]
    return [int(row) for part in rows for row in part[wrong_rows(predictions.select(part), threshold)]]


def describe_wrong(
    predictions: Predictions, rows: Sequence[int], n_cases: int, gradcam_similarity: float | None = None
) -> Data:
    """Return how many answers are wrong, and which are shown.

    Parameters
    ----------
    rows
        From `list_wrong`.
    n_cases
        At most so many are shown with pictures.
    gradcam_similarity
        How alike their Grad-CAM is to that of random weights, 0 to 1; None where there is none.
    """
    shown = rows[:n_cases]
    return {
        "n": len(rows),
        "n_shown": len(shown),
        "gradcam_similarity": gradcam_similarity,
        "cases": [describe_answer(predictions, row) for row in shown],
    }


def describe_answer(predictions: Predictions, row: int, *, is_right: bool = False) -> Data:
    """Return one image with its label and what it was answered."""
    label, other = (Label.POST, Label.PRE) if predictions.is_post[row] else (Label.PRE, Label.POST)
    return {
        "split": str(predictions.split[row]),
        "name": short_name(str(predictions.path[row])),
        "source": str(predictions.source[row]),
        "plane": str(predictions.plane[row]),
        "label": label.value,
        "answer": (label if is_right else other).value,
        "probability": float(predictions.probability[row]),
    }


def wrong_rows(predictions: Predictions, threshold: float) -> NDArray[np.intp]:
    """Return the rows answered wrongly, the most confident errors first.

    Confidence is the distance from the threshold on the logit scale; equal ones stand by path.
    """
    wrong = np.flatnonzero((predictions.probability >= threshold) != predictions.is_post)
    distance = measure_confidence(predictions.probability[wrong], threshold)
    return wrong[np.lexsort((predictions.path[wrong], -distance))]


def measure_confidence(probability: Floats, threshold: float) -> Floats:
    """Return the distance of each probability, shape (n,), from the threshold on the logit scale."""
    sure = np.clip([*probability, threshold], LIMIT, 1 - LIMIT)
    logit = np.log(sure / (1 - sure))
    distance: Floats = np.abs(logit[:-1] - logit[-1])
    return distance

"""All figures of one split, as plain data: what report.json holds and report.html shows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.evaluation.intervals import bootstrap_auc, bootstrap_share, wilson
from gadoscope.evaluation.metrics import Confusion, average_precision, confusion_at, has_both_classes, roc_auc
from gadoscope.evaluation.operating_point import LIMIT, choose_threshold
from gadoscope.evaluation.predictions import Predictions
from gadoscope.labels import Plane

Data = dict[str, Any]


def summarise_split(predictions: Predictions, point: Data) -> Data:
    """Return every figure of one split.

    Parameters
    ----------
    predictions
        The rows of the split, at least one.
    point
        The frozen operating point: ``threshold``, ``lower``, ``upper`` and where they come from.
    """
    summary = {
        **count(predictions),
        "prevalence": predictions.n_post / len(predictions),
        "auc": _auc(predictions),
        "average_precision": average_precision(predictions.is_post, predictions.logit),
        "at_operating_point": at_threshold(predictions, point["threshold"]),
        "abstention": _abstention(predictions, point),
        "at_best_accuracy": None,
        "optimism": None,
        "subgroups": subgroups(predictions, point["threshold"]),
        "source_only": _source_only(predictions),
    }
    if has_both_classes(predictions.is_post):
        threshold = choose_threshold(predictions.is_post, predictions.probability, "accuracy")
        best = at_threshold(predictions, threshold)
        summary["at_best_accuracy"] = best
        summary["optimism"] = best["accuracy"]["value"] - summary["at_operating_point"]["accuracy"]["value"]
    return summary


def count(predictions: Predictions) -> Data:
    """Return how many images, subjects and labels of each class there are."""
    sizes = np.bincount(predictions.subject_group) if len(predictions) else np.zeros(0, dtype=np.int64)
    return {
        "n_images": len(predictions),
        "n_subjects": predictions.n_subjects,
        "most_images_of_a_subject": int(sizes.max()) if predictions.has_subjects else None,
        "n_pre": predictions.n_pre,
        "n_post": predictions.n_post,
    }


def at_threshold(predictions: Predictions, threshold: float) -> Data:
    """Return the confusion matrix at one threshold and the rates that follow, with intervals."""
    confusion = confusion_at(predictions.is_post, predictions.probability, threshold)
    return {
        "threshold": threshold,
        "confusion": confusion.matrix,
        "n_right": confusion.true_pre + confusion.true_post,
        "n_wrong": confusion.false_pre + confusion.false_post,
        "balanced_accuracy": confusion.balanced_accuracy,
        **_rates(predictions, confusion, threshold),
    }


def _rates(predictions: Predictions, confusion: Confusion, threshold: float) -> Data:
    right = (predictions.probability >= threshold) == predictions.is_post
    parts: tuple[tuple[str, int, NDArray[np.bool_]], ...] = (
        ("accuracy", confusion.true_pre + confusion.true_post, np.ones(len(predictions), dtype=np.bool_)),
        ("sensitivity", confusion.true_post, predictions.is_post),
        ("specificity", confusion.true_pre, ~predictions.is_post),
    )
    return {name: _share(predictions, right, n_right, rows) for name, n_right, rows in parts}


def _share(predictions: Predictions, right: NDArray[np.bool_], n_right: int, rows: NDArray[np.bool_]) -> Data:
    n = int(rows.sum())
    interval = wilson(n_right, n)
    group = predictions.subject_group[rows]
    # Where every subject has one image the two intervals answer the same question: Wilson's does it better.
    repeated = predictions.has_subjects and np.unique(group).size < n
    by_subject = bootstrap_share(right[rows], group) if repeated else None
    return {
        "value": n_right / n if n else None,
        "n_right": n_right,
        "n": n,
        "lower": interval.lower if interval else None,
        "upper": interval.upper if interval else None,
        "by_subject_lower": by_subject.lower if by_subject else None,
        "by_subject_upper": by_subject.upper if by_subject else None,
    }


def _auc(predictions: Predictions) -> Data:
    interval = None
    if has_both_classes(predictions.is_post):
        interval = bootstrap_auc(predictions.is_post, predictions.logit, predictions.subject_group)
    return {
        "value": roc_auc(predictions.is_post, predictions.logit),
        "lower": interval.lower if interval else None,
        "upper": interval.upper if interval else None,
        "resampled_by": "subject" if predictions.has_subjects else "image",
    }


def _abstention(predictions: Predictions, point: Data) -> Data | None:
    """Return what the bundle's band of indeterminate answers does; None where it has none."""
    lower, upper = point["lower"], point["upper"]
    if lower >= upper:
        return None
    inside = (predictions.probability >= lower) & (predictions.probability < upper)
    answered = predictions.select(~inside)
    return {
        "lower": lower,
        "upper": upper,
        "n_indeterminate": int(inside.sum()),
        "answered": at_threshold(answered, point["threshold"]) if len(answered) else None,
    }


def subgroups(predictions: Predictions, threshold: float) -> list[Data]:
    """Return counts and figures by source and plane, by source where it has several planes, and in all."""
    rows: list[Data] = []
    for source in sorted(set(predictions.source)):
        of_source = predictions.source == source
        planes = [plane.value for plane in Plane if (of_source & (predictions.plane == plane.value)).any()]
        for plane in planes:
            part = predictions.select(of_source & (predictions.plane == plane))
            rows.append(_subgroup(part, threshold, str(source), plane))
        if len(planes) > 1:
            rows.append(_subgroup(predictions.select(of_source), threshold, str(source), None))
    if len(set(predictions.source)) > 1:
        rows.append(_subgroup(predictions, threshold, None, None))
    return rows


def _subgroup(part: Predictions, threshold: float, source: str | None, plane: str | None) -> Data:
    point = at_threshold(part, threshold)
    return {
        "source": source,
        "plane": plane,
        **count(part),
        "accuracy": point["accuracy"],
        "sensitivity": point["sensitivity"],
        "specificity": point["specificity"],
        "balanced_accuracy": point["balanced_accuracy"],
        "auc": _auc(part),
    }


def _source_only(predictions: Predictions) -> Data:
    """Return how well one does without looking at the image, knowing the labels' counts alone.

    ``accuracy`` calls every image of a source what most images of that source are;
    ``majority`` calls every image what most images are.
    """
    right = 0
    for source in set(predictions.source):
        part = predictions.is_post[predictions.source == source]
        right += max(int(part.sum()), int((~part).sum()))
    return {
        "accuracy": right / len(predictions),
        "majority": max(predictions.n_pre, predictions.n_post) / len(predictions),
    }


def wrong_rows(predictions: Predictions, threshold: float) -> NDArray[np.intp]:
    """Return the rows answered wrongly, the most confident errors first.

    Confidence is the distance from the threshold on the logit scale; equal ones stand by path.
    """
    wrong = np.flatnonzero((predictions.probability >= threshold) != predictions.is_post)
    sure = np.clip([*predictions.probability[wrong], threshold], LIMIT, 1 - LIMIT)
    logit = np.log(sure / (1 - sure))
    distance = np.abs(logit[:-1] - logit[-1])
    return wrong[np.lexsort((predictions.path[wrong], -distance))]

"""All figures of one split, as plain data: what report.json holds and report.html shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.evaluation.subgroups import attribute_subgroups, count, subgroups
from gadoscope.freezing.band import is_answered
from gadoscope.freezing.threshold import choose_threshold
from gadoscope.labels import Level, Split
from gadoscope.records import Data, to_plain
from gadoscope.statistics.calibration_quality import measure_calibration
from gadoscope.statistics.estimates import Figures, estimate_figures
from gadoscope.statistics.levels import gather_cases, group_cases
from gadoscope.statistics.metrics import confusion_at, has_both_classes
from gadoscope.statistics.resampling import DRAWS
from gadoscope.statistics.risk_coverage import RiskCoverage, measure_by_source, measure_risk_coverage
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates, estimate_share
from gadoscope.statistics.table import Predictions

EVALUATED = (Split.TEST, Split.VALIDATION)
"""In the order of the report: what counts comes first."""


@dataclass(frozen=True, eq=False)
class Cases:
    """What is judged: one row a case, and how its scores are decided."""

    table: Predictions
    decided: LevelDecision

    @property
    def called_post(self) -> NDArray[np.bool_]:
        """The answers at the operating point, shape (n,)."""
        return self.decided.calls_post(self.table.probability)


def gather_level(predictions: Predictions, level: Level, decision: Decision) -> Cases | None:
    """Return the cases of a level; None where the data do not say which images belong together.

    Where every case is one image they are answered as slices.
    """
    case = group_cases(predictions, level)
    if case is None:
        return None
    if int(case.max()) + 1 == len(predictions):
        return Cases(predictions, decision.of_slice)
    return Cases(gather_cases(predictions, case, decision), decision.at(level))


@dataclass(frozen=True, eq=False, kw_only=True)
class Summary:
    """What is known of the scores of one split.

    Attributes
    ----------
    table
        Its rows.
    judged
        What calibration and abstention are judged on: series, or slices where those are unknown.
    curve, curve_by_source
        Selective prediction of what is judged: over all, and for each source where there are several.
    figures
        All figures, as report.json holds them.
    """

    table: Predictions
    judged: Cases
    curve: RiskCoverage
    curve_by_source: Mapping[str, RiskCoverage]
    figures: Data


def summarise(predictions: Predictions, decision: Decision) -> dict[Split, Summary]:
    """Return what is known of each evaluated split, the empty ones left out."""
    parts = {split: predictions.with_split(split) for split in EVALUATED}
    return {split: summarise_split(part, decision) for split, part in parts.items() if len(part)}


def summarise_split(predictions: Predictions, decision: Decision, *, draws: int = DRAWS) -> Summary:
    """Return every figure of one split, and what they are of.

    Parameters
    ----------
    predictions
        The rows of the split, at least one.
    decision
        The bundle's.
    draws
        How often subjects are drawn anew for an interval.
    """
    cases = {level: gather_level(predictions, level, decision) for level in Level}
    slices, series = Cases(predictions, decision.of_slice), cases[Level.SERIES]
    level, judged = (Level.SLICE, slices) if series is None else (Level.SERIES, series)
    of_slices = _estimate(slices, draws)
    estimated = {
        # Where each case is one image the figures are those of the images.
        level: of_slices if len(part.table) == len(predictions) else _estimate(part, draws)
        for level, part in cases.items()
        if part is not None
    }
    curve, curve_by_source = _measure_silence(judged)
    threshold = decision.of_slice.point.threshold
    at_point = at_threshold(predictions, threshold)
    figures = {
        **count(predictions),
        "prevalence": predictions.n_post / len(predictions),
        "auc": to_plain(of_slices.auc),
        "average_precision": to_plain(of_slices.average_precision),
        "at_operating_point": at_point,
        "levels": [_summarise_level(level, cases[level], estimated.get(level)) for level in Level],
        "trust": {
            "level": level.value,
            "n_cases": len(judged.table),
            "predictive_values": to_plain(estimated[level].predictive_values),
            "calibration": _calibration(judged, draws),
            "abstention": _abstention(judged),
            **_describe_silence(curve, curve_by_source),
        },
        **_best_accuracy(predictions, at_point["accuracy"]["value"]),
        "subgroups": subgroups(predictions, threshold),
        "attributes": attribute_subgroups(predictions, threshold),
        "source_only": _source_only(predictions),
    }
    return Summary(
        table=predictions, judged=judged, curve=curve, curve_by_source=curve_by_source, figures=figures
    )


def _best_accuracy(predictions: Predictions, accuracy: float) -> Data:
    """Return what the threshold with the most right answers gives, and how much more ``accuracy`` that is."""
    if not has_both_classes(predictions.is_post):
        return {"at_best_accuracy": None, "optimism": None}
    threshold = choose_threshold(predictions.is_post, predictions.probability, "accuracy")
    best = at_threshold(predictions, threshold)
    return {"at_best_accuracy": best, "optimism": best["accuracy"]["value"] - accuracy}


def _estimate(cases: Cases, draws: int) -> Figures:
    table = cases.table
    return estimate_figures(table.is_post, table.logit, cases.called_post, table.subject_group, draws=draws)


def at_threshold(predictions: Predictions, threshold: float) -> Data:
    """Return the confusion matrix at one threshold and the rates that follow, with intervals by subject."""
    confusion = confusion_at(predictions.is_post, predictions.probability, threshold)
    called_post, subject = predictions.probability >= threshold, predictions.subject_group
    rates = estimate_rates(predictions.is_post, called_post, subject)
    n_right = {
        "accuracy": confusion.n_right,
        "sensitivity": confusion.true_post,
        "specificity": confusion.true_pre,
    }
    estimates = {
        "accuracy": estimate_share(called_post == predictions.is_post, subject),
        "sensitivity": rates.sensitivity,
        "specificity": rates.specificity,
    }
    return {
        "threshold": threshold,
        "confusion": confusion.matrix,
        "n_right": n_right["accuracy"],
        "n_wrong": confusion.false_pre + confusion.false_post,
        "balanced_accuracy": to_plain(estimate_balanced_accuracy(rates)),
        **{name: {"n_right": n_right[name], **to_plain(one)} for name, one in estimates.items()},
    }


def _summarise_level(level: Level, cases: Cases | None, figures: Figures | None) -> Data:
    """Return a row of the table of levels; ``figures`` is None where the data do not say what a case is."""
    if cases is None or figures is None:
        unknown = ("n_cases", "n_pre", "n_post", "figures", "abstention")
        return {"level": level.value, **dict.fromkeys(unknown)}
    shown = ("sensitivity", "specificity", "balanced_accuracy", "accuracy", "auc", "average_precision")
    return {
        "level": level.value,
        "n_cases": len(cases.table),
        "n_pre": cases.table.n_pre,
        "n_post": cases.table.n_post,
        "figures": {name: to_plain(getattr(figures, name)) for name in shown},
        "abstention": _abstention(cases),
    }


def _calibration(cases: Cases, draws: int) -> Data:
    """Return how far the probabilities are from what they say, and how far the plain sigmoid's were."""
    table, method = cases.table, cases.decided.calibration.method
    subject = table.subject_group
    after = measure_calibration(table.is_post, table.probability, subject, draws=draws)
    before = None
    if method != "none":
        before = measure_calibration(table.is_post, sigmoid(table.logit), subject, draws=draws)
    return {"method": method, "before": to_plain(before), "after": to_plain(after)}


def _abstention(cases: Cases) -> Data | None:
    """Return what the bundle's band of indeterminate answers does; None where it has none."""
    table, point = cases.table, cases.decided.point
    lower, upper = point.lower, point.upper
    if not cases.decided.has_band:
        return None
    subject = table.subject_group
    answered = is_answered(table.probability, lower, upper)
    part = table.select(answered)
    return {
        "lower": lower,
        "upper": upper,
        "n_indeterminate": int((~answered).sum()),
        "coverage": to_plain(estimate_share(answered, subject)),
        "silent_errors": to_plain(estimate_share((cases.called_post != table.is_post) & answered, subject)),
        "answered": at_threshold(part, point.threshold) if len(part) else None,
    }


def _measure_silence(cases: Cases) -> tuple[RiskCoverage, dict[str, RiskCoverage]]:
    """Return the curve over all, and that of each source where there are several."""
    table, threshold = cases.table, cases.decided.point.threshold
    judged = table.is_post, table.probability, table.subject_group
    is_one_source = len(set(table.source)) < 2  # noqa: PLR2004  # its curve would be the whole
    by_source = {} if is_one_source else measure_by_source(*judged, table.source, threshold)
    return measure_risk_coverage(*judged, threshold), by_source


def _describe_silence(curve: RiskCoverage, by_source: Mapping[str, RiskCoverage]) -> Data:
    return {
        "risk_coverage": _describe_curve(curve),
        "risk_coverage_by_source": [
            {"source": name, **_describe_curve(one)} for name, one in by_source.items()
        ],
    }


def _describe_curve(curve: RiskCoverage) -> Data:
    return {"area": curve.area, "points": to_plain(curve.points)}


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

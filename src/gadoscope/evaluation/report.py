"""The report: everything as data, then the same data as one HTML page that needs nothing else."""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from gadoscope import wording
from gadoscope.decision.decision import Decision
from gadoscope.evaluation.caveats import Context, judge
from gadoscope.evaluation.cross_checks import cross_check, tell_shortcuts
from gadoscope.evaluation.summary import Summary, summarise_split, wrong_rows
from gadoscope.evaluation.training_images import tell_seen, tell_sources
from gadoscope.inference.bundle import Bundle
from gadoscope.labels import Label, Level, Split
from gadoscope.records import Data, to_plain
from gadoscope.report.curves import (
    Curve,
    histogram_svg,
    learning_curves_svg,
    precision_recall_svg,
    roc_svg,
    sweep_svg,
)
from gadoscope.report.figures import TEST_COLOUR, VALIDATION_COLOUR
from gadoscope.report.finding import rank
from gadoscope.report.page import render_page
from gadoscope.report.trust_curves import RiskCurve, forest_svg, reliability_svg, risk_coverage_svg
from gadoscope.statistics.metrics import has_both_classes
from gadoscope.statistics.table import Predictions
from gadoscope.version import __version__
from gadoscope.wording import short_name

FORMAT_VERSION = 2
EVALUATED = (Split.TEST, Split.VALIDATION)
"""In the order of the report: what counts comes first."""

_COLOURS = {Split.TEST: TEST_COLOUR, Split.VALIDATION: VALIDATION_COLOUR}


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What is evaluated, and what is known of it but its scores.

    Parameters
    ----------
    data
        ``origin``, ``splits`` (a row of counts each), ``unread``, ``notices``.
    training
        ``layers``, ``settings``, ``machine``, ``history``; None for a bundle alone.
    audit
        From `audited.read_audit`; None where there is none.
    gate
        ``threshold``, ``max_refused``, ``chosen_on``, and what comes from `gate.summarise_gate`; None for a
        bundle without one.
    shortcuts
        From `shortcuts.find_shortcuts`; None where nothing was measured.
    seen
        Which images of the verdict the bundle was made from, from `evaluate.seen`; None where nobody knows.
    """

    bundle: Bundle
    data: Data
    training: Data | None
    audit: Data | None = None
    gate: Data | None = None
    shortcuts: Data | None = None
    seen: Data | None = None


@dataclass(frozen=True)
class Case:
    """The embedded pictures of a wrong answer: the slice, and it with occlusion and with Grad-CAM.

    Without Grad-CAM where the network's layers are not known.
    """

    picture: str = ""
    overlay: str = ""
    gradcam: str = ""


def summarise(predictions: Predictions, decision: Decision) -> dict[Split, Summary]:
    """Return what is known of each evaluated split, the empty ones left out."""
    parts = {split: predictions.with_split(split) for split in EVALUATED}
    return {split: summarise_split(part, decision) for split, part in parts.items() if len(part)}


def build_report(
    evaluated: Evaluated,
    splits: Mapping[Split, Summary],
    context: Context,
    wrong: Data,
    *,
    openings: Sequence[Data] = (),
    comparison: Data | None = None,
) -> Data:
    """Return the content of report.json.

    Parameters
    ----------
    splits
        From `summarise`; that of the verdict is there.
    wrong
        From `describe_wrong`.
    openings
        Of the run's sealed test, oldest first, this one included.
    comparison
        From `comparison.compare`.
    """
    verdict = splits[Split(context.split)]
    promise = to_plain(verdict.judged.decided.point.promise)
    warnings = [*tell_seen(evaluated.seen), *tell_shortcuts(evaluated.shortcuts)]
    doubts = cross_check(
        verdict.figures,
        audit=evaluated.audit,
        openings=openings,
        promise=promise,
        gate=evaluated.gate,
        shortcuts=evaluated.shortcuts,
    )
    limits = judge(verdict.table, verdict.figures, context)
    return {
        "format": "gadoscope evaluation",
        "format_version": FORMAT_VERSION,
        "gadoscope": __version__,
        "not_a_medical_device": True,
        "warnings": warnings,
        "model": _describe_model(evaluated.bundle),
        "data": evaluated.data,
        "verdict_split": context.split,
        "splits": {split.value: splits[split].figures if split in splits else None for split in EVALUATED},
        "worth": rank([*warnings, *doubts, *tell_sources(evaluated.seen), *limits]),
        "promise": promise,
        "comparison": comparison,
        "gate": evaluated.gate,
        "openings": list(openings),
        "audit": evaluated.audit,
        "shortcuts": evaluated.shortcuts,
        "seen": evaluated.seen,
        "wrong": wrong,
        "training": evaluated.training,
    }


def _describe_model(bundle: Bundle) -> Data:
    """Return what the report says of the model: the bundle's metadata under its own keys."""
    metadata = bundle.metadata
    decision = to_plain(metadata.decision)
    del decision["gate"]  # a part of the report of its own
    return {
        "id": bundle.model_id,
        "sha256": bundle.sha256,
        "network": metadata.network,
        "n_parameters": metadata.n_parameters,
        "planes": [plane.value for plane in metadata.planes],
        "licence": metadata.licence,
        "image_path": to_plain(metadata.image_path),
        **decision,
    }


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
        "cases": [_describe(predictions, row) for row in shown],
    }


def _describe(predictions: Predictions, row: int) -> Data:
    label, answer = (Label.POST, Label.PRE) if predictions.is_post[row] else (Label.PRE, Label.POST)
    return {
        "split": str(predictions.split[row]),
        "name": short_name(str(predictions.path[row])),
        "source": str(predictions.source[row]),
        "plane": str(predictions.plane[row]),
        "label": label.value,
        "answer": answer.value,
        "probability": float(predictions.probability[row]),
    }


def draw_figures(report: Data, splits: Mapping[Split, Summary], decision: Decision) -> dict[str, str]:
    """Return the report's figures as SVG by name; a split of one class has no curves."""
    figures: dict[str, str] = {}
    curves: list[Curve] = []
    for split, summary in splits.items():
        part = summary.table
        if not has_both_classes(part.is_post):
            continue
        curve = Curve(
            title=split.value.capitalize(),
            colour=_COLOURS[split],
            is_post=part.is_post,
            logit=part.logit,
            probability=part.probability,
            threshold=decision.of_slice.point.threshold,
        )
        best = summary.figures["at_best_accuracy"]["threshold"]
        name = split.value
        figures[f"roc-{name}"] = roc_svg([curve], name=f"roc-{name}")
        figures[f"precision-recall-{name}"] = precision_recall_svg(curve, name=f"precision-recall-{name}")
        figures[f"histogram-{name}"] = histogram_svg(curve, name=f"histogram-{name}")
        figures[f"sweep-{name}"] = sweep_svg(curve, best, name=f"sweep-{name}")
        curves.append(curve)
    if len(curves) == len(EVALUATED):
        figures["roc-both"] = roc_svg(curves[::-1], name="roc-both")  # what is drawn last lies on top: test
    figures |= _draw_trust(splits[Split(report["verdict_split"])])
    if report["comparison"]:
        figures["comparison"] = forest_svg(report["comparison"]["models"], name="comparison")
    if report["training"] and report["training"]["history"]:
        figures["learning-curves"] = learning_curves_svg(report["training"]["history"])
    return figures


def _draw_trust(verdict: Summary) -> dict[str, str]:
    """Return the reliability diagram and the risk-coverage curve of the verdict's split."""
    trust = verdict.figures["trust"]
    named = [("All", verdict.curve), *verdict.curve_by_source.items()]
    curves = [RiskCurve(name=name, coverage=one.coverage, risk=one.risk) for name, one in named]
    abstention = trust["abstention"]
    band = None
    if abstention and abstention["answered"]:
        band = abstention["coverage"]["value"], 1 - abstention["answered"]["accuracy"]["value"]
    return {
        "reliability": reliability_svg(trust["calibration"], name="reliability"),
        "risk-coverage": risk_coverage_svg(curves, band, name="risk-coverage"),
    }


def render_html(report: Data, figures: Mapping[str, str], cases: Sequence[Case], decision: Decision) -> str:
    """Return the report as one HTML page: no script, nothing loaded from anywhere.

    Every figure in the text is a ``<data>`` element that names its place in report.json.
    """
    helpers = {
        "show": _shower(report),
        "look_up": lambda path: look_up(report, path),
        "plural": wording.plural,
        "percent": wording.percent,
        "DASH": wording.DASH,
    }
    return render_page(
        "gadoscope.evaluation",
        "report.html",
        helpers,
        report=report,
        figures={name: Markup(svg) for name, svg in figures.items()},  # noqa: S704  # made by us, its text escaped
        cases=cases,
        evaluated=[split.value for split in EVALUATED],
        bands={level.value: decision.at(level).has_band for level in (Level.SLICE, Level.SERIES)},
    )


def _shower(report: Data) -> Callable[[str, str], Markup]:
    """Return a function that writes the figure at ``path`` of the report, as ``kind`` says."""
    writers: dict[str, Callable[[Any], str]] = {
        "percent": wording.percent,
        "signed": wording.signed_points,
        "signed_area": wording.signed_area,
        "p_value": wording.p_value,
        "points": wording.points,
        "area": wording.area,
        "probability": wording.probability,
        "whole": wording.whole,
    }

    def show(path: str, kind: str) -> Markup:
        value = look_up(report, path)
        text = html.escape(writers[kind](value))
        return Markup(  # noqa: S704  # numbers and our own path, escaped
            f'<data value="{html.escape(json.dumps(value))}" data-json="{html.escape(path)}">{text}</data>'
        )

    return show


def look_up(report: Any, path: str) -> Any:
    """Return what stands at a dotted path: ``splits.test.auc.value``; None below a None."""
    for key in path.split("."):
        if report is None:
            return None
        report = report[int(key)] if isinstance(report, list) else report[key]
    return report

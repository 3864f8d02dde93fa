"""The report as one HTML page that needs nothing else: its figures drawn, its numbers named."""

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup

from gadoscope import wording
from gadoscope.decision.decision import Decision
from gadoscope.evaluation.examples import Examples
from gadoscope.evaluation.summary import EVALUATED, Summary
from gadoscope.evaluation.wrong import describe_answer
from gadoscope.labels import Level, Split
from gadoscope.markup import draw_bar
from gadoscope.records import Data
from gadoscope.report.curves import (
    Curve,
    histogram_svg,
    learning_curve_svg,
    precision_recall_svg,
    roc_corner_svg,
    roc_svg,
    sweep_svg,
)
from gadoscope.report.figures import TEST_COLOUR, VALIDATION_COLOUR, follow_page
from gadoscope.report.page import render_page
from gadoscope.report.trust_curves import RiskCurve, forest_svg, reliability_svg, risk_coverage_svg
from gadoscope.run_folder import flatten_settings
from gadoscope.statistics.metrics import has_both_classes

_COLOURS = {Split.TEST: TEST_COLOUR, Split.VALIDATION: VALIDATION_COLOUR}


@dataclass(frozen=True)
class Case:
    """The embedded pictures of an answer: the slice, and it with occlusion and with Grad-CAM.

    Without Grad-CAM where the network's layers are not known.
    """

    picture: str = ""
    overlay: str = ""
    gradcam: str = ""


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
        over = curves[::-1]  # what is drawn last lies on top: test
        figures["roc-both"] = roc_svg(over, name="roc-both")
        figures["roc-corner"] = roc_corner_svg(over, name="roc-corner")
    if report["training"] and report["training"]["history"]:
        history, kept = report["training"]["history"], report["training"]["kept_epoch"]
        for key in ("loss", "accuracy"):
            figures[f"learning-{key}"] = learning_curve_svg(history, key, kept, name=f"learning-{key}")
    figures |= _draw_trust(splits[Split(report["verdict_split"])])
    if report["comparison"]:
        models = report["comparison"]["models"]
        for key, title in (("balanced_accuracy", "Balanced accuracy"), ("auc", "AUC")):
            name = f"comparison-{key.replace('_', '-')}"
            figures[name] = forest_svg(models, key, title, name=name)
    return {name: follow_page(svg) for name, svg in figures.items() if svg}


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


def render_html(
    report: Data,
    figures: Mapping[str, str],
    cases: Sequence[Case],
    decision: Decision,
    *,
    examples: Examples | None = None,
    defaults: Data | None = None,
) -> str:
    """Return the report as one HTML page: no script, nothing loaded from anywhere.

    Every figure in the text is a ``<data>`` element that names its place in report.json.

    Parameters
    ----------
    cases
        Pictures of the wrong answers that are shown, then of the ``examples`` in the order of their names.
    defaults
        Settings of a training that was told nothing, as nested plain values; None where nobody knows them.
    """
    helpers = {
        "show": _shower(report),
        "look_up": lambda path: look_up(report, path),
        "plural": wording.plural,
        "percent": wording.percent,
        "written": wording.probability,
        "bar": _bar_drawer(decision),
        "DASH": wording.DASH,
    }
    pictures = iter(cases)
    return render_page(
        "gadoscope.evaluation",
        "report.html",
        helpers,
        report=report,
        figures={name: Markup(svg) for name, svg in figures.items()},  # noqa: S704  # made by us, its text escaped
        cases=list(islice(pictures, report["wrong"]["n_shown"])),
        unsure=_describe_examples(examples, examples.unsure, pictures) if examples else [],
        right=_describe_examples(examples, examples.right, pictures) if examples else [],
        settings=_divide_settings(report, defaults),
        evaluated=[split.value for split in EVALUATED],
        bands={level.value: decision.at(level).has_band for level in (Level.SLICE, Level.SERIES)},
    )


def _bar_drawer(decision: Decision) -> Callable[[float], Markup]:
    """Return what draws the probability of a slice on the band without an answer, or on the threshold."""
    point = decision.of_slice.point
    edges = (point.lower, point.upper) if decision.of_slice.has_band else (point.threshold, point.threshold)
    return lambda probability: Markup(draw_bar(probability, edges))  # noqa: S704  # made of numbers alone


def _describe_examples(examples: Examples, rows: Sequence[int], pictures: Iterator[Case]) -> list[Data]:
    """Return right answers with their pictures."""
    return [
        {"case": describe_answer(examples.table, row, is_right=True), "shown": next(pictures)} for row in rows
    ]


def _divide_settings(report: Data, defaults: Data | None) -> Data:
    """Return the settings of the run that differ from the default, and those that do not."""
    settings = report["training"]["settings"] if report["training"] else []
    default = dict(flatten_settings(defaults or {}))
    return {
        "are_known": defaults is not None,
        "changed": [row for row in settings if defaults is not None and default.get(row[0]) != row[1]],
        "same": [row for row in settings if defaults is None or default.get(row[0]) == row[1]],
    }


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

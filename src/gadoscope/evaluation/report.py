"""The report: everything as data, then the same data as one HTML page that needs nothing else."""

import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from gadoscope import __version__
from gadoscope.evaluation import formats
from gadoscope.evaluation.curves import (
    Curve,
    histogram_svg,
    learning_curves_svg,
    precision_recall_svg,
    roc_svg,
    sweep_svg,
)
from gadoscope.evaluation.figures import POST_COLOUR, PRE_COLOUR, TEST_COLOUR, VALIDATION_COLOUR
from gadoscope.evaluation.metrics import has_both_classes
from gadoscope.evaluation.predictions import Predictions
from gadoscope.evaluation.summary import summarise_split, wrong_rows
from gadoscope.evaluation.worth import Context, judge
from gadoscope.labels import Label, Split

Data = dict[str, Any]

FORMAT_VERSION = 1
EVALUATED = (Split.TEST, Split.VALIDATION)
"""In the order of the report: what counts comes first."""

_COLOURS = {Split.TEST: TEST_COLOUR, Split.VALIDATION: VALIDATION_COLOUR}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is evaluated, as plain data.

    Parameters
    ----------
    model
        ``id``, ``sha256``, ``network``, ``n_parameters``, ``planes``, ``licence``, ``operating_point``.
    data
        ``origin``, ``splits`` (a row of counts each), ``unread``, ``notices``.
    training
        ``layers``, ``settings``, ``machine``, ``history``; None for a bundle alone.
    """

    model: Data
    data: Data
    training: Data | None


@dataclass(frozen=True)
class Case:
    """Two embedded pictures of a wrong answer; empty where the image is gone."""

    picture: str = ""
    overlay: str = ""


def build_report(subject: Subject, predictions: Predictions, context: Context, n_cases: int) -> Data:
    """Return the content of report.json.

    Parameters
    ----------
    predictions
        All evaluated images, at least one.
    n_cases
        At most so many wrong answers are listed with pictures.
    """
    point = subject.model["operating_point"]
    parts = {split: predictions.with_split(split) for split in EVALUATED}
    wrong = list_wrong(predictions, point["threshold"])
    splits = {
        split.value: summarise_split(part, point) if len(part) else None for split, part in parts.items()
    }
    return {
        "format": "gadoscope evaluation",
        "format_version": FORMAT_VERSION,
        "gadoscope": __version__,
        "not_a_medical_device": True,
        "model": subject.model,
        "data": subject.data,
        "verdict_split": context.split,
        "splits": splits,
        "worth": judge(parts[Split(context.split)], splits[context.split] or {}, context),
        "wrong": {
            "n": len(wrong),
            "n_shown": min(len(wrong), n_cases),
            "cases": [_describe(predictions, row) for row in wrong[:n_cases]],
        },
        "training": subject.training,
    }


def list_wrong(predictions: Predictions, threshold: float) -> list[int]:
    """Return the rows answered wrongly: test first, in each split the most confident error first."""
    rows = [np.flatnonzero(predictions.split == split.value) for split in EVALUATED]
    return [int(row) for part in rows for row in part[wrong_rows(predictions.select(part), threshold)]]


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


def short_name(path: str) -> str:
    """Return the last folder and the file's name: enough to find it, and no more of the machine."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def draw_figures(report: Data, predictions: Predictions) -> dict[str, str]:
    """Return the report's figures as SVG by name; a split of one class has none."""
    point = report["model"]["operating_point"]
    figures: dict[str, str] = {}
    curves: list[Curve] = []
    for split in EVALUATED:
        part = predictions.with_split(split)
        if not has_both_classes(part.is_post):
            continue
        curve = Curve(
            title=split.value.capitalize(),
            colour=_COLOURS[split],
            is_post=part.is_post,
            logit=part.logit,
            probability=part.probability,
            threshold=point["threshold"],
        )
        best = report["splits"][split.value]["at_best_accuracy"]["threshold"]
        name = split.value
        figures[f"roc-{name}"] = roc_svg([curve], name=f"roc-{name}")
        figures[f"precision-recall-{name}"] = precision_recall_svg(curve, name=f"precision-recall-{name}")
        figures[f"histogram-{name}"] = histogram_svg(curve, name=f"histogram-{name}")
        figures[f"sweep-{name}"] = sweep_svg(curve, best, name=f"sweep-{name}")
        curves.append(curve)
    if len(curves) == len(EVALUATED):
        figures["roc-both"] = roc_svg(curves[::-1], name="roc-both")  # what is drawn last lies on top: test
    if report["training"] and report["training"]["history"]:
        figures["learning-curves"] = learning_curves_svg(report["training"]["history"])
    return figures


def render_html(report: Data, figures: Mapping[str, str], cases: Sequence[Case]) -> str:
    """Return the report as one HTML page: no script, nothing loaded from anywhere.

    Every figure in the text is a ``<data>`` element that names its place in report.json.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gadoscope.evaluation"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(
        show=_shower(report),
        look_up=lambda path: look_up(report, path),
        plural=formats.plural,
        DASH=formats.DASH,
    )
    page: str = environment.get_template("report.html").render(
        report=report,
        figures={name: Markup(svg) for name, svg in figures.items()},  # noqa: S704  # made by us, its text escaped
        cases=cases,
        colours={"pre": PRE_COLOUR, "post": POST_COLOUR},
        evaluated=[split.value for split in EVALUATED],
    )
    return page


def _shower(report: Data) -> Callable[[str, str], Markup]:
    """Return a function that writes the figure at ``path`` of the report, as ``kind`` says."""
    writers: dict[str, Callable[[Any], str]] = {
        "percent": formats.percent,
        "points": formats.points,
        "area": formats.area,
        "probability": formats.probability,
        "whole": formats.whole,
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

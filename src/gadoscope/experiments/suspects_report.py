"""Suspected label errors by series, as data and as a page to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope import wording
from gadoscope.experiments.suspects import Suspects, rank_suspects
from gadoscope.labels import Label, Level
from gadoscope.report.page import render_page
from gadoscope.statistics.levels import group_cases
from gadoscope.statistics.table import Predictions
from gadoscope.version import __version__

FORMAT, FORMAT_VERSION = "gadoscope-suspects", 1
MAJORITY = 0.5
"""A series is suspected where the label of more than this share of its images is contradicted, and the
network is sure of at least one: labels are wrong by series, and few slices of one show contrast well."""
CONTRADICTED = 0.5
"""Doubt from which the other label is the likelier one."""
PICTURES = 3
"""Of one series, the most doubtful: a row of the page."""

Draw = Callable[[str], str]
"""What the table calls a slice to the address of an embedded picture."""


@dataclass(frozen=True, eq=False)
class _Case:
    """One series: its rows, the most doubtful first, and the mean doubt."""

    rows: NDArray[np.intp]
    doubt: float
    n_contradicted: int
    n_suspect: int

    @property
    def is_suspected(self) -> bool:
        return self.n_suspect > 0 and self.n_contradicted > MAJORITY * len(self.rows)


def list_suspects(predictions: Predictions) -> dict[str, Any]:
    """Return the suspected series and images for JSON, the most suspect first.

    Parameters
    ----------
    predictions
        Of each image by a network that saw no image of its subject.
    """
    suspects = rank_suspects(predictions.is_post, predictions.probability, predictions.subject_group)
    series = group_cases(predictions, Level.SERIES)
    cases = _gather(suspects, np.arange(len(predictions)) if series is None else series)
    suspected = [case for case in cases if case.is_suspected]
    images = [row for row in suspects.order.tolist() if suspects.is_suspect[row]]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "gadoscope": __version__,
        "not_a_medical_device": True,
        "has_series": series is not None,
        "n_images": len(predictions),
        "n_series": len(cases),
        "confidence_pre": suspects.confidence_pre,
        "confidence_post": suspects.confidence_post,
        "series": [_describe_case(case, predictions, suspects) for case in suspected],
        "images": [_describe_image(row, predictions, suspects) for row in images],
    }


def list_singles(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the suspected images of series that are not suspected as a whole, the most suspect first.

    Where a subject has several series of one plane and label that the data do not tell apart, a wrong
    one among right ones shows only here.
    """
    whole = {image["path"] for case in report["series"] for image in case["images"]}
    return [image for image in report["images"] if image["path"] not in whole]


def render_suspects(report: dict[str, Any], predictions: Predictions, n_cases: int, draw: Draw) -> str:
    """Return the first ``n_cases`` suspected series, and single images, as one HTML page that loads nothing.

    Beside each stands an image of the same subject and plane with the other label, where there is one:
    a pair that was exchanged, or scanned twice without contrast, shows only in comparison.
    """
    row_of = {str(path): row for row, path in enumerate(predictions.path)}
    cards = []
    for case in report["series"][:n_cases]:
        row = row_of[case["images"][0]["path"]]
        companion = _find_companion(predictions, row)
        cards.append(
            {
                "pictures": [draw(image["path"]) for image in case["images"][:PICTURES]],
                "companion": draw(str(predictions.path[companion])) if companion is not None else "",
            }
        )
    singles = list_singles(report)
    helpers = {name: getattr(wording, name) for name in ("percent", "plural", "probability", "whole")}
    return render_page(
        "gadoscope.experiments",
        "suspects.html",
        helpers,
        report=report,
        cards=cards,
        singles=[{**image, "picture": draw(image["path"])} for image in singles[:n_cases]],
        n_singles=len(singles),
        n_pictures=PICTURES,
    )


def _gather(suspects: Suspects, series: NDArray[np.int64]) -> list[_Case]:
    """Return every series, the most suspect first."""
    cases = []
    for number in range(int(series.max()) + 1):
        rows = np.flatnonzero(series == number)
        rows = rows[np.argsort(-suspects.doubt[rows], kind="stable")]
        is_suspect = suspects.is_suspect[rows]
        cases.append(
            _Case(
                rows=rows,
                doubt=float(suspects.doubt[rows].mean()),
                n_contradicted=int(((suspects.doubt[rows] > CONTRADICTED) | is_suspect).sum()),
                n_suspect=int(is_suspect.sum()),
            )
        )
    return sorted(cases, key=lambda case: (-case.doubt, int(case.rows.min())))


def _describe_case(case: _Case, predictions: Predictions, suspects: Suspects) -> dict[str, Any]:
    first = int(case.rows[0])
    return {
        "source": str(predictions.source[first]),
        "plane": str(predictions.plane[first]),
        "label": _label(predictions, first),
        "n_images": len(case.rows),
        "n_contradicted": case.n_contradicted,
        "n_suspect": case.n_suspect,
        "doubt": case.doubt,
        "probability": float(predictions.probability[case.rows].mean()),
        "images": [_describe_image(row, predictions, suspects) for row in case.rows.tolist()],
    }


def _describe_image(row: int, predictions: Predictions, suspects: Suspects) -> dict[str, Any]:
    return {
        "path": str(predictions.path[row]),
        "label": _label(predictions, row),
        "probability": float(predictions.probability[row]),
        "doubt": float(suspects.doubt[row]),
    }


def _label(predictions: Predictions, row: int) -> str:
    return (Label.POST if predictions.is_post[row] else Label.PRE).value


def _find_companion(predictions: Predictions, row: int) -> int | None:
    """Return the middle one of the subject's images in the same plane that have the other label."""
    if not predictions.subject_id[row]:
        return None
    same: Sequence[int] = np.flatnonzero(
        (predictions.subject_id == predictions.subject_id[row])
        & (predictions.source == predictions.source[row])
        & (predictions.plane == predictions.plane[row])
        & (predictions.is_post != predictions.is_post[row])
    ).tolist()
    return same[len(same) // 2] if same else None

"""Ways to answer without a network, which any network must surpass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.errors import UsageError
from gadoscope.evaluation.comparison import Rival
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import HeaderState
from gadoscope.statistics.predictors import Nature, Predictor, score_predictors
from gadoscope.statistics.table import Predictions

RIVALS: Mapping[str, str] = {
    "header": "what the header's words say, and pre-contrast where they are silent",
    "majority": "every image is what most images are",
    "plane": "the plane alone, learned from other subjects of these images",
    "source": "the source alone, learned from other subjects of these images",
}
"""Name to meaning."""

HEADER_KEYWORDS = (
    "SeriesDescription",
    "ProtocolName",
    "StudyDescription",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "ContrastBolusAgent",
    "ContrastBolusIngredient",
    "Manufacturer",
)
"""Attributes whose text a manifest may hold in a column of that name, with or without underscores."""
SPEAKING = frozenset(HEADER_KEYWORDS) - {"Manufacturer"}
"""Those that can say something of contrast; the manufacturer only tells how to read them."""


def tell_names(rivals: Sequence[Path]) -> tuple[list[str], list[Path]]:
    """Return which rivals answer without a network, by name, and the paths of the others.

    A file of that name comes first.

    Raises
    ------
    UsageError
        If one is neither.
    """
    for rival in rivals:
        if not rival.exists() and str(rival) not in RIVALS:
            raise UsageError(
                f"there is no {rival}; name a folder made by `gadoscope train`, an .onnx bundle, "
                f"or one of default, {', '.join(RIVALS)}."
            )
    paths = [rival for rival in rivals if rival.exists()]
    return [str(rival) for rival in rivals if not rival.exists()], paths


def answer_without(name: str, predictions: Predictions, columns: Mapping[str, Mapping[str, str]]) -> Rival:
    """Return how the rival ``name`` answers for each image.

    Parameters
    ----------
    name
        One of `RIVALS`.
    columns
        Path to the manifest's further columns of that image.
    """
    rival = Rival(name=name, meaning=RIVALS[name])
    if name == "majority":
        is_mostly_post = bool(predictions.n_post > predictions.n_pre)
        n = len(predictions)
        return replace(rival, score=np.zeros(n), called_post=np.full(n, is_mostly_post))
    if name == "header":
        score, why_not = _read_headers([columns[path] for path in predictions.path.tolist()])
    else:
        values = predictions.plane if name == "plane" else predictions.source
        score, why_not = _learn_names(name, values, predictions)
    return replace(rival, score=score, called_post=None if score is None else score > 0, why_not=why_not)


def _learn_names(name: str, values: NDArray[np.str_], predictions: Predictions) -> tuple[Floats | None, str]:
    predictor = Predictor(name, RIVALS[name], Nature.CIRCUMSTANCE, values)
    (scored,) = score_predictors([predictor], predictions.is_post, predictions.subject_group)
    if scored.score is None:
        reasons = {"constant": f"all images have one {name}"}
        return None, reasons.get(scored.reason, f"{scored.reason} for a fair trial")
    return scored.score, ""


def _read_headers(rows: Sequence[Mapping[str, str]]) -> tuple[Floats | None, str]:
    keywords = {keyword.casefold(): keyword for keyword in HEADER_KEYWORDS}
    known = {
        column: keywords[column.replace("_", "").casefold()]
        for row in rows
        for column in row
        if column.replace("_", "").casefold() in keywords
    }
    if not SPEAKING & set(known.values()):
        return None, "no column of the manifest holds header text, such as series_description"
    states = [
        read_evidence({known[column]: text for column, text in row.items() if column in known}).state
        for row in rows
    ]
    score = {HeaderState.ADMINISTERED: 1.0, HeaderState.SILENT: 0.0, HeaderState.NOT_ADMINISTERED: -1.0}
    return np.array([score[state] for state in states], dtype=np.float64), ""

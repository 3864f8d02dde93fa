"""How often the sealed test of a run was opened: a line for each time, in the run itself.

Each look at the test figures that leads to a change makes the next figures a little too good. Nobody can
stop looking; but the report can say how often it was done.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gadoscope.errors import OutputError
from gadoscope.evaluation.judges import Judges, Model
from gadoscope.evaluation.openings import FIGURES, OPENINGS_NAME, read_openings
from gadoscope.records import Data


def open_sealed_tests(
    models: Sequence[Model], judges: Judges, test: Data | None, comparison: Data | None
) -> list[Data]:
    """Record the opening in each run whose own test images were scored; return those of the first.

    Parameters
    ----------
    test
        Figures of the test split, by the first model; None where it is empty.
    comparison
        Those of all models; None for a model alone.
    """
    if test is None:
        return []
    time = utc_now()
    figures = [{**test["at_operating_point"], "auc": test["auc"]}]
    if comparison is not None:
        figures += [row["figures"] for row in comparison["models"][1 : len(models)]]
    for model, n_sealed, seen in zip(models, judges.n_sealed, figures, strict=True):
        if model.run is not None and n_sealed:
            opening = describe_opening(time, model.session.bundle.sha256, test["n_images"], seen)
            record_opening(model.path, opening)
    first = models[0]
    return read_openings(first.path) if first.run is not None and judges.n_sealed[0] else []


def utc_now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def record_opening(run: Path, opening: Mapping[str, Any]) -> None:
    """Append one line, whole or not at all, and wait until it is on the disk.

    Raises
    ------
    OutputError
        If it cannot be written: a test that cannot be counted is not opened.
    """
    path = run / OPENINGS_NAME
    line = json.dumps(opening, allow_nan=False) + "\n"
    try:
        if path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            line = "\n" + line  # the line before was cut short
        # One write to a file that is opened to append: two evaluations at once cannot mix their lines.
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror}; the opening of a sealed test must be recorded. "
            "Copy the run to a place where you may write."
        ) from error


def describe_opening(
    time: str, sha256: str, n_images: int, figures: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the line of an opening: when, with which bundle, and what was seen.

    Parameters
    ----------
    figures
        ``accuracy``, ``sensitivity``, ``specificity`` and ``auc`` of the test images, each with ``value``.
    """
    seen = {name: figures[name]["value"] for name in FIGURES}
    return {"time": time, "bundle_sha256": sha256, "n_images": n_images, **seen}

"""Cases of labelled data that somebody should look at: what a report says is wrong, and what is suspected."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gadoscope.errors import UsageError
from gadoscope.labels import Label
from gadoscope.sheets import PATH, read_path

REPORT, PREDICTIONS, SUSPECTS = "report.json", "predictions.csv", "suspects.json"
MOST_CASES = 2000
"""Of a table: more nobody looks at in one go."""


@dataclass(frozen=True)
class Case:
    """One labelled image or series.

    Parameters
    ----------
    path
        As its table has it.
    label
        What it is called there.
    probability
        P(post-contrast) by the model of the report.
    """

    path: str
    label: str
    probability: float


@dataclass(frozen=True)
class CaseTable:
    """The cases of one folder, the most doubtful first, and what they are."""

    name: str
    what: str
    cases: tuple[Case, ...]


def read_cases(folder: Path) -> list[CaseTable]:
    """Return the cases in a folder that `gadoscope evaluate` or `gadoscope suspects` wrote.

    Raises
    ------
    UsageError
        If it holds neither, or something else under their names.
    """
    tables = []
    try:
        if (folder / PREDICTIONS).exists():
            threshold = _read_threshold(folder / REPORT)
            wrong = sorted(_iter_wrong(folder / PREDICTIONS, threshold), key=_doubt, reverse=True)
            tables.append(CaseTable(folder.name, "answered wrongly", tuple(wrong[:MOST_CASES])))
        if (folder / SUSPECTS).exists():
            said = json.loads((folder / SUSPECTS).read_text(encoding="utf-8"))
            suspected = tuple(_to_case(one) for one in said["images"][:MOST_CASES])
            tables.append(CaseTable(folder.name, "suspected labels", suspected))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the report in {folder} cannot be read: {error!r}; make it again.") from error
    if not tables:
        raise UsageError(
            f"{folder} holds neither {PREDICTIONS} nor {SUSPECTS}; name a folder that `gadoscope evaluate` "
            "or `gadoscope suspects` wrote."
        )
    return tables


def _read_threshold(path: Path) -> float:
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    return float(model["operating_point"]["threshold"])


def _iter_wrong(path: Path, threshold: float) -> Iterator[Case]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            case = Case(read_path(row[PATH]), row["reference_label"], float(row["probability"]))
            if (case.probability >= threshold) != (case.label == Label.POST):
                yield case


def _to_case(image: Mapping[str, Any]) -> Case:
    return Case(str(image["path"]), str(image["label"]), float(image["probability"]))


def _doubt(case: Case) -> float:
    return 1 - case.probability if case.label == Label.POST else case.probability

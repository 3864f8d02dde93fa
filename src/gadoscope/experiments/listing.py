"""The runs below a folder, one row each: what they are, how far they came, and what they reached.

Every row is read by itself and tolerantly: a run that is half finished, or of which a file is damaged, is a
row that says so, and never ends the list.
"""

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gadoscope.errors import GadoscopeError, UsageError
from gadoscope.evaluation.openings import read_openings
from gadoscope.files import hash_file, write_text
from gadoscope.inference.bundle import name_model
from gadoscope.run_folder import (
    BUNDLE_NAME,
    CONFIG_NAME,
    METRICS_NAME,
    PREPARED_NAME,
    RECORD_NAME,
    SPLIT_NAME,
)
from gadoscope.sheets import SheetWriter

FINISHED, UNFINISHED, DAMAGED = "finished", "unfinished", "damaged"
BY_DATE, BY_FOLDER, BY_VALIDATION, BY_TEST = "date", "folder", "validation", "test"
"""Newest first; by name; by AUC, the best first and what has none last."""
ORDERS = (BY_DATE, BY_FOLDER, BY_VALIDATION, BY_TEST)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run; what is not known is None.

    ``epochs`` counts those that were trained, ``planned`` those that were asked for; ``test_`` figures are of
    the last time that the run's own test was opened, ``n_openings`` how often it was. ``date`` is when its
    record, or else its last epoch, was written: UTC, to the minute.
    """

    run: str
    state: str
    name: str | None = None
    date: str | None = None
    network: str | None = None
    epochs: int | None = None
    planned: int | None = None
    kept_epoch: int | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_auc: float | None = None
    test_accuracy: float | None = None
    test_auc: float | None = None
    n_openings: int | None = None
    bundle: str | None = None
    note: str = ""


COLUMNS = tuple(field.name for field in fields(RunRow))


def list_runs(folder: Path, order: str = BY_DATE) -> list[RunRow]:
    """Return a row for each run in ``folder`` or anywhere below it.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; name one that holds runs of `gadoscope train`.")
    rows = [_read_row(run, folder) for run in _iter_runs(folder)]
    rows.sort(key=lambda row: row.run)
    if order == BY_DATE:
        rows.sort(key=lambda row: row.date or "", reverse=True)
    elif order in {BY_VALIDATION, BY_TEST}:
        figure = f"{order}_auc"
        rows.sort(
            key=lambda row: -1.0 if getattr(row, figure) is None else getattr(row, figure), reverse=True
        )
    return rows


def write_runs(rows: Sequence[RunRow], path: Path) -> None:
    """Write a CSV with a column for each field of `RunRow`; what is not known is empty."""
    text = io.StringIO(newline="")
    sheet = SheetWriter(text, COLUMNS)
    for row in rows:
        values = [getattr(row, column) for column in COLUMNS]
        sheet.write(["" if value is None else str(value) for value in values])
    write_text(path, text.getvalue())


def _iter_runs(folder: Path) -> Iterator[Path]:
    """Yield the folders that a training wrote into, also where it was killed; links are not followed."""
    for where, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name != PREPARED_NAME)
        if RECORD_NAME in names or METRICS_NAME in names or {CONFIG_NAME, SPLIT_NAME} <= set(names):
            yield Path(where)


def _read_row(run: Path, folder: Path) -> RunRow:
    shown = str(run.relative_to(folder)) if run != folder else str(folder)
    try:
        return _describe(run, shown)
    except (OSError, ValueError, RecursionError, GadoscopeError) as error:
        return RunRow(run=shown, state=DAMAGED, note=str(error))


def _describe(run: Path, shown: str) -> RunRow:
    has_record = (run / RECORD_NAME).is_file()
    is_finished = has_record and (run / BUNDLE_NAME).is_file()
    record = _read_object(run / RECORD_NAME) if has_record else {}
    config = _dig(record, "config") if has_record else _read_settings(run)
    history = _read_history(run)
    done, planned = len(history), _take(config, "epochs", int)
    kept = _take(record, "kept_epoch", int) or done
    row = history[kept - 1] if 0 < kept <= done else {}
    measured = _dig(record, "performance", "validation")
    openings = read_openings(run)
    test = openings[-1] if openings else {}
    name = _take(config, "name", str)
    return RunRow(
        run=shown,
        state=FINISHED if is_finished else UNFINISHED,
        name=name,
        date=_date_of(run),
        network=_take(config, "network", str),
        epochs=done,
        planned=planned,
        kept_epoch=kept if is_finished and kept else None,
        validation_loss=_take(row, "validation_loss", float),
        validation_accuracy=_take(
            measured or {"accuracy": row.get("validation_accuracy")}, "accuracy", float
        ),
        validation_auc=_take(measured, "auc", float),
        test_accuracy=_take(test, "accuracy", float),
        test_auc=_take(test, "auc", float),
        n_openings=len(openings),
        bundle=name_model(name or "", hash_file(run / BUNDLE_NAME)) if is_finished else None,
        note=""
        if is_finished
        else f"ended in or after epoch {done} of {planned or '?'}: go on with --resume",
    )


def _read_object(path: Path) -> Mapping[str, Any]:
    return _as_object(json.loads(path.read_text(encoding="utf-8")), path.name)


def _read_settings(run: Path) -> Mapping[str, Any]:
    """Return the settings of a run that has no record yet."""
    import tomllib  # noqa: PLC0415 - of unfinished runs only

    path = run / CONFIG_NAME
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _read_history(run: Path) -> Sequence[Mapping[str, Any]]:
    path = run / METRICS_NAME
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_as_object(json.loads(line), METRICS_NAME) for line in lines if line.strip()]


def _date_of(run: Path) -> str | None:
    """Return when the run was last written to."""
    for name in (RECORD_NAME, METRICS_NAME, CONFIG_NAME):
        if (run / name).is_file():
            moment = datetime.fromtimestamp((run / name).stat().st_mtime, UTC)
            return moment.strftime("%Y-%m-%d %H:%M")
    return None


def _as_object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} holds no object")
    return value


def _dig(table: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        value = table.get(key)
        table = value if isinstance(value, dict) else {}
    return table


def _take(table: Mapping[str, Any], key: str, *kinds: type) -> Any:
    """Return a value of one of these types (a whole number is a number); anything else counts as unknown."""
    value = table.get(key)
    if float in kinds and type(value) is int:
        return float(value)
    return value if type(value) in kinds else None

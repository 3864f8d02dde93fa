"""Answers that were kept on this machine while their store was away, taken in."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.results.journal import LOCK_SECONDS
from gadoscope.results.journal_file import open_journal_file
from gadoscope.results.store.batch import write_values
from gadoscope.results.store.opening import WRITES
from gadoscope.results.store.schema import ANSWERS, MODELS, RUNS, SERIES, Table
from gadoscope.results.store.writer import end_run, note_model, note_run, run_many

ROWS_AT_ONCE = 5000
"""Rows in memory: some 5 MB."""


def take_in(engine: sa.Engine, path: Path) -> int | None:
    """Return how many rows of a journal are in the store now, and remove it; ``None`` if that is in use."""
    try:
        database = open_journal_file(path, LOCK_SECONDS)
    except UsageError:  # of a run that goes on; or nothing of ours, which stays where it is
        return None
    database.row_factory = sqlite3.Row
    with closing(database), engine.execution_options(**{WRITES: True}).begin() as connection:
        models = {
            row["id"]: note_model(connection, row["sha256"], row["name"], row["metadata"])
            for row in _iter_rows(database, MODELS)
        }
        n_rows = 0
        for row in _iter_rows(database, RUNS):
            n_rows += _take_run(connection, database, {**row, "model_id": models[row["model_id"]]}, row["id"])
    path.unlink(missing_ok=True)
    return n_rows


def _take_run(
    connection: sa.Connection, database: sqlite3.Connection, run: Mapping[str, Any], old: int
) -> int:
    ids = note_run(connection, run)
    execute = lambda statement, values: run_many(connection, statement, values)  # noqa: E731 — said once
    n_rows = 0
    for answers in _iter_groups(database, ANSWERS, f"run_id = {old}"):
        n_rows += len(answers)
        write_values(execute, ids, answers=answers)
    for places in _iter_groups(database, SERIES, f"last_seen_run = {old}"):
        write_values(execute, ids, places=[{**place, "at": run["ended"] or run["begun"]} for place in places])
    if run["ended"]:
        end_run(connection, ids, state=run["state"], counts=run["counts"], ended=run["ended"])
    return n_rows


def _iter_rows(database: sqlite3.Connection, table: Table, where: str = "TRUE") -> Iterator[dict[str, Any]]:
    names = ", ".join(("id", *(column.name for column in table.columns)))
    for row in database.execute(f"SELECT {names} FROM {table.name} WHERE {where} ORDER BY id"):  # noqa: S608 — ours
        yield dict(row)


def _iter_groups(database: sqlite3.Connection, table: Table, where: str) -> Iterator[list[dict[str, Any]]]:
    waiting: list[dict[str, Any]] = []
    for row in _iter_rows(database, table, where):
        waiting.append(row)
        if len(waiting) >= ROWS_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting

"""The file of a journal: opened for one run at a time, or refused with the reason in one sentence."""

import errno
import json
import os
import sqlite3
from pathlib import Path

from gadoscope.errors import OutputError, UsageError
from gadoscope.files import explain_refusal
from gadoscope.labels import SeriesResult
from gadoscope.records import from_plain
from gadoscope.results.sqlite_files import BUSY, DISK_ERRORS, error_kind, may_write
from gadoscope.results.store.batch import ADD_ANSWERS
from gadoscope.results.store.codec import ROW_COLUMNS, now, to_values
from gadoscope.results.store.looks import UNKNOWN_POINTS, look_order, read_points
from gadoscope.results.store.schema import ALONE, iter_statements
from gadoscope.text import unescaped

APPLICATION_ID = 0x6A6F7572
"""SQLite's field for whose file it is: "jour"."""
FORMAT_VERSION = 3
"""1 held each answer as one JSON text, 2 knew no order to look in; both are taken over when opened."""
ADD_MODEL = (
    "INSERT INTO models (sha256, name, metadata, first_seen) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
ADD_RUN = (
    "INSERT INTO runs (token, model_id, version, begun, state, roots, counts) VALUES (?, ?, ?, ?, ?, ?, '{}')"
)

_TO_THIRD = (
    "ALTER TABLE series ADD COLUMN scanner TEXT",
    "ALTER TABLE series ADD COLUMN month TEXT",
    "ALTER TABLE answers ADD COLUMN look_order FLOAT",
    "DROP INDEX IF EXISTS answers_by_phase_and_agreement",  # of fewer columns
    "DROP TABLE reviews",  # always empty; made anew
)


def open_journal_file(path: Path, lock_seconds: float) -> sqlite3.Connection:
    """Open the journal at a path, which nobody else may write meanwhile; make it if it is not there.

    Raises
    ------
    UsageError
        If there is another file at the path, or another run has it open.
    OutputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=lock_seconds, check_same_thread=False)
    except OSError as error:
        raise OutputError(explain_refusal(path, error)) from error
    except sqlite3.Error as error:
        raise explain_sqlite(path, error) from error
    try:
        _prepare(database)
    except sqlite3.Error as error:
        database.close()
        raise explain_sqlite(path, error) from error
    except (ValueError, TypeError, RecursionError) as error:  # no JSON, no list, or other rows
        database.close()
        raise refuse_journal(path, error) from error
    return database


def _prepare(database: sqlite3.Connection) -> None:
    # One run at a time. Rows are text of our own, so the disk's word is asked once a commit.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN IMMEDIATE")
    (owner,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (n_tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if n_tables and (owner != APPLICATION_ID or version not in range(1, FORMAT_VERSION + 1)):
        raise sqlite3.DatabaseError("another program's or another version's file")
    is_first, is_second = n_tables and version == 1, n_tables and version == 2  # noqa: PLR2004 — see above
    if is_first:
        for name in ("answers", "suspects"):
            database.execute(f"ALTER TABLE {name} RENAME TO older_{name}")
    if is_second:
        for statement in _TO_THIRD:
            database.execute(statement)
    for statement in iter_statements():
        database.execute(statement)
    if is_first:
        _take_over(database)
    if is_second:
        _add_look_orders(database)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    database.commit()


def _add_look_orders(database: sqlite3.Connection) -> None:
    """Say of each answer when it is looked at, as a journal of the second format does not."""
    points = {
        id_: read_points(unescaped(said)) for id_, said in database.execute("SELECT id, metadata FROM models")
    }
    seen = database.execute(f"SELECT id, model_id, digest, {', '.join(ROW_COLUMNS)} FROM answers")  # noqa: S608 — ours
    names = [column for column, *_ in seen.description]
    rows = [dict(zip(names, values, strict=True)) for values in seen]
    database.executemany(
        "UPDATE answers SET look_order = ? WHERE id = ?",
        [(look_order(row, points[row["model_id"]]), row["id"]) for row in rows],
    )


def _take_over(database: sqlite3.Connection) -> None:
    """Take over what a journal of the first format holds."""
    groups = database.execute("SELECT DISTINCT model, version FROM older_answers").fetchall()
    for sha256, version in groups:
        held = database.execute(
            "SELECT digest, rows FROM older_answers WHERE model = ? AND version = ?", (sha256, version)
        ).fetchall()
        answers = [
            (digest, [from_plain(SeriesResult, row) for row in json.loads(rows)]) for digest, rows in held
        ]
        name = next((row.model for _, rows in answers for row in rows), "")
        model, run = note_run(database, (sha256, name, "{}"), version, token=f"{sha256}/{version}", roots=[])
        shared = {"study": ALONE, "model_id": model, "version": version, "answered_at": now(), "run_id": run}
        values = [{**to_values(row), **shared, "digest": digest} for digest, rows in answers for row in rows]
        points = UNKNOWN_POINTS  # the bundle's metadata were not kept
        database.executemany(ADD_ANSWERS, [{**one, "look_order": look_order(one, points)} for one in values])
    database.execute("INSERT INTO suspects (digest) SELECT digest FROM older_suspects")
    database.execute("DROP TABLE older_answers")
    database.execute("DROP TABLE older_suspects")


def note_run(
    database: sqlite3.Connection, model: tuple[str, str, str], version: str, *, token: str, roots: list[str]
) -> tuple[int, int]:
    """Return the numbers of a model (SHA-256, name, what it says of itself) and of a run that begins."""
    begun = now()
    database.execute(ADD_MODEL, (*model, begun))
    (number,) = database.execute("SELECT id FROM models WHERE sha256 = ?", model[:1]).fetchone()
    run = database.execute(ADD_RUN, (token, number, version, begun, "running", json.dumps(roots)))
    return int(number), int(run.lastrowid or 0)


def explain_sqlite(path: Path, error: sqlite3.Error) -> UsageError | OutputError:
    """Return in one sentence what SQLite has against a journal, and what to do."""
    kind = error_kind(error)
    if kind in BUSY:
        return UsageError(f"another run is writing {path}; wait for it, or name another --output.")
    if kind in DISK_ERRORS:
        if not may_write(path):
            denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
            return OutputError(explain_refusal(path, denied))
        return OutputError(
            f"cannot write {path}: {error}. Free some space or name another output, "
            "then run the command again with --resume."
        )
    return refuse_journal(path, error)


def refuse_journal(path: Path, why: Exception) -> UsageError:
    """Return the sentence about a file that is no journal."""
    return UsageError(f"{path} is no journal that this Gadoscope reads ({why}); remove it, then run again.")

"""Statements run on a store, each a transaction: the numbers of models and runs, and batches of answers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gadoscope.results.store.address import POSTGRESQL
from gadoscope.results.store.batch import (
    ADD_SCANS,
    FORGET_SCANS,
    SCANS_KEPT_DAYS,
    SEE_SCANS,
    Batch,
    RunIds,
    insert_new,
)
from gadoscope.results.store.bulk import write_for_many
from gadoscope.results.store.codec import format_time, now
from gadoscope.results.store.looks import read_points
from gadoscope.results.store.opening import WRITES
from gadoscope.results.store.schema import MODELS, RUNS, SUSPECTS
from gadoscope.text import unescaped

ADD_MODEL = sa.text(insert_new(MODELS, ("sha256", "name", "metadata", "first_seen")))
ADD_RUN = sa.text(
    insert_new(RUNS, ("token", "model_id", "version", "begun", "ended", "state", "roots", "counts"))
)
ADD_SUSPECT = sa.text(insert_new(SUSPECTS, ("digest",)))
_END_RUN = sa.text("UPDATE runs SET ended = :ended, state = :state, counts = :counts WHERE id = :run")
_FIND_MODEL = sa.text("SELECT id FROM models WHERE sha256 = :sha256")
_FIND_METADATA = sa.text("SELECT metadata FROM models WHERE id = :model_id")
_FIND_RUN = sa.text("SELECT id FROM runs WHERE token = :token")
_FIND_OTHER = sa.text("SELECT 1 FROM runs WHERE model_id = :model_id AND version <> :version LIMIT 1")
_FIND_SUSPECTS = sa.text("SELECT digest FROM suspects")


def run_many(connection: sa.Connection, statement: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement of a `Batch`.

    In the driver's own words: what SQLAlchemy does for each row is half of what writing it takes.
    """
    if connection.dialect.name != POSTGRESQL:
        connection.exec_driver_sql(statement, list(values))
        return
    for_many, names = write_for_many(statement)
    rows = json.dumps([{name: one[name] for name in names} for one in values])
    connection.exec_driver_sql(for_many, {"rows": rows})


def note_model(connection: sa.Connection, sha256: str, name: str, metadata: str) -> int:
    """Return the number of a model, which is noted where it is new."""
    found = {"sha256": sha256, "name": name, "metadata": metadata, "first_seen": now()}
    connection.execute(ADD_MODEL, found)
    return int(connection.execute(_FIND_MODEL, found).scalar_one())


def note_run(connection: sa.Connection, run: Mapping[str, Any]) -> RunIds:
    """Return the numbers of a run, which is noted where it is new; ``run`` has the columns of `runs`."""
    connection.execute(ADD_RUN, run)
    number = int(connection.execute(_FIND_RUN, run).scalar_one())
    has_others = connection.execute(_FIND_OTHER, run).scalar() is not None
    points = read_points(unescaped(connection.execute(_FIND_METADATA, run).scalar_one()))
    return RunIds(run["model_id"], number, run["version"], has_others=has_others, points=points)


def begin_run(
    engine: sa.Engine, model: tuple[str, str, str], version: str, *, token: str, roots: Sequence[str]
) -> RunIds:
    """Return the numbers of a run that begins, of a model: SHA-256, name, and what it says of itself."""
    run = {
        "token": token,
        "version": version,
        "begun": now(),
        "ended": None,
        "state": "running",
        "counts": "{}",
    }
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        number = note_model(connection, *model)
        return note_run(connection, {**run, "model_id": number, "roots": json.dumps(list(roots))})


def forget_scans(connection: sa.Connection) -> None:
    """Forget headers of files that no run saw for `SCANS_KEPT_DAYS`."""
    before = format_time(datetime.now(UTC) - timedelta(days=SCANS_KEPT_DAYS))
    connection.execute(sa.text(FORGET_SCANS), {"before": before})


def end_run(connection: sa.Connection, run: RunIds, *, state: str, counts: str, ended: str) -> None:
    """Note how a run ended."""
    connection.execute(_END_RUN, {"ended": ended, "state": state, "counts": counts, "run": run.run})


def write_batch(engine: sa.Engine, batch: Batch, run: RunIds) -> None:
    """Write a batch: all of it, or nothing."""
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        batch.write(lambda statement, values: run_many(connection, statement, values), run)
        scans = batch.list_scans()
        if scans:
            connection.execute(sa.text(ADD_SCANS), scans)
        if seen := batch.list_seen_scans():
            connection.execute(sa.text(SEE_SCANS), seen)


def note_suspects(engine: sa.Engine, digests: Sequence[str]) -> frozenset[str]:
    """Return the suspects of all runs, and note these."""
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        if digests:
            connection.execute(ADD_SUSPECT, [{"digest": one} for one in digests])
        return frozenset(connection.execute(_FIND_SUSPECTS).scalars())

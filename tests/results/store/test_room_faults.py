"""A room whose store is read-only, locked, killed or of another version: one sentence, nothing lost."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from gadoscope.errors import OutputError, UsageError
from gadoscope.labels import Verdict
from gadoscope.results.store import room as rooms
from gadoscope.results.store.reviews import Decision
from gadoscope.results.store.room import Room
from tests.support.postgresql import Server
from tests.support.stored import ANSWERED, begin, keep


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an SQLite store with one series."""
    path = tmp_path / "answers.db"
    with begin(str(path)) as store:
        keep(store, "one", [ANSWERED])
    return path


def decision(number: int) -> Decision:
    """Return one decision of many."""
    return Decision(verdict=Verdict.PRE, reader="ann", token=f"key-{number}")


def test_a_store_that_may_not_be_written_is_looked_at_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "may_write", lambda _: False)
    with Room(str(path)) as room:
        (item,) = room.queue().items
        assert room.is_read_only
        with pytest.raises(
            OutputError, match="may not be written by this user: decisions need a store that may"
        ):
            room.decide(item.place, decision(0))
        assert room.history(item.place) == ()


def test_a_decision_waits_for_who_writes_and_then_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "BUSY_SECONDS", 0.1)
    with Room(str(path)) as room:
        (item,) = room.queue().items
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="being written by another program"):
            room.decide(item.place, decision(0))
        assert room.queue().total == 1  # who reads does not wait
        other.execute("ROLLBACK")
        other.close()
        assert room.decide(item.place, decision(0)).verdict is Verdict.PRE


def test_a_room_of_an_older_store_brings_it_up_to_date_unless_it_only_reads(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for statement in (
            "DROP INDEX answers_by_model_id_and_look_order",
            "DROP INDEX answers_by_study_instance_uid",
            "DROP INDEX series_by_study_and_digest",
            "ALTER TABLE series DROP COLUMN scanner",
            "ALTER TABLE series DROP COLUMN month",
            "ALTER TABLE answers DROP COLUMN look_order",
            "UPDATE gadoscope_version SET version_num = '0002'",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    with monkeypatch.context() as patch:
        patch.setattr(rooms, "may_write", lambda _: False)
        with pytest.raises(UsageError, match="a store of an older Gadoscope"):
            Room(str(path))
    with Room(str(path)) as room:
        assert room.queue().total == 1


def test_what_was_confirmed_before_a_kill_is_in_the_store(path: Path) -> None:
    program = (
        "import itertools, sys\n"
        "from gadoscope.results.store.reviews import Decision\n"
        "from gadoscope.results.store.room import Room\n"
        "room = Room(sys.argv[1])\n"
        "for n in itertools.count():\n"
        "    kept = room.decide(1, Decision(verdict='pre', reader='ann', token=f'key-{n}'))\n"
        "    print(kept.token, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.1)
        child.kill()
        confirmed = ["key-0", *child.stdout.read().split()]
    with Room(str(path)) as room:
        kept = [one.token for one in room.history(1)]
        assert kept[: len(confirmed)] == confirmed
        assert len(kept) <= len(confirmed) + 1
        assert room.decide(1, decision(0)) == room.history(1)[0]  # sent again by who was not told
        assert len(room.history(1)) == len(kept)


def test_a_room_goes_on_after_its_server_was_restarted(server: Server) -> None:
    url = server.make_database("room_restarted")
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
    with Room(url) as room:
        (item,) = room.queue().items
        ended = server.ask(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'room_restarted'",
        )
        assert ended == [(True,)]
        assert room.decide(item.place, decision(0)).verdict is Verdict.PRE

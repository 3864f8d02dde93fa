"""One description of the tables: what migrations make, what SQLAlchemy asks, and what the journal writes."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import gadoscope.results.store as room
from gadoscope.labels import Verdict
from gadoscope.results.journal import Journal
from gadoscope.results.store.address import parse_address
from gadoscope.results.store.opening import open_engine
from gadoscope.results.store.queue import QueueQuery
from gadoscope.results.store.reviews import Decision
from gadoscope.results.store.room import Room
from gadoscope.results.store.schema import HEAD, TABLES, VERSION_TABLE
from gadoscope.results.store.store import Store
from gadoscope.results.store.tables import METADATA
from tests.support.stored import ANSWERED, MODEL, NAME, VERSION, begin, elsewhere, keep


def test_migrations_make_the_tables_that_are_described(url: str) -> None:
    engine = open_engine(parse_address(url), writes=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


def test_the_last_migration_is_the_one_that_a_store_notes() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(room.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def step_back(url: str) -> None:
    """Make a store that was begun by hand one of the first Gadoscope that had stores: with its indexes."""
    engine = sa.create_engine(parse_address(url).url)
    with engine.begin() as connection:
        for statement in (
            "DROP INDEX answers_by_phase_and_agreement",
            "CREATE INDEX answers_by_phase_and_agreement ON answers (phase, agreement)",
            "DROP INDEX scans_by_seen_at",
            "DROP INDEX series_key",
            "CREATE UNIQUE INDEX series_key ON series (digest, study, place)",
            "DROP INDEX answers_by_model_id_and_look_order",
            "DROP INDEX answers_by_study_instance_uid",
            "DROP INDEX series_by_study_and_digest",
            "ALTER TABLE series DROP COLUMN scanner",
            "ALTER TABLE series DROP COLUMN month",
            "ALTER TABLE answers DROP COLUMN look_order",
            "DROP TABLE reviews",
            "CREATE TABLE reviews (id INTEGER PRIMARY KEY, digest TEXT, model_id BIGINT, verdict TEXT, "
            "note TEXT, reader TEXT, reviewed_at TEXT)",
            "INSERT INTO reviews VALUES (7, 'one', 1, 'pre', 'by hand', 'ann', '2026-11-30T20:26:00Z')",
            f"UPDATE {VERSION_TABLE} SET version_num = '0001'",  # noqa: S608 — our name
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_store_of_the_first_tables_is_read_as_it_is_and_carried_over_by_the_next_run(url: str) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
    step_back(url)
    assert list(Store(url).rows()) == [ANSWERED]
    with begin(url) as store:
        assert store.find("one") == elsewhere([ANSWERED], "")
    test_migrations_make_the_tables_that_are_described(url)
    assert list(Store(url).rows(phase="POST_CONTRAST", agreement="conflict")) == [ANSWERED]
    with Room(url) as room:  # in its place in the queue, with what somebody's own SQL said of it
        (item,) = room.queue(QueueQuery(look="conflict")).items
        (review,) = room.history(item.place)
        assert (item.verdicts, review.note) == ({"ann": Verdict.PRE}, "by hand")
        room.decide(item.place, Decision(verdict=Verdict.POST, reader="bob", token=uuid4().hex))
        assert len(room.history(item.place)) == 2


def describe(path: Path) -> dict[str, Any]:
    """Return the columns and indexes of each table of SQLite."""
    engine = sa.create_engine(f"sqlite:///{path}")
    seen = sa.inspect(engine)
    described = {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in seen.get_columns(name)],
            sorted((str(one["name"]), one["column_names"], one["unique"]) for one in seen.get_indexes(name)),
            sorted(one["referred_table"] for one in seen.get_foreign_keys(name)),
        )
        for name in (table.name for table in TABLES)
    }
    engine.dispose()
    return described


def test_a_journal_has_the_tables_of_a_store(tmp_path: Path) -> None:
    open_engine(parse_address(str(tmp_path / "a.db")), writes=True).dispose()
    with Journal(tmp_path / "r.csv.journal", is_resuming=False) as journal:
        journal.begin(model=MODEL, version=VERSION, name=NAME)
        journal.add("one", [ANSWERED])
        journal.settle("one", [ANSWERED], "")
    assert describe(tmp_path / "r.csv.journal") == describe(tmp_path / "a.db")


def test_a_journal_is_asked_as_a_store_is(tmp_path: Path) -> None:
    path = tmp_path / "r.csv.journal"
    with Journal(path, is_resuming=False) as journal:
        journal.begin(model=MODEL, version=VERSION, name=NAME)
        keep(journal, "one", [ANSWERED])
    (row,) = Store(str(path)).rows(phase="POST_CONTRAST")
    assert row == ANSWERED

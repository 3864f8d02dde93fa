"""A store is opened: made, migrated, or refused in one sentence; no password reaches a message."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from gadoscope.errors import UsageError
from gadoscope.results.sqlite_files import may_write
from gadoscope.results.store.address import POSTGRESQL, Address
from gadoscope.results.store.refusals import explain_database, refuse_store
from gadoscope.results.store.schema import APPLICATION_ID, HEAD, OLDEST_READ, TABLES, VERSION_TABLE

BUSY_SECONDS = 30.0
"""How long SQLite waits for another writer before it says so; each holds the store for parts of a second."""
CONNECT_SECONDS = 10
"""How long to wait for a server that does not answer."""
LOCK_KEY = APPLICATION_ID
"""Of PostgreSQL's advisory lock: two runs do not make one store at once."""
WRITES = "gadoscope_writes"
"""Option of a connection whose transactions take SQLite's lock at their beginning: waiting for it later is a
circle where two do it."""


def open_engine(
    address: Address, *, writes: bool, busy_seconds: float = BUSY_SECONDS, oldest: str = OLDEST_READ
) -> sa.Engine:
    """Open a store whose tables are those of this Gadoscope.

    Parameters
    ----------
    address
        Where it is.
    writes
        Whether it is made where there is none, and migrated where it is older.
    busy_seconds
        How long to wait for another writer of SQLite.
    oldest
        The first migration that will do for who only reads.

    Raises
    ------
    UsageError
        If there is none, or that of another program or of a newer Gadoscope.
    OutputError
        If it cannot be written, or its server does not answer.
    """
    if not writes:
        check_is_there(address)
    with explained(address, writes=writes):
        if address.path is not None and writes:
            address.path.parent.mkdir(parents=True, exist_ok=True)
        engine = _make_engine(address, writes=writes, busy_seconds=busy_seconds)
        try:
            with engine.execution_options(**{WRITES: writes}).begin() as connection:
                _check(connection, address, oldest, writes=writes)
        except BaseException:
            engine.dispose()
            raise
    return engine


def check_is_there(address: Address) -> None:
    """Raise a UsageError if the file of a store is not there; of a server only an attempt tells."""
    if address.path is not None and not address.path.is_file():
        raise UsageError(f"there is no store {address.shown}; `gadoscope classify PATH --store` makes one.")


@contextmanager
def explained(address: Address, *, writes: bool = True) -> Iterator[None]:
    """Turn what goes wrong with a store into one sentence of ours, without the password."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise explain_database(address, error, writes=writes) from None  # what a library says stays unsaid


def _make_engine(address: Address, *, writes: bool, busy_seconds: float) -> sa.Engine:
    if address.path is not None:
        path = address.path
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: _connect_file(path, busy_seconds, writes=writes),
            poolclass=sa.QueuePool,
            pool_size=0,
        )
        sa.event.listen(engine, "connect", _begin_ourselves)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    how = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "gadoscope",
        "keepalives_idle": 30,
        # Rows are found by their keys: on today's disks, and in memory, one is read as fast as the next.
        "options": "-c random_page_cost=1.1",
    }
    asked = sa.make_url(address.url)
    return sa.create_engine(
        asked,
        pool_size=0,
        pool_pre_ping=True,  # a connection that waited may be one to a server that was restarted since
        hide_parameters=True,
        connect_args={k: v for k, v in how.items() if k not in asked.query},
    )


def _connect_file(path: Path, busy_seconds: float, *, writes: bool) -> sqlite3.Connection:
    how = ""
    if not writes and not may_write(path):  # SQLite notes who reads a store beside it, unless nobody writes
        how = "?mode=ro&immutable=1"
    elif not writes:
        how = "?mode=rw"
    uri = f"{path.absolute().as_uri()}{how}"
    return sqlite3.connect(uri, uri=True, timeout=busy_seconds, check_same_thread=False)


def _begin_ourselves(connection: sqlite3.Connection, _: Any) -> None:
    """Let Python begin no transaction: it does so too late, and not for tables."""
    connection.isolation_level = None


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check(connection: sa.Connection, address: Address, oldest: str, *, writes: bool) -> None:
    if connection.dialect.name == POSTGRESQL and writes:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    names = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE in names:
        found = str(connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar())  # noqa: S608 — ours
        if found != HEAD and (writes or not oldest <= found < HEAD):
            _migrate_older(connection, address, found, writes=writes)
        return
    if names:
        if not writes and _is_journal(connection, names):
            return
        raise refuse_store(address, f"it holds other tables: {', '.join(sorted(names)[:3])}")
    if not writes:
        raise UsageError(f"{address.shown} is empty; `gadoscope classify PATH --store` makes a store there.")
    _migrate(connection)


def _migrate_older(connection: sa.Connection, address: Address, found: str, *, writes: bool) -> None:
    if found > HEAD or not found.isdigit():
        raise UsageError(
            f"{address.shown} is a store of a newer Gadoscope (its tables are of number {found}, "
            f"these of {HEAD}); update Gadoscope, or name another store."
        )
    if not writes:
        raise UsageError(
            f"{address.shown} is a store of an older Gadoscope; `gadoscope classify PATH --store` brings it "
            "up to date."
        )
    _migrate(connection)


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 — 0.2 s that a store which is there already does not need
    from alembic.config import Config  # noqa: PLC0415 — as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name != POSTGRESQL:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _is_journal(connection: sa.Connection, names: set[str]) -> bool:
    return connection.dialect.name != POSTGRESQL and {table.name for table in TABLES} <= names


def use_wal(engine: sa.Engine) -> None:
    """Let readers read an SQLite store while it is written; on a network drive it stays as it is."""
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()

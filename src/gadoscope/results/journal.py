"""The journal beside a result table: answers as they come, so that a run that was killed can go on.

Answers are known by the content they belong to, the bundle and the program's version, never by path or
time: files may be renamed, copied or touched in between. One SQLite file with the tables of a store (see
`gadoscope.results.store`); what was committed survives SIGKILL, and a half-written commit is rolled back when
it is opened again.
"""

import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gadoscope.labels import SeriesResult
from gadoscope.results.journal_file import explain_sqlite, note_run, open_journal_file, refuse_journal
from gadoscope.results.keeping import NOWHERE, Lying, Origin
from gadoscope.results.store.batch import Batch, RunIds
from gadoscope.results.store.codec import ROW_COLUMNS, count_statuses, from_values, now
from gadoscope.results.store.looks import read_points
from gadoscope.results.store.places import find_moved, find_places
from gadoscope.results.store.schema import ALONE, UNREAD, WHOLE
from gadoscope.results.under_way import UnderWay, under_way_path
from gadoscope.text import escaped

SUFFIX = ".journal"
"""After the whole name of the table: results.csv.journal."""
COMMIT_SECONDS = 1.0
"""A kill loses no more work than this; committing waits for the disk."""
LOCK_SECONDS = 0.5
"""How long to wait for another run that writes the same journal."""

_FIND = (
    f"SELECT {', '.join(ROW_COLUMNS)} FROM answers WHERE digest = ? AND study = ? "  # noqa: S608 — our names
    f"AND model_id = ? AND version = ? ORDER BY volume_index = {WHOLE}, volume_index"
)
_COUNT = (
    "SELECT count(*) FILTER (WHERE model_id = ? AND version = ?), count(*) FROM answers "  # noqa: S608 — as above
    f"WHERE study = '{ALONE}' AND volume_index = {WHOLE} AND digest NOT LIKE '{UNREAD}%'"
)
_END_RUN = "UPDATE runs SET ended = ?, state = ?, counts = ? WHERE id = ?"


def journal_path(table: Path) -> Path:
    """Return where the journal of a result table lies."""
    return table.with_name(table.name + SUFFIX)


class Journal:
    """Answers of this run, and with ``is_resuming`` of those before it: a `Keeper`.

    Parameters
    ----------
    path
        Where it lies; `begin` makes it if it does not exist.
    is_resuming
        Whether answers of earlier runs are found.
    batch
        What waits to be written already, where the journal goes on for a store that is away.
    token
        Of the run, where it is known by one.
    """

    remembers = False

    def __init__(self, path: Path, *, is_resuming: bool, batch: Batch | None = None, token: str = "") -> None:
        self.path = path
        self._is_resuming = is_resuming
        self._is_new = True
        self._is_finished = False
        self._name = ""
        self._ids = RunIds(0, 0, "", has_others=False)
        self._is_for_store = batch is not None
        self._batch = Batch() if batch is None else batch
        self._token = token or uuid.uuid4().hex
        self._lock = threading.Lock()
        self._committed = time.monotonic()
        self._database: sqlite3.Connection | None = None
        self._under_way = UnderWay(under_way_path(path))
        self._suspects: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin(
        self,
        *,
        model: str,
        version: str,
        forget: str = "",
        name: str = "",
        metadata: str = "{}",
        roots: Sequence[str] = (),
    ) -> None:
        """Open it for the answers of one bundle; parameters and errors of a `Keeper`.

        Of versions that end with ``forget`` all answers are wiped out. Another run that has it open is a
        UsageError, too.
        """
        self._is_new = not os.path.lexists(self.path)
        self._database = open_journal_file(self.path, LOCK_SECONDS)
        if forget:
            self._ask("PRAGMA secure_delete = ON")
            self._ask("DELETE FROM answers WHERE version GLOB '*' || ?", forget)
            self._commit()
        for digest in self._under_way.read():
            self._ask("INSERT INTO suspects (digest) VALUES (?) ON CONFLICT DO NOTHING", digest)
        (suspects,) = self._ask("SELECT group_concat(digest) FROM suspects")
        self._suspects = frozenset((suspects or "").split(",")) - {""}
        try:
            numbers = note_run(
                self._database,
                (model, escaped(name), escaped(metadata)),
                version,
                token=self._token,
                roots=list(roots),
            )
        except sqlite3.Error as error:
            raise explain_sqlite(self.path, error) from error
        self._commit()
        others = self._ask("SELECT 1 FROM runs WHERE model_id = ? AND version <> ?", numbers[0], version)
        points = read_points(metadata)
        self._name, self._ids = name, RunIds(*numbers, version, has_others=others is not None, points=points)

    def is_suspect(self, digest: str) -> bool:
        """Return whether a run died while it decoded a file of this content, perhaps of that."""
        return digest in self._suspects

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note that the block decodes a file of this content."""
        return self._under_way.note(digest)

    def count(self) -> tuple[int, int]:
        """Return how many contents have an answer of this bundle and version, and of others."""
        self.write()
        own, every = self._ask(_COUNT, self._ids.model, self._ids.version)
        return own, every - own

    @property
    def may_know(self) -> bool:
        """Return whether `find` may find anything."""
        return self._is_resuming and self.count()[0] > 0

    def find(self, digest: str, study: str = ALONE) -> tuple[SeriesResult, ...] | None:
        """Return the rows that an earlier run gave to this content; as a `Keeper`."""
        if not self._is_resuming:
            return None
        waiting = self._batch.find(digest) if study == ALONE else None
        if waiting is not None:
            return waiting
        found = self._ask_all(_FIND, digest, study, self._ids.model, self._ids.version)
        with self._refusing():
            return tuple(from_values(values, "", self._name) for values in found) or None

    def recall_places(self, stamps: Mapping[str, str | None]) -> dict[str, Lying]:
        """Return what lies at some paths; as a `Keeper`."""
        if not self._is_resuming:
            return {}
        with self._refusing():
            return find_places(self._ask_named, stamps, self._ids, self._name)

    def find_moved(self, headers: str) -> str | None:
        """Return the digest of what was moved; as a `Keeper`."""
        return find_moved(self._ask_named, headers) if self._is_resuming else None

    def recall_scans(self, stamps: Sequence[str]) -> dict[str, bytes]:
        """Return nothing: a journal is for one table, whose files are read once."""
        return {}

    def keep_scan(self, stamp: str, content: bytes) -> None:
        """Do nothing, as above."""

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep the rows of one content; errors of a `Keeper`."""
        self._batch.add(digest, rows)
        self._write_in_time()

    def settle(
        self,
        digest: str | None,
        rows: Sequence[SeriesResult],
        study: str,
        origin: Origin = NOWHERE,
        *,
        is_known: bool = False,
    ) -> None:
        """Keep where a content lies, and the rows that it has in the end; errors of a `Keeper`."""
        self._batch.settle(digest, rows, study, origin, is_known=is_known)
        self._write_in_time()

    def finish(self, *, has_seen_all: bool = True) -> None:
        """Note that the run came to its end."""
        self._is_finished = True

    def close(self) -> None:
        """Write what is not written yet; a new journal without any answer is taken away."""
        if self._database is None:
            return
        state = "finished" if self._is_finished else "interrupted"
        try:
            self.write()
            self._ask(_END_RUN, now(), state, count_statuses(self._batch.counts), self._ids.run)
            self._commit()
            (_, n_answers) = self._ask(_COUNT, self._ids.model, self._ids.version)
        finally:
            self._database.close()
            self._database = None
            self._under_way.close()
        if self._is_new and not n_answers and not self._is_for_store:
            self.path.unlink(missing_ok=True)

    def _write_in_time(self) -> None:
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what is not written yet; errors of a `Keeper`."""
        database = self._open()
        if not len(self._batch):
            return
        try:
            with self._lock:
                self._batch.write(database.executemany, self._ids)
        except sqlite3.Error as error:
            raise explain_sqlite(self.path, error) from error
        self._commit()
        self._batch.clear()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Refuse a journal that holds what is no row of results."""
        try:
            yield
        except (ValueError, TypeError, RecursionError) as error:
            raise refuse_journal(self.path, error) from error

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise ValueError(f"{self.path} is not open; call begin first.")
        return self._database

    def _ask(self, statement: str, *values: str | int) -> Any:
        """Return the first row of the answer, or ``None``."""
        return next(iter(self._ask_all(statement, *values)), None)

    def _ask_named(self, statement: str, values: Mapping[str, Any]) -> list[Any]:
        return self._ask_all(statement, values=values)

    def _ask_all(
        self, statement: str, *given: str | int, values: Mapping[str, Any] | None = None
    ) -> list[Any]:
        try:
            with self._lock:
                return self._open().execute(statement, given if values is None else values).fetchall()
        except sqlite3.Error as error:
            raise explain_sqlite(self.path, error) from error

    def _commit(self) -> None:
        try:
            with self._lock:
                self._open().commit()
        except sqlite3.Error as error:
            raise explain_sqlite(self.path, error) from error
        self._committed = time.monotonic()

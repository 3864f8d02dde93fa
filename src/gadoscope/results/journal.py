"""The journal beside a result table: answers as they come, so that a run that was killed can go on.

Answers are known by the content they belong to, the bundle and the program's version, never by path or
time: files may be renamed, copied or touched in between. One SQLite file; what was committed survives
SIGKILL, and a half-written commit is rolled back when it is opened again.
"""

import errno
import json
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gadoscope.errors import OutputError, UsageError
from gadoscope.files import explain_refusal
from gadoscope.labels import SeriesResult, Status, without_picture
from gadoscope.records import from_plain, to_plain
from gadoscope.results.under_way import UnderWay, under_way_path

SUFFIX = ".journal"
"""After the whole name of the table: results.csv.journal."""
APPLICATION_ID = 0x6A6F7572
"""SQLite's field for whose file it is: "jour"."""
FORMAT_VERSION = 1
COMMIT_SECONDS = 1.0
"""A kill loses no more work than this; committing waits for the disk."""
LOCK_SECONDS = 0.5
"""How long to wait for another run that writes the same journal."""

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    model TEXT, version TEXT, digest TEXT, rows TEXT, PRIMARY KEY (model, version, digest)
) WITHOUT ROWID
"""
_SUSPECTS = "CREATE TABLE IF NOT EXISTS suspects (digest TEXT PRIMARY KEY) WITHOUT ROWID"
"""Files that were being decoded when a run died, or just before."""


def journal_path(table: Path) -> Path:
    """Return where the journal of a result table lies."""
    return table.with_name(table.name + SUFFIX)


class Journal:
    """Answers of this run, and with ``is_resuming`` of those before it. For several threads.

    Parameters
    ----------
    path
        Where it lies; `begin` makes it if it does not exist.
    is_resuming
        Whether answers of earlier runs are found.
    """

    def __init__(self, path: Path, *, is_resuming: bool) -> None:
        self.path = path
        self._is_resuming = is_resuming
        self._is_new = True
        self._model = self._version = ""
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

    def begin(self, *, model: str, version: str, forget: str = "") -> None:
        """Open it for the answers of one bundle.

        Parameters
        ----------
        model
            SHA-256 of the bundle.
        version
            Of the program, as far as it decides about answers.
        forget
            Ending of the versions whose answers are wiped out: what they quote this run must not keep.

        Raises
        ------
        UsageError
            If there is another file at the path, or another run has it open.
        OutputError
            If it cannot be written.
        """
        self._model, self._version = model, version
        self._is_new = not os.path.lexists(self.path)
        self._database = self._open()
        if forget:
            self._ask("PRAGMA secure_delete = ON")
            self._ask("DELETE FROM answers WHERE version GLOB '*' || ?", forget)
            self._commit()
        for digest in self._under_way.read():
            self._ask("INSERT OR IGNORE INTO suspects VALUES (?)", digest)
        self._commit()
        (suspects,) = self._ask("SELECT group_concat(digest) FROM suspects")
        self._suspects = frozenset((suspects or "").split(",")) - {""}

    def is_suspect(self, digest: str) -> bool:
        """Return whether a run died while it decoded a file of this content, perhaps of that."""
        return digest in self._suspects

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note that the block decodes a file of this content."""
        return self._under_way.note(digest)

    def count(self) -> tuple[int, int]:
        """Return how many inputs have an answer of this bundle and version, and of others."""
        own = self._ask("SELECT count(*) FROM answers WHERE model = ? AND version = ?", *self._whose)
        every = self._ask("SELECT count(*) FROM answers")
        return own[0], every[0] - own[0]

    @property
    def may_know(self) -> bool:
        """Return whether `find` may find anything."""
        return self._is_resuming and self.count()[0] > 0

    def find(self, digest: str) -> tuple[SeriesResult, ...] | None:
        """Return the rows that an earlier run gave to this content, or ``None``."""
        if not self._is_resuming:
            return None
        question = "SELECT rows FROM answers WHERE model = ? AND version = ? AND digest = ?"
        found = self._ask(question, *self._whose, digest)
        return None if found is None else self._parse(found[0])

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep the rows of one input; where one failed none is kept, for it may be mended.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        if any(row.status is Status.FAILED for row in rows):
            return
        text = json.dumps([to_plain(without_picture(row)) for row in rows])
        self._ask("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", *self._whose, digest, text)
        if time.monotonic() - self._committed > COMMIT_SECONDS:
            self._commit()

    def close(self) -> None:
        """Write what is not written yet; a new journal without any answer is taken away."""
        if self._database is None:
            return
        self._commit()
        (n_answers,) = self._ask("SELECT count(*) FROM answers")
        self._database.close()
        self._database = None
        self._under_way.close()
        if self._is_new and not n_answers:
            self.path.unlink(missing_ok=True)

    def _parse(self, text: str) -> tuple[SeriesResult, ...]:
        try:
            return tuple(from_plain(SeriesResult, row) for row in json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:  # no JSON, no list, or other rows
            raise self._refuse(error) from error

    @property
    def _whose(self) -> tuple[str, str]:
        return self._model, self._version

    def _ask(self, statement: str, *values: str) -> Any:
        """Return the first row of the answer, or ``None``."""
        if self._database is None:
            raise ValueError(f"{self.path} is not open; call begin first.")
        try:
            with self._lock:
                return self._database.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _commit(self) -> None:
        if self._database is None:
            return
        try:
            with self._lock:
                self._database.commit()
        except sqlite3.Error as error:
            raise self._explain(error) from error
        self._committed = time.monotonic()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=LOCK_SECONDS, check_same_thread=False)
        except OSError as error:
            raise OutputError(explain_refusal(self.path, error)) from error
        except sqlite3.Error as error:
            raise self._explain(error) from error
        try:
            # One run at a time. Rows are text of our own, so the disk's word is asked once a commit.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN IMMEDIATE")
            (owner,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            (n_tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if n_tables and (owner, version) != (APPLICATION_ID, FORMAT_VERSION):
                raise sqlite3.DatabaseError("another program's or another version's file")
            database.execute(_TABLE)
            database.execute(_SUSPECTS)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
            database.commit()
        except sqlite3.Error as error:
            database.close()
            raise self._explain(error) from error
        return database

    def _may_write(self) -> bool:
        """Return whether the system lets us write the journal and, beside it, SQLite's own."""

        def may(path: Path, how: int) -> bool:
            return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)

        own = not os.path.lexists(self.path) or may(self.path, os.W_OK | os.R_OK)
        return own and may(self.path.parent, os.W_OK | os.X_OK)

    def _explain(self, error: sqlite3.Error) -> UsageError | OutputError:
        code = getattr(error, "sqlite_errorcode", None)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return UsageError(f"another run is writing {self.path}; wait for it, or name another --output.")
        if code is not None and code & 0xFF in _DISK_ERRORS:
            if not self._may_write():
                denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
                return OutputError(explain_refusal(self.path, denied))
            return OutputError(
                f"cannot write {self.path}: {error}. Free some space or name another output, "
                "then run the command again with --resume."
            )
        return self._refuse(error)

    def _refuse(self, why: Exception) -> UsageError:
        return UsageError(
            f"{self.path} is no journal that this Gadoscope reads ({why}); remove it, then run again."
        )


_DISK_ERRORS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}

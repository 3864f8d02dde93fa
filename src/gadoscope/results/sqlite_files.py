"""SQLite's files: whether they may be written, and which of its errors are the disk's."""

import os
import sqlite3
from pathlib import Path

DISK_ERRORS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PRIMARY = 0xFF
"""The part of an error's number that says its kind."""


def error_kind(error: BaseException | None) -> int | None:
    """Return the kind of SQLite's error; ``None`` of any other."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & _PRIMARY


def may_write(path: Path) -> bool:
    """Return whether the system lets us write a database and, beside it, SQLite's own files."""

    def may(path: Path, how: int) -> bool:
        return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)

    own = not os.path.lexists(path) or may(path, os.W_OK | os.R_OK)
    return own and may(path.parent, os.W_OK | os.X_OK)

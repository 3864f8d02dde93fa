"""The entries of a folder in the order of their names, however many: memory holds some of them at a time.

A PACS may write a million files into one folder. The system tells their names in no order, and to put them
in order all must have been seen. So more than a few wait in a private database of SQLite's own, as the
instances of DICOM series do, and are sorted there.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import chain, islice
from typing import TYPE_CHECKING

from gadoscope.errors import OutputError

if TYPE_CHECKING:
    import sqlite3

Entry = tuple[str, bool]
"""A name, and whether it is a folder's."""

ENTRIES_IN_MEMORY = 50_000
"""Some 10 MB; more than any folder has but those of whole archives."""
CACHE_KIB = 8192
"""Of the database in memory, and as much again while it sorts."""
ENCODING, ODD = "utf-8", "surrogatepass"
"""Bytes are in the order of code points then, and each name comes back as it was, odd bytes too."""


def sort_entries(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Return entries of different names in the order of the names; all are taken before this returns.

    Raises
    ------
    OutputError
        If the disk of the system's folder for temporary files is full; also from the iterator.
    """
    rest = iter(entries)
    few = list(islice(rest, ENTRIES_IN_MEMORY))
    if len(few) < ENTRIES_IN_MEMORY:
        return iter(sorted(few))
    return _sort_on_disk(chain(few, rest))


def _sort_on_disk(entries: Iterable[Entry]) -> Iterator[Entry]:
    import sqlite3  # noqa: PLC0415 - only where files are many

    # It is made here and may be read in another thread, but in one at a time.
    with ExitStack() as stack:
        database = stack.enter_context(
            closing(sqlite3.connect("", isolation_level=None, check_same_thread=False))
        )
        try:
            for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
                database.execute(f"PRAGMA {setting}")
            database.execute("CREATE TABLE entry (name BLOB, is_folder INTEGER)")
            packed = ((name.encode(ENCODING, ODD), is_folder) for name, is_folder in entries)
            database.execute("BEGIN")
            database.executemany("INSERT INTO entry VALUES (?, ?)", packed)
        except sqlite3.Error as error:
            raise _no_room(error) from error
        stack.pop_all()
    return _read_sorted(database)


def _read_sorted(database: "sqlite3.Connection") -> Iterator[Entry]:
    import sqlite3  # noqa: PLC0415 - as above

    with closing(database):
        try:
            for name, is_folder in database.execute("SELECT name, is_folder FROM entry ORDER BY name"):
                yield name.decode(ENCODING, ODD), bool(is_folder)
        except sqlite3.Error as error:
            raise _no_room(error) from error


def _no_room(error: Exception) -> OutputError:
    return OutputError(
        f"cannot keep the names in a folder of {ENTRIES_IN_MEMORY} files or more in the folder for temporary "
        f"files: {error}. Name one with more space in the environment variable TMPDIR."
    )

"""The index of a BIDS data set, as pybids and bids2table keep it: a table of the files, read without either.

pybids writes an SQLite database, ``layout_index.sqlite`` in the folder that is its ``database_path``. Its
files are named in full, and the root of the data set beside them. bids2table writes a Parquet table that
names the root and the file below it. Where a data set has moved together with its index, which still names
the old root, the data set that the index lies in is taken.

References
----------
pybids 0.22, bids/layout/models.py; bids2table 2.3, bids2table/_indexing.py
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePath

from gadoscope.errors import ReadError, RefusedError
from gadoscope.extras import install_command
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.dataset import find_dataset_root
from gadoscope.reading.formats import PREFIX_BYTES, find_other_kind
from gadoscope.reading.nifti.names import IMAGE_SUFFIXES, PAIR_SUFFIXES
from gadoscope.reading.other_kinds import PARQUET
from gadoscope.reading.remote.addresses import split_scheme
from gadoscope.reading.remote.path import RemotePath

_IMAGES = (*IMAGE_SUFFIXES, *(ending for endings in PAIR_SUFFIXES.values() for ending in endings))
_SQLITE_TABLES = {"files": {"path"}, "layout_info": {"root"}}
_PARQUET_COLUMNS = ("root", "path")
_FOOTER_BYTES = 2**16
_FOOTER_MARK = b"bids2table_version"
"""Stands in the metadata at the end of each table that bids2table wrote."""

Listed = tuple[str, str]
"""The root of a data set, in full, and an image below it: names with a slash between."""


def is_index(source: Source) -> bool:
    """Return whether pybids or bids2table wrote a database or a table; to tell it no extra is needed.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if not _is_table(source):
        return not (source.member or source.remote) and _has_tables(source.on_disk)
    with source.open() as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _FOOTER_BYTES))
        return _FOOTER_MARK in file.read()


def list_images(source: Source) -> Iterator[Listed]:
    """Yield the images that an index lists, in its order: the files of NIfTI, Analyze and MGH.

    Raises
    ------
    InputError
        If it is the database or the table of another program, is damaged, or lies where it cannot be read.
    """
    if source.member:
        raise RefusedError(
            "unsupported_format",
            "the index of a data set is read from disk; unpack it from the archive first.",
        )
    return _relocate(_read_table(source) if _is_table(source) else _read_database(source), source)


def _is_table(source: Source) -> bool:
    with source.open() as file:
        return find_other_kind(file.read(PREFIX_BYTES)) is PARQUET


def _relocate(listed: Iterable[Listed], index: Source) -> Iterator[Listed]:
    """Yield images with their roots in full; a root that is gone is the data set in which the index lies."""
    known: dict[str, str] = {}
    for root, path in listed:
        if root not in known:
            known[root] = _find_root(root, index)
        if path.lower().endswith(_IMAGES):
            yield known[root], path


def _find_root(root: str, index: Source) -> str:
    if split_scheme(root)[0] or isinstance(index.path, RemotePath):
        return root
    folder = index.path.absolute().parent
    named = folder / root  # which is the root itself where that is absolute
    here = None if named.is_dir() else find_dataset_root(folder)
    return str(here or named)


def _read_database(source: Source) -> Iterator[Listed]:
    if source.remote is not None:
        raise RefusedError("unsupported_format", "an SQLite database is read from disk; copy it there first.")
    if not _has_tables(source.on_disk):
        raise RefusedError(
            "unsupported_format",
            "this is an SQLite database, but no index of pybids; name the folder of the data set.",
        )
    try:
        with closing(_connect(source.on_disk)) as database:
            (root,) = database.execute("SELECT root FROM layout_info ORDER BY length(root)").fetchone() or (
                "",
            )
            for (path,) in database.execute("SELECT path FROM files WHERE typeof(path) = 'text'"):
                yield str(root), _below(path, str(root))
    except sqlite3.Error as error:
        raise _damaged(error) from error


def _below(path: str, root: str) -> str:
    named, top = PurePath(path), PurePath(root)
    return named.relative_to(top).as_posix() if named.is_relative_to(top) else named.as_posix()


def _connect(path: Path) -> sqlite3.Connection:
    # It is made in one thread and may be read in another, but in one at a time.
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    return database


def _has_tables(path: Path) -> bool:
    """Return whether a database has pybids' tables; tables, for a view is a program that somebody wrote."""
    try:
        with closing(_connect(path)) as database:
            return all(_columns(database, table) >= columns for table, columns in _SQLITE_TABLES.items())
    except sqlite3.Error:
        return False


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    rows = database.execute(
        "SELECT has.name FROM sqlite_master AS one, pragma_table_info(one.name) AS has "
        "WHERE one.type = 'table' AND one.name = ?",
        (table,),
    )
    return {name for (name,) in rows}


def _read_table(source: Source) -> Iterator[Listed]:
    try:
        import pyarrow  # noqa: PLC0415 — optional, and slow to load
        import pyarrow.parquet  # noqa: PLC0415
    except ModuleNotFoundError:
        raise RefusedError(
            "unsupported_format",
            f"this is a Parquet table, which needs pyarrow: {install_command('parquet')}",
        ) from None
    try:
        with source.open() as file, pyarrow.parquet.ParquetFile(file) as table:
            if not set(table.schema_arrow.names).issuperset(_PARQUET_COLUMNS):
                raise RefusedError(
                    "unsupported_format",
                    "this is a Parquet table, but no index of bids2table: it has no columns root and path.",
                )
            for batch in table.iter_batches(columns=list(_PARQUET_COLUMNS)):
                for row in batch.to_pylist():
                    yield str(row["root"] or ""), str(row["path"] or "")
    except pyarrow.ArrowException as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ReadError:
    return ReadError(
        "damaged_index",
        f"this index of a data set cannot be read ({type(error).__name__}); index the data set again.",
    )

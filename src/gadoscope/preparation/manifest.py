"""Read and write the list of labelled images and scans: a CSV, one row each, or folders named by class."""

import csv
import io
import os
from collections import Counter
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.files import write_text
from gadoscope.labels import Plane
from gadoscope.misfits import WrongValueError, find_near
from gadoscope.preparation.bids_layout import is_bids, read_bids_layout
from gadoscope.preparation.columns import tell_near_columns
from gadoscope.preparation.items import SPLIT_NAMES, UNKNOWN_SOURCE, Item, Manifest, check_names
from gadoscope.preparation.lesson_layout import read_lesson_layout
from gadoscope.preparation.places import (
    check_labels,
    find_labelled,
    is_there,
    may_be_looked_through,
    may_hold_series,
    name_inside,
)
from gadoscope.preparation.series import UID_COLUMNS
from gadoscope.preparation.subjects import tell_shared_ids
from gadoscope.reading.discover import MANIFEST_NAME
from gadoscope.records import from_plain, to_plain
from gadoscope.sheets import PATH, SheetWriter, read_path, read_text
from gadoscope.wording import name_some, show_path

__all__ = ["REQUIRED_COLUMNS", "Item", "Manifest", "read_manifest", "write_manifest"]

REQUIRED_COLUMNS = ("path", "subject_id", "label", "plane", "source")
"""Must be in the header of a manifest; ``subject_id``, ``plane`` and ``source`` may be empty in a row."""
LABEL = "label"


def read_manifest(path: Path, labels: Path | None = None) -> Manifest:
    """Read a CSV, a folder that holds `manifest.csv`, a BIDS data set, or folders in the lesson's layout.

    Relative paths in a CSV are relative to the folder that holds it. Folders that a row names are looked
    through for its one series: of DICOM the headers are read.

    Parameters
    ----------
    labels
        A CSV of ``label`` and ``path`` or ``series_instance_uid``, for what lies in the folder ``path``; all
        further columns of a manifest may be there.

    Raises
    ------
    ManifestError
        If nothing is there, a column, a class or a file is missing, a value is none that is known, or a row
        names no series, several, or one whose label another row disputes.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): links keep their names
    if labels is not None:
        return _read_table(_find_labels(path, labels), path)
    table = path / MANIFEST_NAME
    if not os.path.isdir(path):  # noqa: PTH112 - as _is_file
        if not _is_file(path):
            raise ManifestError(f"there is no {show_path(path)}; name a manifest CSV or a folder of images.")
        table = path
    elif not _is_file(table):
        return read_bids_layout(path) if is_bids(path) else read_lesson_layout(path)
    return _read_table(table)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a CSV, whole or not at all; paths inside its folder are written relative to it.

    Raises
    ------
    ManifestError
        If a path cannot be written as UTF-8.
    OutputError
        If the system cannot write.
    """
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - as in read_manifest
    extra_columns = list(dict.fromkeys(name for item in manifest.items for name in item.extra))
    with_split = any(item.split is not None for item in manifest.items)
    text = io.StringIO()
    columns = [*REQUIRED_COLUMNS, *(["split"] if with_split else []), *extra_columns]
    sheet = SheetWriter(text, columns)
    for item in manifest.items:
        inside = item.path.is_relative_to(folder)
        cells = to_plain(item)
        cells["path"] = (item.path.relative_to(folder) if inside else item.path).as_posix()
        sheet.write([cells.get(column) or "" for column in columns])
    check_names(item.path for item in manifest.items)
    write_text(path, text.getvalue())


def _find_labels(folder: Path, labels: Path) -> Path:
    """Return the table that only has to say the label of what lies in ``folder``."""
    table = Path(os.path.abspath(labels))  # noqa: PTH100 - as in read_manifest
    for path, what in ((folder, "a folder or an archive of scans"), (table, "a CSV of labels")):
        if not is_there(path):
            raise ManifestError(f"there is no {show_path(path)}; name {what}.")
    return table


def _read_table(table: Path, folder: Path | None = None) -> Manifest:
    """Read a manifest; with ``folder`` a table of labels, for what lies there."""
    rows = csv.reader(io.StringIO(_read_text(table), newline=""), strict=True)
    try:
        header = _check_header(next(rows, []), table, is_manifest=folder is None)
        lines = [(rows.line_num, row) for row in rows if row]
        items = tuple(_parse_row(row, header, n, table, folder) for n, row in lines)
    except csv.Error as error:
        raise ManifestError(
            f"{table}, line {rows.line_num}: {error}; repair the quotes of that line."
        ) from error
    if not items:
        raise ManifestError(f"{table} lists no image; add one row for each.")
    near = tell_near_columns(header, (item.extra for item in items), table)
    items, notices = _check_paths(items, table, folder or table.parent)
    return Manifest(items=items, origin=table, notices=(*near, *tell_shared_ids(items), *notices))


def _read_text(table: Path) -> str:
    try:
        return table.read_bytes().decode("utf-8-sig")  # spreadsheets begin a CSV with a byte order mark
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{table} is not UTF-8 text (byte {error.start}); save it as `CSV UTF-8`."
        ) from error
    except OSError as error:
        raise ManifestError(f"cannot read {table}: {error.strerror}; check its permissions.") from error


def _check_header(cells: list[str], table: Path, *, is_manifest: bool) -> list[str]:
    header = [read_text(cell.strip()).casefold() for cell in cells]
    if len(header) == 1:
        for separator, words in ((";", "semicolons"), ("\t", "tabs")):
            if separator in header[0]:
                raise ManifestError(f"{table} is separated by {words}; save it with commas.")
    missing = [column for column in REQUIRED_COLUMNS if column not in header]
    if not is_manifest:
        if LABEL not in header or not {PATH, *UID_COLUMNS} & set(header):
            raise ManifestError(
                f"{table} lacks the column {LABEL}, or one that says of what; its first line must hold "
                f"{PATH},{LABEL} or {UID_COLUMNS[0]},{LABEL}."
            )
    elif missing:
        others = set(header) - set(REQUIRED_COLUMNS)
        near = next(((found, one) for one in missing if (found := find_near(one, others))), None)
        hint = f" (rename {near[0]} to {near[1]})" if near else ""
        raise ManifestError(
            f"{table} lacks the column {' and '.join(missing)}{hint}; its first line must hold "
            f"{','.join(REQUIRED_COLUMNS)} (subject_id, plane and source may be empty below); for a table of "
            "labels alone name the folder of the scans, and this with --labels."
        )
    twice = [column for column, n in Counter(header).items() if n > 1]
    if twice:
        raise ManifestError(f"{table} has the column {twice[0]!r} twice; remove one.")
    return header


def _parse_row(row: list[str], header: list[str], line: int, table: Path, folder: Path | None) -> Item:
    where = f"{table}, line {line}"
    if len(row) != len(header):
        raise ManifestError(
            f"{where}: {len(row)} fields, but the first line has {len(header)}; "
            "quote fields that hold commas."
        )
    cells = dict(zip(header, row, strict=True))
    path = cells.pop(PATH, "")
    cells = {name: read_text(cell.strip()) for name, cell in cells.items()}
    uid = next((cells[column] for column in UID_COLUMNS if cells.get(column)), "")
    if not path and not uid:
        raise ManifestError(f"{where}: the path is empty; name the image file.")
    # normpath, not resolve(): links keep their names, and 10,000 rows take no time
    found = _find_image(table.parent, path, uid) if folder is None else find_labelled(folder, path, uid)
    split = cells.get("split", "").casefold()
    plain = {
        **{name: cell for name, cell in cells.items() if cell},
        "path": str(found),
        "subject_id": cells.get("subject_id") or None,
        "label": cells[LABEL].casefold(),
        "plane": cells.get("plane", "").casefold() or Plane.UNKNOWN.value,
        "source": cells.get("source") or UNKNOWN_SOURCE,
        "split": SPLIT_NAMES.get(split, split) or None,
    }
    try:
        return from_plain(Item, plain)
    except WrongValueError as error:
        cell = cells.get(error.where, "")
        value = f"the {error.where} is {cell!r}" if cell else f"the {error.where} is empty"
        expected = error.expected.removeprefix("one of ")
        raise ManifestError(f"{where}: {value}; expected {expected}.") from error


def _find_image(folder: Path, cell: str, uid: str) -> Path:
    """Return what a row names: as it stands there, or as `SheetWriter` spelt an odd name.

    A SeriesInstanceUID tells one of several series in a folder or an archive; of a file it is only a name.
    """
    path = Path(os.path.normpath(folder / cell))
    told = read_path(cell)
    if told != cell and not is_there(path):
        path = Path(os.path.normpath(folder / told))
    return name_inside(path, uid) if uid and may_hold_series(path) else path


def _check_paths(
    items: tuple[Item, ...], table: Path, folder: Path
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return the rows with the scans that folders had to be looked through for, and notices."""
    twice = [path for path, n in Counter(item.path for item in items).items() if n > 1]
    if twice:
        check_labels(items, table)
        raise ManifestError(
            f"{table} lists {len(twice)} images more than once ({name_some(twice)}); keep one row of each."
        )
    missing = [item.path for item in items if not is_there(item.path)]
    if missing:
        raise ManifestError(
            f"{table}: {len(missing)} of {len(items)} images are not there ({name_some(missing)}); "
            f"paths are relative to {folder}."
        )
    if not any(may_be_looked_through(item.path) for item in items):
        return items, ()
    from gadoscope.preparation.scans import find_scans  # noqa: PLC0415 - images do without

    return find_scans(items, table)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path's own methods raise on some names; this never does

"""Read and write the list of labelled images: a CSV, one row an image, or folders named by class."""

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.files import write_text
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.items import SPLIT_NAMES, UNKNOWN_SOURCE, Item, Manifest, check_names
from gadoscope.preparation.lesson_layout import read_lesson_layout
from gadoscope.preparation.subjects import tell_shared_ids
from gadoscope.reading.discover import MANIFEST_NAME
from gadoscope.sheets import SheetWriter, read_path, read_text
from gadoscope.wording import name_some, show_path

__all__ = ["REQUIRED_COLUMNS", "Item", "Manifest", "read_manifest", "write_manifest"]

REQUIRED_COLUMNS = ("path", "subject_id", "label", "plane", "source")
"""Must be in the header; ``subject_id``, ``plane`` and ``source`` may be empty in a row."""


def read_manifest(path: Path) -> Manifest:
    """Read a CSV, a folder that holds `manifest.csv`, or folders in the lesson's layout.

    Relative paths in a CSV are relative to the folder that holds it.

    Raises
    ------
    ManifestError
        If nothing is there, a column, a class or a file is missing, or a value is none that is known.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): links keep their names
    if os.path.isdir(path):  # noqa: PTH112 - as _is_file
        table = path / MANIFEST_NAME
        return _read_table(table) if _is_file(table) else read_lesson_layout(path)
    if not _is_file(path):
        raise ManifestError(f"there is no {show_path(path)}; name a manifest CSV or a folder of images.")
    return _read_table(path)


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
        cells = {
            **item.extra,
            "path": (item.path.relative_to(folder) if inside else item.path).as_posix(),
            "subject_id": item.subject_id or "",
            "label": item.label.value,
            "plane": item.plane.value,
            "source": item.source,
            "split": item.split.value if item.split else "",
        }
        sheet.write([cells.get(column, "") for column in columns])
    check_names(item.path for item in manifest.items)
    write_text(path, text.getvalue())


def _read_table(table: Path) -> Manifest:
    rows = csv.reader(io.StringIO(_read_text(table), newline=""), strict=True)
    try:
        header = _check_header(next(rows, []), table)
        items = tuple(_parse_row(row, header, rows.line_num, table) for row in rows if row)
    except csv.Error as error:
        raise ManifestError(
            f"{table}, line {rows.line_num}: {error}; repair the quotes of that line."
        ) from error
    if not items:
        raise ManifestError(f"{table} lists no image; add one row for each.")
    _check_paths(items, table)
    return Manifest(items=items, origin=table, notices=tell_shared_ids(items))


def _read_text(table: Path) -> str:
    try:
        return table.read_bytes().decode("utf-8-sig")  # spreadsheets begin a CSV with a byte order mark
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"{table} is not UTF-8 text (byte {error.start}); save it as `CSV UTF-8`."
        ) from error
    except OSError as error:
        raise ManifestError(f"cannot read {table}: {error.strerror}; check its permissions.") from error


def _check_header(cells: list[str], table: Path) -> list[str]:
    header = [read_text(cell.strip()).casefold() for cell in cells]
    if len(header) == 1:
        for separator, words in ((";", "semicolons"), ("\t", "tabs")):
            if separator in header[0]:
                raise ManifestError(f"{table} is separated by {words}; save it with commas.")
    missing = [column for column in REQUIRED_COLUMNS if column not in header]
    if missing:
        raise ManifestError(
            f"{table} lacks the column {' and '.join(missing)}; its first line must hold "
            f"{','.join(REQUIRED_COLUMNS)} (subject_id, plane and source may be empty below)."
        )
    twice = [column for column, n in Counter(header).items() if n > 1]
    if twice:
        raise ManifestError(f"{table} has the column {twice[0]!r} twice; remove one.")
    return header


def _parse_row(row: list[str], header: list[str], line: int, table: Path) -> Item:
    where = f"{table}, line {line}"
    if len(row) != len(header):
        raise ManifestError(
            f"{where}: {len(row)} fields, but the first line has {len(header)}; "
            "quote fields that hold commas."
        )
    cells = dict(zip(header, row, strict=True))
    path = cells.pop("path")
    if not path:
        raise ManifestError(f"{where}: the path is empty; name the image file.")
    cells = {name: read_text(cell.strip()) for name, cell in cells.items()}
    split = cells.pop("split", "")
    return Item(
        # normpath, not resolve(): links keep their names, and 10,000 rows take no time
        path=_find_image(table.parent, path),
        subject_id=cells.pop("subject_id") or None,
        label=Label(_choose(cells.pop("label"), {label.value: label for label in Label}, "label", where)),
        plane=Plane(
            _choose(cells.pop("plane") or Plane.UNKNOWN, {p.value: p for p in Plane}, "plane", where)
        ),
        source=cells.pop("source") or UNKNOWN_SOURCE,
        split=Split(_choose(split, SPLIT_NAMES, "split", where)) if split else None,
        extra={name: cell for name, cell in cells.items() if cell},
    )


def _find_image(folder: Path, cell: str) -> Path:
    """Return the image that a cell names: as it stands there, or as `SheetWriter` spelt an odd name."""
    path = Path(os.path.normpath(folder / cell))
    told = read_path(cell)
    if told == cell or _is_file(path):
        return path
    return Path(os.path.normpath(folder / told))


def _choose(cell: str, words: Mapping[str, StrEnum], column: str, where: str) -> StrEnum:
    if cell.casefold() not in words:
        value = f"the {column} is {cell!r}" if cell else f"the {column} is empty"
        raise ManifestError(f"{where}: {value}; expected {', '.join(dict.fromkeys(words.values()))}.")
    return words[cell.casefold()]


def _check_paths(items: Sequence[Item], table: Path) -> None:
    twice = [path for path, n in Counter(item.path for item in items).items() if n > 1]
    if twice:
        raise ManifestError(
            f"{table} lists {len(twice)} images more than once ({name_some(twice)}); keep one row of each."
        )
    missing = [item.path for item in items if not _is_file(item.path)]
    if missing:
        raise ManifestError(
            f"{table}: {len(missing)} of {len(items)} images are not there ({name_some(missing)}); "
            f"paths are relative to {table.parent}."
        )


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path's own methods raise on some names; this never does

r"""Result tables: CSV, JSON and Parquet, one row an input, written as the results come.

All have the columns of :data:`gadoscope.labels.RESULT_COLUMNS`, in that order.

CSV, TSV
    UTF-8, ``\n``; an unknown value is empty, probabilities have 6 significant digits, warnings are
    joined by ``"; "``. No cell is a formula and none breaks a row: see :mod:`gadoscope.sheets`.
JSON Lines, JSON
    One object a line, or one array of them; an unknown value is ``null``, warnings are a list, numbers
    and texts are exact.
Parquet
    Typed columns; needs pyarrow, of the extra ``parquet``.

A file name that is not UTF-8 keeps its odd bytes as ``\udcXX``, so that the table stays UTF-8.
"""

import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from gadoscope.errors import UsageError
from gadoscope.extras import install_command
from gadoscope.files import write_beside
from gadoscope.labels import RESULT_COLUMNS, SeriesResult
from gadoscope.sheets import TAB, SheetWriter
from gadoscope.text import ODD_BYTES, in_json

PROBABILITY_FORMAT = ".6g"
"""float32 networks are exact to about 7 digits; the sixth is the last that two machines share."""

PARQUET_ROW_GROUP = 4096
"""Rows held in memory before they are written: about 1 MB, and large enough to compress well."""
PARQUET = ".parquet"
PART = ".interrupted"
"""Before the suffix of a table that an interrupted run leaves beside a whole one: results.interrupted.csv."""

WriteRow = Callable[[SeriesResult], None]


def check_table_path(path: Path) -> None:
    """Check, before work begins, that a table of this name can be written.

    Raises
    ------
    UsageError
        If the suffix is unknown, pyarrow is needed and missing, or ``path`` is a folder.
    """
    form = _form_of(path)
    if form not in _WRITERS:
        raise UsageError(
            f"cannot tell the table's form from {path.name!r}; "
            f"name the output something{', something'.join(_WRITERS)}."
        )
    if form == PARQUET and importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"Parquet needs pyarrow: {install_command('parquet')}; or name a .csv output.")
    if os.path.isdir(path):  # noqa: PTH112 - Path's own raises in a folder that may not be entered
        raise UsageError(f"{path} is a folder; name a file such as {path / 'results.csv'}.")


@contextmanager
def open_table(path: Path, place: Callable[[], Path | None] | None = None) -> Iterator[WriteRow]:
    """Yield a function that writes one row; the table gets its name when the block ends well.

    Parameters
    ----------
    path
        Of the table; its suffix, in any capitals, says the form.
    place
        As of :func:`gadoscope.files.write_beside`.

    Raises
    ------
    UsageError
        As :func:`check_table_path`, or if ``rows`` is one row.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    check_table_path(path)
    with write_beside(path, place) as beside, _WRITERS[_form_of(path)](beside) as write:
        yield write


def write_table(rows: Iterable[SeriesResult], path: str | Path) -> Path:
    """Write rows as a table, as they come; it gets its name when the last one is written.

    Parameters
    ----------
    rows
        As `classify` gives them.
    path
        Its suffix says the form: .csv, .tsv, .json, .jsonl or .parquet.

    Returns
    -------
    pathlib.Path
        Where the table is.

    Raises
    ------
    UsageError
        As :func:`check_table_path`, or if ``rows`` is one row.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    if isinstance(rows, SeriesResult):
        raise UsageError("a table is written of several rows, and this is one; put it into a list.")
    path = Path(path)
    with open_table(path) as write:
        for row in rows:
            write(row)
    return path


def csv_writer(stream: TextIO, *, delimiter: str = ",") -> WriteRow:
    """Write the header line to ``stream`` and return the function that writes a row."""
    sheet = SheetWriter(stream, RESULT_COLUMNS, delimiter=delimiter)
    return lambda result: sheet.write(_cells(result))


def json_lines_writer(stream: TextIO) -> WriteRow:
    """Return the function that writes a row to ``stream`` as one JSON object and a line end."""
    return lambda result: _discard(stream.write(_json_object(result) + "\n"))


def _form_of(path: Path) -> str:
    return path.suffix.lower()


def _discard(_: object) -> None:
    """Drop what a stream returns: how many characters it wrote."""


def _values(result: SeriesResult) -> dict[str, Any]:
    return {column: getattr(result, column) for column in RESULT_COLUMNS}


def _json_object(result: SeriesResult) -> str:
    return in_json(json.dumps(_values(result), ensure_ascii=False))


def _cells(result: SeriesResult) -> list[str]:
    cells = _values(result)
    if result.probability is not None:
        cells["probability"] = format(result.probability, PROBABILITY_FORMAT)
    cells["warnings"] = "; ".join(result.warnings)
    return ["" if cell is None else str(cell) for cell in cells.values()]


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    with path.open("w", encoding="utf-8", errors=ODD_BYTES, newline="") as stream:
        yield stream


@contextmanager
def _open_csv(path: Path) -> Iterator[WriteRow]:
    with _open_text(path) as stream:
        yield csv_writer(stream)


@contextmanager
def _open_tsv(path: Path) -> Iterator[WriteRow]:
    with _open_text(path) as stream:
        yield csv_writer(stream, delimiter=TAB)


@contextmanager
def _open_json_lines(path: Path) -> Iterator[WriteRow]:
    with _open_text(path) as stream:
        yield json_lines_writer(stream)


@contextmanager
def _open_json(path: Path) -> Iterator[WriteRow]:
    with _open_text(path) as stream:
        before = "[\n"

        def write(result: SeriesResult) -> None:
            nonlocal before
            stream.write(before + _json_object(result))
            before = ",\n"

        yield write
        stream.write("[]\n" if before == "[\n" else "\n]\n")


@contextmanager
def _open_parquet(path: Path) -> Iterator[WriteRow]:
    import pyarrow.parquet  # noqa: PLC0415 — optional, and 0.2 s that a CSV does not need

    schema = pyarrow.schema(_arrow_fields(pyarrow))
    waiting: list[dict[str, Any]] = []
    with pyarrow.parquet.ParquetWriter(path, schema) as table:

        def write_waiting() -> None:
            table.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        def write(result: SeriesResult) -> None:
            waiting.append({column: _utf8(value) for column, value in _values(result).items()})
            if len(waiting) >= PARQUET_ROW_GROUP:
                write_waiting()

        yield write
        if waiting:
            write_waiting()


def _arrow_fields(pyarrow: ModuleType) -> list[tuple[str, Any]]:
    kinds = {
        "volume_index": pyarrow.int32(),
        "n_slices": pyarrow.int32(),
        "n_slices_used": pyarrow.int32(),
        "probability": pyarrow.float64(),
        "warnings": pyarrow.list_(pyarrow.string()),
    }
    return [(column, kinds.get(column, pyarrow.string())) for column in RESULT_COLUMNS]


def _utf8(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", ODD_BYTES).decode("utf-8")
    if isinstance(value, tuple):
        return [_utf8(entry) for entry in value]
    return value


_WRITERS = {
    ".csv": _open_csv,
    ".jsonl": _open_json_lines,
    PARQUET: _open_parquet,
    ".tsv": _open_tsv,
    ".json": _open_json,
}


class Written:
    """What a run wrote.

    Parameters
    ----------
    output
        The table as it was named; ``None`` for the standard output.
    goes_on
        What goes on from where an interrupted run ended.

    Attributes
    ----------
    is_part
        Whether the run was interrupted.
    path
        Where the table went, once `choose` was asked.
    """

    def __init__(self, output: Path | None, goes_on: str = "--resume") -> None:
        self.output, self._goes_on = output, goes_on
        self.is_part = False
        self.path: Path | None = None

    def choose(self) -> Path | None:
        """Return where the table goes; asked when all its rows are written.

        A part never takes the place of a table that is there: nobody knows whether that one is whole. It
        takes the place of an earlier part.
        """
        if self.output is None:
            return None
        taken = self.is_part and os.path.lexists(self.output)
        self.path = part_path(self.output) if taken else self.output
        return self.path

    def describe_part(self, n_rows: int) -> str:
        """Return the sentence that says what an interrupted run leaves."""
        if self.output is None:
            return f"Interrupted: the table holds the first {n_rows} inputs only."
        held = f"Interrupted: {self.path} holds the first {n_rows} inputs only."
        if self.path is None:
            held = "Interrupted before the first row; no table was written."
        is_kept = self.path != self.output and os.path.lexists(self.output)
        kept = f" {self.output} stays as it was." if is_kept else ""
        return f"{held}{kept} {self._goes_on[:1].upper()}{self._goes_on[1:]} goes on from here."


def part_path(output: Path) -> Path:
    """Return the name of the part of a table: results.interrupted.csv."""
    return output.with_name(f"{output.stem}{PART}{output.suffix}")

r"""Result tables: CSV, JSON Lines and Parquet, one row an input, written as the results come.

All three have the columns of :data:`gadoscope.labels.RESULT_COLUMNS`, in that order.

CSV
    UTF-8, ``\n``; an unknown value is empty, probabilities have 6 significant digits, warnings are
    joined by ``"; "``. A relative path that a spreadsheet would take for a formula (it starts with
    ``=``, ``+``, ``-``, ``@``, a tab or a carriage return) is written ``./=name``: the same file,
    and no formula.
JSON Lines
    One object a line; an unknown value is ``null``, warnings are a list, numbers are exact.
Parquet
    Typed columns; needs pyarrow (``pip install 'gadoscope[parquet]'``).

A file name that is not UTF-8 keeps its odd bytes as ``\udcXX``, so that the table stays UTF-8.
"""

import csv
import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from gadoscope.errors import UsageError
from gadoscope.files import write_beside
from gadoscope.labels import RESULT_COLUMNS, SeriesResult

PROBABILITY_FORMAT = ".6g"
"""float32 networks are exact to about 7 digits; the sixth is the last that two machines share."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet evaluate a cell (OWASP, CSV Injection)."""

PARQUET_ROW_GROUP = 4096
"""Rows held in memory before they are written: about 1 MB, and large enough to compress well."""

ODD_BYTES = "backslashreplace"
"""How the bytes of a file name that is not UTF-8 are written."""

WriteRow = Callable[[SeriesResult], None]


def check_table_path(path: Path) -> None:
    """Check, before work begins, that a table of this name can be written.

    Raises
    ------
    UsageError
        If the suffix is unknown, pyarrow is needed and missing, or ``path`` is a folder.
    """
    if path.suffix not in _WRITERS:
        raise UsageError(
            f"cannot tell the table's form from {path.name!r}; "
            f"name the output something{', something'.join(_WRITERS)}."
        )
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UsageError("Parquet needs pyarrow: pip install 'gadoscope[parquet]', or name a .csv output.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file such as {path / 'results.csv'}.")


@contextmanager
def open_table(path: Path) -> Iterator[WriteRow]:
    """Yield a function that writes one row; the table gets its name when the block ends well.

    Raises
    ------
    UsageError
        As :func:`check_table_path`.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    check_table_path(path)
    with write_beside(path) as beside, _WRITERS[path.suffix](beside) as write:
        yield write


def csv_writer(stream: TextIO) -> WriteRow:
    """Write the header line to ``stream`` and return the function that writes a row."""
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(RESULT_COLUMNS)
    return lambda result: _discard(rows.writerow(_csv_cells(result)))


def json_lines_writer(stream: TextIO) -> WriteRow:
    """Return the function that writes a row to ``stream`` as one JSON object and a line end."""
    return lambda result: _discard(stream.write(json.dumps(_values(result), ensure_ascii=False) + "\n"))


def _discard(_: object) -> None:
    """Drop what a stream returns: how many characters it wrote."""


def _values(result: SeriesResult) -> dict[str, Any]:
    return {column: getattr(result, column) for column in RESULT_COLUMNS}


def _csv_cells(result: SeriesResult) -> list[str]:
    cells = _values(result)
    if result.path.startswith(FORMULA_STARTS):
        cells["path"] = f"./{result.path}"
    if result.probability is not None:
        cells["probability"] = format(result.probability, PROBABILITY_FORMAT)
    cells["warnings"] = "; ".join(result.warnings)
    return ["" if cell is None else str(cell) for cell in cells.values()]


@contextmanager
def _open_csv(path: Path) -> Iterator[WriteRow]:
    with path.open("w", encoding="utf-8", errors=ODD_BYTES, newline="") as stream:
        yield csv_writer(stream)


@contextmanager
def _open_json_lines(path: Path) -> Iterator[WriteRow]:
    with path.open("w", encoding="utf-8", errors=ODD_BYTES, newline="") as stream:
        yield json_lines_writer(stream)


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


_WRITERS = {".csv": _open_csv, ".jsonl": _open_json_lines, ".parquet": _open_parquet}

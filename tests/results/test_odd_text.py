"""Whatever text a file or a header brings, at every column and in every form there is one whole, safe row."""

import csv
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gadoscope.labels import RESULT_COLUMNS, SeriesResult, Status
from gadoscope.results.journal import Journal
from gadoscope.results.tables import csv_writer, json_lines_writer, open_table
from gadoscope.results.terminal import open_terminal_table
from gadoscope.sheets import TAB, SheetWriter, read_path, read_text
from gadoscope.text import printable
from tests.support.odd_text import ODD_TEXTS

TEXT_COLUMNS = (
    "path",
    "study_instance_uid",
    "series_instance_uid",
    "reason",
    "header_state",
    "header_quote",
    "agreement",
    "model",
    "warnings",
)
PLAIN = SeriesResult(path="a.png", status=Status.ANSWERED)
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
EVALUATED = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - as meant

odd_texts = pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())


def rows_with(text: str) -> list[SeriesResult]:
    """Return a row for each column that holds the text there."""
    values: list[dict[str, Any]] = [
        {column: (text, text) if column == "warnings" else text} for column in TEXT_COLUMNS
    ]
    return [replace(PLAIN, **value) for value in values]


def check_cells(records: list[list[str]]) -> None:
    for record in records:
        assert len(record) == len(RESULT_COLUMNS)
        assert not any(cell.startswith(EVALUATED) for cell in record)
        assert not any(UNSAFE.search(cell) for cell in record)


@odd_texts
@pytest.mark.parametrize("suffix", [".csv", ".TSV"])
def test_in_a_sheet_every_row_is_one_record_and_no_cell_is_a_formula(
    tmp_path: Path, text: str, suffix: str
) -> None:
    table = tmp_path / f"r{suffix}"
    rows = rows_with(text)
    with open_table(table) as write:
        for row in rows:
            write(row)
    with table.open(encoding="utf-8", newline="") as stream:
        records = list(csv.reader(stream, delimiter="\t" if suffix == ".TSV" else ",", strict=True))
    assert len(records) == 1 + len(rows)
    check_cells(records)
    if suffix == ".TSV":
        assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + len(rows)


@odd_texts
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".Parquet"])
def test_in_json_and_parquet_every_row_is_there_with_its_text(tmp_path: Path, text: str, suffix: str) -> None:
    table = tmp_path / f"r{suffix}"
    rows = rows_with(text)
    with open_table(table) as write:
        for row in rows:
            write(row)
    if suffix == ".Parquet":
        parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
        read = parquet.read_table(table).to_pylist()
        told = text.encode("utf-8", "backslashreplace").decode()
    else:
        document = table.read_text(encoding="utf-8")
        lines = document.splitlines()
        read = json.loads(document) if suffix == ".json" else [json.loads(line) for line in lines]
        told = text
        assert not UNSAFE.search(document)
    assert len(read) == len(rows)
    for column, values in zip(TEXT_COLUMNS, read, strict=True):
        assert values[column] == ([told, told] if column == "warnings" else told)


@odd_texts
def test_on_the_standard_output_nothing_is_obeyed_and_utf_8_holds(text: str) -> None:
    for writer in (csv_writer, json_lines_writer):
        stream = io.StringIO(newline="")
        write = writer(stream)
        for row in rows_with(text):
            write(row)
        assert not UNSAFE.search(stream.getvalue())
        stream.getvalue().encode("utf-8")


@odd_texts
def test_on_a_terminal_nothing_is_obeyed_and_the_screen_is_not_filled(text: str) -> None:
    stream = io.StringIO()
    with open_terminal_table(stream, width=120) as write:
        write(replace(PLAIN, path=text, reason=f"x: {text}", warnings=(text,)))
    shown = stream.getvalue()
    assert not UNSAFE.search(shown)
    assert len(shown) < 30_000
    assert printable(text).isascii() or len(printable(text)) < 2001


@odd_texts
def test_the_journal_gives_every_row_back_as_it_was(tmp_path: Path, text: str) -> None:
    # Where it lies and who answered is said beside it; the other columns have words of ours.
    kept = ("study_instance_uid", "series_instance_uid", "reason", "header_quote", "warnings")
    values: dict[str, Any] = {column: (text, text) if column == "warnings" else text for column in kept}
    rows = {column: replace(PLAIN, **{column: value}) for column, value in values.items()}
    with Journal(tmp_path / "r.csv.journal", is_resuming=True) as journal:
        journal.begin(model="m", version="1", name=PLAIN.model)
        for column, row in rows.items():
            journal.add(column, [row])
    with Journal(tmp_path / "r.csv.journal", is_resuming=True) as journal:
        journal.begin(model="m", version="1", name=PLAIN.model)
        found = {column: journal.find(column) for column in kept}
    assert found == {column: (replace(row, path=""),) for column, row in rows.items()}


@odd_texts
@pytest.mark.parametrize("delimiter", [",", TAB])
def test_what_a_sheet_holds_is_read_back_as_it_was(text: str, delimiter: str) -> None:
    if len(text) > csv.field_size_limit():
        pytest.skip("longer than a cell: it was cut")
    stream = io.StringIO(newline="")
    SheetWriter(stream, ["path", text], delimiter=delimiter).write([text, text])
    stream.seek(0)
    header, record = csv.reader(stream, delimiter=delimiter)
    assert (read_text(header[1]), read_path(record[0]), read_text(record[1])) == (text, text, text)


@pytest.mark.parametrize("number", ["-0.5", "+3", "-1e-07", "12"])
def test_numbers_stay_numbers(number: str) -> None:
    stream = io.StringIO(newline="")
    SheetWriter(stream, ["path", "logit"]).write(["a", number])
    assert stream.getvalue() == f"path,logit\na,{number}\n"


@pytest.mark.parametrize("text", [r"C:\new\x41.png", r"a\\b", r"\u00e9", "'", "'a"])
def test_a_text_that_is_not_odd_stays_as_it_is(text: str) -> None:
    stream = io.StringIO(newline="")
    SheetWriter(stream, ["path", "source"]).write([text, text])
    assert stream.getvalue() == f"path,source\n{text},{text}\n"
    assert read_path(text) == read_text(text) == text


def test_the_longest_cell_can_be_read_by_python_and_held_by_a_spreadsheet() -> None:
    stream = io.StringIO(newline="")
    SheetWriter(stream, ["path", "source"]).write(["\x1b" * 10**5, "\x1b" * 10**5])
    stream.seek(0)
    assert [len(cell) for cell in list(csv.reader(stream))[1]] == [32_767, 32_767]
    assert csv.field_size_limit() > 32_767, sys.version

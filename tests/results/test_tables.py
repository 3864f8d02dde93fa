"""Result tables: the three forms hold the same rows, whole or not at all."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import OutputError, UsageError
from gadoscope.extras import install_command
from gadoscope.labels import RESULT_COLUMNS, Phase, SeriesResult, Status
from gadoscope.results import tables
from gadoscope.results.tables import WriteRow, check_table_path, csv_writer, open_table

ANSWERED = SeriesResult(
    path="a/ü 1.png",
    n_slices=1,
    n_slices_used=1,
    status=Status.ANSWERED,
    phase=Phase.POST_CONTRAST,
    probability=0.123456789,
    model="tiny@01234567",
    warnings=("16-bit: scaled", "palette"),
)
FAILED = SeriesResult(path='b, "quoted"\nline.png', status=Status.FAILED, reason="truncated: it ends, early.")
ODD_BYTES = SeriesResult(path=os.fsdecode(b"caf\xe9.png"), status=Status.ANSWERED)
ROWS = (ANSWERED, FAILED, ODD_BYTES)


def _write(path: Path, rows: tuple[SeriesResult, ...] = ROWS) -> None:
    with open_table(path) as write:
        for row in rows:
            write(row)


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_columns_are_those_of_the_design_in_their_order(tmp_path: Path) -> None:
    _write(tmp_path / "r.csv")
    first = (tmp_path / "r.csv").read_text("utf-8").splitlines()[0]
    assert first == (
        "path,study_instance_uid,series_instance_uid,volume_index,plane,n_slices,n_slices_used,status,"
        "phase,probability,reason,header_state,header_quote,agreement,model,warnings"
    )


def test_a_csv_keeps_every_row_and_says_unknown_by_an_empty_cell(tmp_path: Path) -> None:
    _write(tmp_path / "r.csv")
    answered, failed, odd = _read_csv(tmp_path / "r.csv")
    assert answered["path"] == "a/ü 1.png"
    assert answered["probability"] == "0.123457"
    assert answered["phase"] == "POST_CONTRAST"
    assert answered["warnings"] == "16-bit: scaled; palette"
    assert answered["volume_index"] == answered["study_instance_uid"] == answered["reason"] == ""
    assert failed["path"] == FAILED.path
    assert failed["reason"] == FAILED.reason
    assert failed["probability"] == failed["phase"] == ""
    assert odd["path"] == r"caf\udce9.png"


def test_json_lines_keep_types_and_full_precision(tmp_path: Path) -> None:
    _write(tmp_path / "r.jsonl")
    answered, failed, odd = map(json.loads, (tmp_path / "r.jsonl").read_text("utf-8").splitlines())
    assert tuple(answered) == RESULT_COLUMNS
    assert answered["probability"] == 0.123456789
    assert answered["warnings"] == ["16-bit: scaled", "palette"]
    assert failed["phase"] is None
    assert failed["path"] == FAILED.path
    assert os.fsencode(odd["path"]) == b"caf\xe9.png"


def test_parquet_keeps_types_also_across_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is optional")
    monkeypatch.setattr(tables, "PARQUET_ROW_GROUP", 2)
    _write(tmp_path / "r.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert parquet.ParquetFile(tmp_path / "r.parquet").num_row_groups == 2
    assert tuple(rows[0]) == RESULT_COLUMNS
    assert rows[0]["probability"] == 0.123456789
    assert rows[0]["warnings"] == ["16-bit: scaled", "palette"]
    assert rows[1]["volume_index"] is None
    assert rows[1]["probability"] is None
    assert rows[2]["path"] == r"caf\udce9.png"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_without_rows_is_valid(tmp_path: Path, suffix: str) -> None:
    _write(tmp_path / f"r{suffix}", ())
    assert (tmp_path / f"r{suffix}").exists()


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1.png", "-1.png", "@x.png", "\tx.png"])
def test_a_file_name_cannot_become_a_formula(name: str) -> None:
    stream = io.StringIO()
    csv_writer(stream)(SeriesResult(path=name, status=Status.ANSWERED))
    stream.seek(0)
    (row,) = csv.DictReader(stream)
    assert row["path"] == f"./{name}"
    assert Path(row["path"]) == Path(name)


@pytest.mark.parametrize("name", ["results", "results.txt", "results.csv.gz", "csv"])
def test_a_name_of_unknown_form_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UsageError, match=r"something.csv, something.jsonl, something.parquet"):
        check_table_path(Path(name))


def test_a_folder_is_not_taken_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        check_table_path(tmp_path / "x.csv")


def test_missing_pyarrow_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=re.escape(install_command("parquet"))):
        check_table_path(Path("x.parquet"))


def _fail_after_a_row(write: WriteRow) -> None:
    write(ANSWERED)
    raise RuntimeError


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_fault_on_the_way_leaves_the_old_table_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_bytes(b"the old table")
    with pytest.raises(RuntimeError), open_table(path) as write:
        _fail_after_a_row(write)
    assert path.read_bytes() == b"the old table"
    assert list(tmp_path.iterdir()) == [path]


FILL_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from gadoscope.errors import OutputError
from gadoscope.labels import SeriesResult, Status
from gadoscope.results.tables import open_table
if sys.argv[1].endswith("parquet"):
    import pyarrow.parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with open_table(Path(sys.argv[1])) as write:
        for index in range(20_000):
            write(SeriesResult(path=f"{index * 7919}.png", status=Status.ANSWERED, probability=index / 7919))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files (RLIMIT_FSIZE)")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_that_outgrows_the_disk_leaves_nothing_behind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    ended = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert ended.stdout.startswith(f"cannot write {path}: "), ended.stderr
    assert "Free some space" in ended.stdout
    assert ended.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk"
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path, suffix: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this container may not mount a disk")
    try:
        many = (
            SeriesResult(path=f"{i * 7919}.png", status=Status.ANSWERED, probability=i / 7919)
            for i in range(30_000)
        )
        with pytest.raises(OutputError, match=r"cannot write .*No space left on device\. Free some space"):
            _write(disk / f"r{suffix}", tuple(many))
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)

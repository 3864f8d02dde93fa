"""The journal: answers by content, of one bundle and version, that survive whatever ends a run."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import OutputError, UsageError
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.records import to_plain
from gadoscope.results import journal as journal_module
from gadoscope.results.journal import Journal, journal_path
from tests.support.rights import as_nobody

NAME = "tiny@01234567"
ROWS = (
    SeriesResult(
        path="a/1",
        study_instance_uid="1.2",
        series_instance_uid="1.3",
        volume_index=0,
        plane=Plane.AXIAL,
        n_slices=9,
        n_slices_used=5,
        status=Status.ANSWERED,
        phase=Phase.POST_CONTRAST,
        probability=0.1 + 0.2,
        header_state="administered",
        header_quote='SeriesDescription="t1 +c"',
        agreement="agree",
        model=NAME,
        warnings=("one", "two"),
    ),
    SeriesResult(
        path="a/1", status=Status.REFUSED, reason="blank: every pixel has the same value.", model=NAME
    ),
)
FAILED = SeriesResult(path="a/2", status=Status.FAILED, reason="truncated: it ends.")


def begin(path: Path, *, model: str = "m", version: str = "1", is_resuming: bool = True) -> Journal:
    journal = Journal(path, is_resuming=is_resuming)
    journal.begin(model=model, version=version, name=NAME)
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return journal_path(tmp_path / "results.csv")


def test_it_lies_beside_the_table(path: Path) -> None:
    assert path.name == "results.csv.journal"


def test_rows_come_back_as_they_were(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", ROWS)
    with begin(path) as journal:
        assert journal.find("digest") == tuple(replace(row, path="") for row in ROWS)
        assert journal.find("another") is None
        assert journal.count() == (1, 0)


def test_of_another_bundle_or_version_nothing_is_found(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", ROWS)
    for model, version in (("other", "1"), ("m", "2")):
        with begin(path, model=model, version=version) as journal:
            assert journal.find("digest") is None
            assert journal.count() == (0, 1)


def test_without_resuming_nothing_is_found_and_nothing_is_lost(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", ROWS)
    with begin(path, is_resuming=False) as journal:
        assert journal.find("digest") is None
        journal.add("another", ROWS)
    with begin(path) as journal:
        assert journal.count() == (2, 0)


def test_what_failed_is_tried_again(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", (*ROWS, FAILED))
        assert journal.find("digest") is None


def test_an_empty_journal_is_not_left_behind(path: Path) -> None:
    begin(path).close()
    assert not path.exists()


@pytest.mark.parametrize("content", [b"path,phase\na.png,PRE\n", b"SQLite format 3\0" + bytes(4000)])
def test_another_file_of_that_name_is_not_touched(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"is no journal that this Gadoscope reads .*; remove it"):
        begin(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_not_touched(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    with pytest.raises(UsageError, match="remove it"):
        begin(path)


def test_two_runs_do_not_write_one_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "LOCK_SECONDS", 0.01)
    with begin(path) as journal:
        journal.add("digest", ROWS)
        with pytest.raises(UsageError, match=r"another run is writing .*; wait for it"):
            begin(path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write"):
        begin(tmp_path / "file" / "r.csv.journal")


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_where_permission_is_missing_the_sentence_says_so(tmp_path: Path, mode: int) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(mode)
    with (
        as_nobody(tmp_path),
        pytest.raises(OutputError, match="You have no permission to write in") as caught,
    ):
        begin(tmp_path / "closed" / "r.csv.journal")
    assert "Free some space" not in str(caught.value)


def test_a_journal_of_somebody_else_is_a_matter_of_permission(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", ROWS)
    path.chmod(0o600)
    with as_nobody(path.parent), pytest.raises(OutputError, match="You have no permission"):
        begin(path)


FILL_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from gadoscope.errors import OutputError
from gadoscope.labels import SeriesResult, Status
from gadoscope.results.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with Journal(Path(sys.argv[1]), is_resuming=False) as journal:
        journal.begin(model="m", version="1")
        for index in range(20_000):
            journal.add(str(index), [SeriesResult(path=str(index), status=Status.ANSWERED)])
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files (RLIMIT_FSIZE)")
def test_a_journal_that_outgrows_the_disk_is_one_sentence(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, path], capture_output=True, text=True, check=False
    )
    assert ended.stdout.startswith(f"cannot write {path}: "), ended.stderr
    assert ended.stdout.count("\n") == 1


KILL = """
import os, signal, sys
from pathlib import Path
from gadoscope.labels import SeriesResult, Status
from gadoscope.results import journal
journal.COMMIT_SECONDS = 0.0
kept = journal.Journal(Path(sys.argv[1]), is_resuming=False)
kept.begin(model="m", version="1")
for index in range(100):
    kept.add(str(index), [SeriesResult(path=str(index), status=Status.ANSWERED)])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_what_was_committed_survives_a_kill(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILL, path], check=False)
    assert ended.returncode == -signal.SIGKILL
    with begin(path) as journal:
        assert journal.count() == (100, 0)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_it_is_readable_by_its_owner_as_any_file(path: Path) -> None:
    with begin(path) as journal:
        journal.add("digest", ROWS)
    assert os.access(path, os.R_OK)


def write_first_format(path: Path, rows: str) -> None:
    """Write a journal as the first format had it: an answer was one JSON text."""
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE answers (model TEXT, version TEXT, digest TEXT, rows TEXT, "
            "PRIMARY KEY (model, version, digest)) WITHOUT ROWID"
        )
        database.execute("CREATE TABLE suspects (digest TEXT PRIMARY KEY) WITHOUT ROWID")
        database.execute("INSERT INTO answers VALUES ('m', '1', 'digest', ?)", (rows,))
        database.execute("INSERT INTO suspects VALUES ('suspect')")
        database.execute("PRAGMA application_id = 1785689458")
        database.execute("PRAGMA user_version = 1")
    database.close()


def test_a_journal_of_the_first_format_is_taken_over(path: Path) -> None:
    write_first_format(path, json.dumps([to_plain(row) for row in ROWS]))
    for _ in range(2):
        with begin(path) as journal:
            assert journal.count() == (1, 0)
            assert journal.find("digest") == tuple(replace(row, path="") for row in ROWS)
            assert journal.is_suspect("suspect")


def test_a_damaged_journal_of_the_first_format_is_not_touched(path: Path) -> None:
    write_first_format(path, '[{"path": "a"}]')
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is no journal that this Gadoscope reads"):
        begin(path)
    assert path.read_bytes() == before

"""The run that is repeated: what is as it was is not read again, and what changed is not missed."""

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gadoscope.classification import local, workers
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, SeriesResult
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.records import from_plain
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, rename_study, write_series

pytest.importorskip("sqlalchemy", reason="the store needs the extra `store`")

from gadoscope.results.store.store import Store

Rows = list[SeriesResult]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder with a study of two series, a study of one, and two slice images."""
    folder = tmp_path / "archive"
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(classic_series(phase), folder / "first" / phase)
    write_series(rename_study(classic_series(Phase.POST_CONTRAST), "second"), folder / "second")
    write_cohort(Cohort(subjects=1, seed=1, slices=6, matrix=64), folder / "bids", form=Form.BIDS)
    return folder


@pytest.fixture
def run(tmp_path: Path, tiny_bundle: Path, archive: Path) -> Callable[..., Rows]:
    """Return a function that classifies the archive into a store, and returns the rows."""

    def classify(*options: str) -> Rows:
        table = tmp_path / "rows.jsonl"
        table.unlink(missing_ok=True)
        arguments = (
            "--model",
            str(tiny_bundle),
            "--store",
            _url(tmp_path),
            "--output",
            str(table),
            "--jobs",
            "1",
        )
        run_command("classify", str(archive), *arguments, *options)
        return read_rows(table)

    return classify


@contextmanager
def opened_below(folder: Path) -> Iterator[set[str]]:
    """Note the files below a folder that are opened meanwhile, by Python or by a library that asks it."""
    opened: set[str] = set()
    watched = [True]

    def note(event: str, given: tuple[object, ...]) -> None:
        if watched[0] and event == "open" and str(given[0]).startswith(f"{folder}{os.sep}"):
            opened.add(str(given[0]))

    sys.addaudithook(note)  # which stays as long as the process
    try:
        yield opened
    finally:
        watched[0] = False


def read_rows(table: Path) -> Rows:
    """Return the rows of a table in JSON Lines."""
    return [from_plain(SeriesResult, json.loads(line)) for line in table.read_text("utf-8").splitlines()]


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'answers.db'}"


def _all(folder: Path) -> Rows:
    return sorted(Store(_url(folder)).rows(), key=lambda row: (row.path, row.volume_index or -1))


def test_of_an_archive_that_is_as_it_was_no_image_is_opened_and_every_row_is_the_same(
    archive: Path, run: Callable[..., Rows]
) -> None:
    first = run()
    with opened_below(archive) as opened:
        second = run()
    assert len(first) >= 5
    assert second == first
    assert {Path(path).suffix for path in opened} <= {"", ".json", ".tsv", ".gz"}
    assert not [path for path in opened if "first" in path or "second" in path]


def test_a_series_that_was_moved_is_known_again_and_is_no_longer_where_it_was(
    archive: Path, tmp_path: Path, run: Callable[..., Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run()
    shutil.move(archive / "second", archive / "later")
    monkeypatch.setattr(Session, "slice_answers", _nothing_may_be_asked)
    second = run()
    moved = {row.path.replace("later", "second"): row for row in second}
    assert {path: row.probability for path, row in moved.items()} == {
        row.path: row.probability for row in first
    }
    assert not [row for row in _all(tmp_path) if f"{os.sep}second{os.sep}" in row.path]
    assert len(_all(tmp_path)) == len(first)


def test_pixels_that_changed_at_their_place_are_noticed_though_uid_size_and_time_are_as_before(
    archive: Path, tmp_path: Path, run: Callable[..., Rows]
) -> None:
    first = run()
    for path in sorted((archive / "second").iterdir()):
        status, content = path.stat(), bytearray(path.read_bytes())
        content[-2000:] = bytes(reversed(content[-2000:]))
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = run()
    (before,) = [row for row in first if f"{os.sep}second{os.sep}" in row.path]
    (after,) = [row for row in second if f"{os.sep}second{os.sep}" in row.path]
    assert before.path == after.path
    assert before.probability != after.probability
    assert sorted(row.path for row in second) == sorted(row.path for row in first)
    digests = _ask(tmp_path, "SELECT count(DISTINCT digest) FROM series WHERE path = ?", after.path)
    assert digests == [(2,)]  # the answer before stands beside it


def test_what_was_deleted_is_marked_and_not_erased(
    archive: Path, tmp_path: Path, run: Callable[..., Rows]
) -> None:
    first = run()
    shutil.rmtree(archive / "second")
    second = run()
    assert len(second) == len(first) - 1
    assert len(_all(tmp_path)) == len(second)
    gone = _ask(tmp_path, "SELECT path FROM series WHERE gone_at IS NOT NULL")
    assert [Path(str(path)).parent.name for (path,) in gone] == ["second"]
    assert _ask(
        tmp_path,
        "SELECT count(*) FROM answers WHERE digest IN (SELECT digest FROM series WHERE gone_at IS NOT NULL)",
    ) != [(0,)]


def test_a_series_that_is_new_in_a_study_has_it_judged_anew_and_no_network_asked_twice(
    archive: Path, tmp_path: Path, run: Callable[..., Rows]
) -> None:
    aside = tmp_path / "aside"
    shutil.move(archive / "first" / Phase.POST_CONTRAST, aside)
    run()
    shutil.move(aside, archive / "first" / Phase.POST_CONTRAST)
    whole = run()
    (tmp_path / "answers.db").unlink()
    assert whole == run()


def test_headers_that_a_store_remembers_wrongly_are_read_from_the_files(
    archive: Path, tmp_path: Path, run: Callable[..., Rows]
) -> None:
    first = run()
    assert _ask(tmp_path, "SELECT count(*) > 0 FROM scans") == [(1,)]
    _ask(tmp_path, "UPDATE scans SET content = x'00'")
    assert run() == first


def test_what_processes_read_is_remembered_whole_wherever_they_take_over(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "INSTANCES_BEFORE_WORKERS", 3)  # in the middle of a group
    monkeypatch.setattr(workers, "FILES_PER_TASK", 5)
    archive, table = tmp_path / "archive", tmp_path / "rows.jsonl"
    for name in ("a", "b"):
        series = classic_series(Phase.POST_CONTRAST, n_slices=11)
        write_series(rename_study(series, name), archive / name)
    words = ("--model", str(tiny_bundle), "--store", _url(tmp_path), "--output", str(table), "--jobs", "2")
    tables = []
    for _ in range(3):
        run_command("classify", str(archive), *words)
        tables.append(read_rows(table))
    assert tables[0] == tables[1] == tables[2]
    assert {row.n_slices for row in tables[0]} == {11}


def test_since_leaves_out_what_was_there_before_and_judges_what_is_newer_with_its_whole_study(
    archive: Path, tmp_path: Path, run: Callable[..., Rows]
) -> None:
    whole = run()
    time.sleep(0.2)
    since = datetime.now(UTC)
    assert run("--since", since.isoformat()) == []
    newest = sorted((archive / "first" / Phase.POST_CONTRAST).iterdir())[0]
    newest.touch()
    rows = run("--since", since.isoformat())
    assert rows == [row for row in whole if f"{os.sep}first{os.sep}" in row.path]
    assert len(_all(tmp_path)) == len(whole)


def _nothing_may_be_asked(*_: object) -> None:
    raise AssertionError("the network was asked of what an earlier run answered")


def _ask(folder: Path, statement: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "answers.db")) as database, database:
        return list(database.execute(statement, values))

"""Where contents lie, in both databases: known again, moved, gone, or not known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from gadoscope.labels import SeriesResult, Status
from gadoscope.results.keeping import Lying, Origin
from gadoscope.results.store.address import parse_address
from gadoscope.results.store.store import Store

MODEL = {"model": "a" * 64, "version": "1"}


def answered(path: Path) -> list[SeriesResult]:
    """Return the rows of an answer."""
    return [SeriesResult(path=str(path), status=Status.ANSWERED)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a folder of two files."""
    folder = tmp_path / "50% of_it"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).write_text(name)
    return folder


def test_what_lies_at_a_path_is_known_while_its_files_have_the_stamp_that_they_had(
    url: str, archive: Path
) -> None:
    with Store(url) as store:
        store.begin(**MODEL)
        store.add("digest", answered(archive / "one"))
        store.settle("digest", answered(archive / "one"), "", Origin("stamp", "headers"))
    with Store(url) as store:
        store.begin(**MODEL)
        one, two = str(archive / "one"), str(archive / "two")
        rows = tuple(replace(row, path="") for row in answered(archive / "one"))
        lying = {one: Lying("digest", "", rows, "stamp")}
        assert store.recall_places({one: "stamp", two: "stamp"}) == lying
        assert store.recall_places({one: "another", two: "stamp"}) == {}
        assert store.recall_places({one: None, two: None}) == lying


def test_what_has_the_same_headers_was_moved_only_if_it_is_no_longer_where_it_was(
    url: str, archive: Path
) -> None:
    with Store(url) as store:
        store.begin(**MODEL)
        store.settle("digest", answered(archive / "one"), "", Origin("stamp", "headers"))
    with Store(url) as store:
        store.begin(**MODEL)
        assert store.find_moved("headers") is None  # a copy, perhaps with other pixels
        (archive / "one").rename(archive / "three")
        assert store.find_moved("headers") == "digest"
        assert store.find_moved("others") is None


def test_of_two_contents_with_the_same_headers_neither_is_what_was_moved(url: str, archive: Path) -> None:
    with Store(url) as store:
        store.begin(**MODEL)
        for digest, name in (("first", "away"), ("second", "gone")):
            store.settle(digest, answered(archive / name), "", Origin("stamp", "headers"))
    with Store(url) as store:
        store.begin(**MODEL)
        assert store.find_moved("headers") is None


def test_what_was_found_in_a_group_of_files_is_there_in_the_next_run(url: str) -> None:
    content = bytes(range(256))
    with Store(url) as store:
        store.begin(**MODEL)
        store.keep_scan("stamp", content)
        store.keep_scan("stamp", b"another writer's")
    with Store(url) as store:
        store.begin(**MODEL)
        assert store.recall_scans(["other", "stamp"]) == {"stamp": content}


def test_what_no_run_saw_for_a_season_is_forgotten_and_what_one_saw_is_not(url: str) -> None:
    engine = sa.create_engine(parse_address(url).url)

    def age(seen_at: str) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE scans SET seen_at = :at"), {"at": seen_at})

    def recall(*, has_seen_all: bool = True, stamps: Sequence[str] = ("one",)) -> list[str]:
        with Store(url) as store:
            store.begin(**MODEL)
            found = store.recall_scans(stamps)
            store.finish(has_seen_all=has_seen_all)
        return list(found)

    with Store(url) as store:
        store.begin(**MODEL)
        store.keep_scan("one", b"a")
        store.keep_scan("two", b"b")
        store.finish()
    age("2020-01-01T00:00:00Z")
    recall(has_seen_all=False)  # it did not look at all, so what it did not see may be there
    assert recall(stamps=()) == []
    assert recall(stamps=("one", "two")) == ["one"]
    engine.dispose()


@pytest.mark.parametrize(
    ("roots", "has_seen_all", "gone"),
    [
        (["{archive}"], True, ["one"]),
        (["{archive}/"], True, ["one"]),
        (["{archive}"], False, []),
        (["{archive}/two"], True, []),
        (["{archive} of another"], True, []),
        (["{archive}/away"], True, []),
    ],
)
def test_what_a_whole_run_did_not_see_below_its_roots_is_gone_and_comes_back(
    url: str, archive: Path, roots: list[str], has_seen_all: bool, gone: list[str]
) -> None:
    with Store(url) as store:
        store.begin(**MODEL)
        for name in ("one", "two"):
            store.add(name, answered(archive / name))
            store.settle(name, answered(archive / name), "")
    with Store(url) as store:
        store.begin(**MODEL, roots=[root.format(archive=archive) for root in roots])
        store.settle("two", answered(archive / "two"), "")
        store.finish(has_seen_all=has_seen_all)
    there = {"one", "two"} - set(gone)
    assert {Path(row.path).name for row in Store(url).rows()} == there
    assert {Path(row.path).name for row in Store(url).rows(gone=True)} == {"one", "two"}
    with Store(url) as store:
        store.begin(**MODEL)
        store.settle("one", answered(archive / "one"), "")
    assert {Path(row.path).name for row in Store(url).rows()} == {"one", "two"}


def test_below_a_folder_that_could_not_be_listed_nothing_is_gone(url: str, archive: Path) -> None:
    with Store(url) as store:
        store.begin(**MODEL)
        store.add("inside", answered(archive / "locked" / "inside"))
        store.settle("inside", answered(archive / "locked" / "inside"), "")
    (archive / "locked").mkdir()
    failed = SeriesResult(path=str(archive / "locked"), status=Status.FAILED, reason="no_permission: locked.")
    with Store(url) as store:
        store.begin(**MODEL, roots=[str(archive)])
        store.settle(None, [failed], "")
        store.finish()
    assert "inside" in {Path(row.path).name for row in Store(url).rows()}


@pytest.mark.parametrize("ends_first", [0, 1])
def test_what_two_runs_at_once_both_see_is_not_gone(url: str, archive: Path, ends_first: int) -> None:
    first, second = Store(url), Store(url)
    for store in (first, second):
        store.begin(**MODEL, roots=[str(archive)])
    for name, runs in (("one", (first, second)), ("two", (second, first))):
        for store in runs:
            store.add(name, answered(archive / name))
            store.settle(name, answered(archive / name), "")
            store.write()
    for store in ((first, second), (second, first))[ends_first]:
        store.finish()
        store.close()
    assert Store(url).count() == 2

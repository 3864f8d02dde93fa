"""A folder is walked in the order of its names in little memory: however many they are, however deep."""

import os
import sqlite3
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gadoscope.errors import OutputError
from gadoscope.reading import listing
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.listing import sort_entries

FEW = 500
ODD_NAMES = (
    "a",
    "a-b",
    "a.b",
    "B",
    "ä",
    "\ue000",
    "\U0001f9e0",
    "\udcff",
    "\udc80.dcm",
    "line\nbreak",
    " ",
    "~",
)
"""In no order; with bytes that are no text, as Python has them."""
MIB = 2**20


@pytest.fixture
def few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep fewer entries in memory: what becomes of more is the same."""
    monkeypatch.setattr(listing, "ENTRIES_IN_MEMORY", FEW)


def test_many_names_come_in_the_order_that_python_gives_them(few_in_memory: None) -> None:
    entries = [(name + end, not end) for name in ODD_NAMES for end in ("", *map(str, range(100)))]
    assert len(entries) > 2 * FEW
    assert list(sort_entries(reversed(entries))) == sorted(entries)


@pytest.mark.parametrize("count", [FEW - 1, FEW, FEW + 1])
def test_no_name_is_lost_where_memory_just_suffices(few_in_memory: None, count: int) -> None:
    entries = [(f"{number:03}", False) for number in range(count)]
    assert list(sort_entries(reversed(entries))) == entries


def test_a_folder_of_many_files_is_walked_in_order(few_in_memory: None, tmp_path: Path) -> None:
    names = [f"{number * 7919 % 10007:05}.dcm" for number in range(FEW + 100)]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "03000").mkdir()
    (tmp_path / "03000" / "inner").touch()
    found = [found.source.path.name for found in iter_inputs([tmp_path])]
    assert found == sorted([*names, "inner"], key=lambda name: "03000" if name == "inner" else name)


def test_memory_does_not_grow_with_the_files_of_a_folder(few_in_memory: None) -> None:
    count = 15_000
    tracemalloc.start()
    try:
        entries = sort_entries(
            (f"1.2.826.0.1.{number * 7919 % 100_003:08}", False) for number in range(count)
        )
        assert sum(1 for _ in entries) == count
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MIB  # in a list they take 2


def test_a_folder_that_breaks_off_says_what_the_system_says(few_in_memory: None) -> None:
    def break_off() -> Iterator[tuple[str, bool]]:
        yield from ((f"{number}", False) for number in range(2 * FEW))
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        sort_entries(break_off())


def test_a_full_disk_is_told_with_what_to_do(few_in_memory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Small(sqlite3.Connection):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[arg-type]
            self.execute("PRAGMA max_page_count = 10")

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *given, **options: connect(*given, factory=Small, **options)
    )
    names = ((f"{number:0200}", False) for number in range(3 * FEW))
    with pytest.raises(OutputError, match=r"names in a folder .* full.* TMPDIR"):
        list(sort_entries(names))


def test_memory_of_a_chain_of_folders_does_not_grow_with_its_square(tmp_path: Path) -> None:
    depth = 400
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    tracemalloc.start()
    try:
        assert list(iter_inputs([tmp_path])) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * MIB  # a set for each folder of those above it took 5

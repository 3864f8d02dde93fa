"""Temporary files lie in memory only where that serves."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.support import memory_folder


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder that stands for memory, with no other place named."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "x")  # so that it is put back
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(memory_folder, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(memory_folder, "LEAST_FREE_BYTES", 1)
    return tmp_path


def test_they_lie_in_memory_where_there_is_room(unset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_folder, "LEAST_FREE_BYTES", 2**60)
    memory_folder.use_memory()
    assert "TMPDIR" not in os.environ
    monkeypatch.setattr(memory_folder, "LEAST_FREE_BYTES", 1)
    memory_folder.use_memory()
    assert tempfile.gettempdir() == str(unset)


@pytest.mark.usefixtures("unset")
def test_the_place_that_a_tester_names_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    monkeypatch.setenv("TMPDIR", str(named))
    memory_folder.use_memory()
    assert tempfile.gettempdir() == str(named)

"""Files: whole or not at all, whatever goes wrong in between."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gadoscope.errors import OutputError, UsageError
from gadoscope.files import HAS_LOCKS, SUFFIX, create_folder, scratch_folder, write_beside, write_text
from tests.support.rights import as_nobody

FULL_DISK = Path("/dev/full")
needs_full_disk = pytest.mark.skipif(
    not FULL_DISK.exists(), reason="only Linux has a device that is always full"
)


def fill(path: Path) -> None:
    """Write to a device whose answer is always: no space left."""
    FULL_DISK.write_bytes(b"x" * 10)
    path.write_bytes(b"never reached")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "first")
    write_text(tmp_path / "new" / "a.txt", "sécond")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "sécond"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


@needs_full_disk
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with (
        pytest.raises(OutputError, match=r"cannot write .*a\.txt: No space left on device\. Free some space"),
        write_beside(tmp_path / "a.txt") as beside,
    ):
        fill(beside)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_any_error_of_the_writer_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with write_beside(tmp_path / "a.txt") as beside:
            beside.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_when_it_is_full(tmp_path: Path) -> None:
    with create_folder(tmp_path / "out") as beside:
        (beside / "a").write_text("a")
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a").read_text() == "a"


@needs_full_disk
def test_a_folder_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with create_folder(tmp_path / "out") as beside:
            (beside / "a").write_text("a")
            fill(beside / "b")

    with pytest.raises(OutputError, match="No space left"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_never_filled_over(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(UsageError, match="exists already; name another folder"), create_folder(tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with create_folder(tmp_path / "out") as beside:
        (beside / "a").write_text("a")
    assert (tmp_path / "out" / "a").exists()


def test_a_parent_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt: "):
        write_text(tmp_path / "file" / "a.txt", "x")


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from gadoscope.files import create_folder, write_beside
with (write_beside if sys.argv[1] == "file" else create_folder)(Path(sys.argv[2])) as beside:
    ((beside / "a") if beside.is_dir() else beside).write_text("half")
    print("ready", flush=True)
    if sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""
needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="needs the locks of POSIX")


@needs_locks
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_writer_left_is_cleared_by_the_next_and_a_living_one_keeps_its_own(
    tmp_path: Path, what: str
) -> None:
    target = tmp_path / "out"
    command = [sys.executable, "-c", KILLED_WRITER, what, str(target)]
    for _ in range(2):
        subprocess.run([*command, "die"], capture_output=True, check=False)
    write_text(tmp_path / "out.other", "another output does not touch them")
    left = set(tmp_path.glob(".out.*.partial"))
    assert len(left) == 1, "the second had cleared what the first left"
    with subprocess.Popen([*command, "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        living.stdout.readline()
        (own,) = set(tmp_path.glob(".out.*.partial")) - left
        if what == "file":
            write_text(target, "mine")
            assert target.read_text() == "mine"
        else:
            with create_folder(target):
                pass
        assert own.exists()
        living.communicate(b"")
    assert living.returncode == 0
    assert not list(tmp_path.glob(".*"))


@needs_locks
def test_what_only_looks_like_a_left_file_stays(tmp_path: Path) -> None:
    notes = tmp_path / ".a.txt.my notes.partial"
    notes.write_text("mine")
    write_text(tmp_path / "a.txt", "x")
    assert notes.read_text() == "mine"


def test_a_name_as_long_as_the_system_takes_can_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("n" * 251 + ".txt"), "x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_is_chosen_at_the_end_takes_the_file(tmp_path: Path) -> None:
    for place in (lambda: tmp_path / "b.txt", lambda: None):
        with write_beside(tmp_path / "a.txt", place) as beside:
            beside.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_halves_of_characters_are_written_as_escapes(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "x\udce9")
    assert (tmp_path / "a.txt").read_bytes() == rb"x\udce9"


@pytest.mark.parametrize("make", [write_beside, create_folder])
def test_a_folder_that_may_not_be_entered_is_one_sentence_that_names_permission(
    tmp_path: Path, make: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    with (
        as_nobody(tmp_path),
        pytest.raises(OutputError, match="You have no permission to write in"),
        make(tmp_path / "closed" / "out"),
    ):
        pass


@pytest.mark.skipif(not HAS_LOCKS, reason="this system has no locks")
def test_a_scratch_folder_is_private_ends_empty_and_takes_away_what_a_killed_process_left(
    tmp_path: Path,
) -> None:
    left = tmp_path / f".uploads.abcdefgh{SUFFIX}"
    left.mkdir()
    (left / "patient.dcm").write_bytes(b"x")
    with scratch_folder(tmp_path / "uploads") as scratch:
        assert not left.exists()
        assert scratch.stat().st_mode & 0o077 == 0
        with scratch_folder(tmp_path / "uploads") as other:  # of a server that lives
            assert scratch.is_dir()
            (other / "0").write_bytes(b"x")
        (scratch / "0").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []

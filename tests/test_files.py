"""Files: whole or not at all, whatever goes wrong in between."""

from pathlib import Path

import pytest

from gadoscope.errors import OutputError, UsageError
from gadoscope.files import create_folder, write_beside, write_text

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

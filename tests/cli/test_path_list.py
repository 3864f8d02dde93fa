"""Paths from the standard input are taken one by one, however many, and however they come."""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gadoscope.cli.path_list import iter_names
from gadoscope.errors import UsageError
from tests.support.commands import run_command


class Pipe(io.RawIOBase):
    """A pipe that gives what it is told, a part at a time, and counts what was taken."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts, self.n_taken, self.rest = parts, 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.rest = self.rest or next(self.parts, b"")
        part, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(part)] = part
        self.n_taken += len(part)
        return len(part)


def names_of(*parts: bytes) -> list[bytes]:
    return list(iter_names(io.BufferedReader(Pipe(iter(parts)))))


def test_names_that_never_end_are_taken_a_few_ahead() -> None:
    pipe = Pipe(f"archive/{number}.dcm\n".encode() for number in iter(int, 1))
    names = list(islice(iter_names(io.BufferedReader(pipe)), 1000))
    assert names == [b"archive/0.dcm"] * 1000
    assert pipe.n_taken < 2**18


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 8192])
def test_names_are_whole_wherever_the_pipe_cuts_them(end: bytes, cut: int) -> None:
    expected = [b"a b", b"c", "\u00e9.dcm".encode(), b"x" * 5000, b"last"]
    text = end.join([*expected[:2], b"", b"  ", *expected[2:]])
    for given in (text, text + end):
        assert names_of(*(given[at : at + cut] for at in range(0, len(given), cut))) == expected


def test_between_nuls_a_name_may_hold_the_end_of_a_line() -> None:
    assert names_of(b"a\nb\0c\r\nd\0") == [b"a\nb", b"c\r\nd"]


def test_what_is_no_list_ends_before_it_fills_the_memory() -> None:
    with pytest.raises(UsageError, match="no list of paths"):
        names_of(*(b"x" * 2**16 for _ in range(64)))
    with pytest.raises(UsageError, match="names no path"):
        names_of(b" \n\n")


def test_a_list_mixes_paths_and_addresses_and_a_typo_is_one_row(tmp_path: Path, tiny_bundle: Path) -> None:
    pytest.importorskip("fsspec", reason="fsspec is of the extra s3")
    Image.fromarray(np.full((40, 40), 9, np.uint8)).save(tmp_path / "a.png")
    listed = f"{tmp_path / 'a.png'}\ns4://ann:s3cret@bucket/b\nfile://{tmp_path / 'a.png'}\nmemory://none/c\n"
    done = run_command("classify", "-", "--model", tiny_bundle, given=listed)
    assert done.returncode == 3
    rows = [line.split(",")[0] for line in done.stdout.splitlines()[1:]]
    assert rows == [str(tmp_path / "a.png"), "s4:/bucket/b", str(tmp_path / "a.png"), "memory://none/c"]
    assert "unknown_address" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr

"""Paths from the standard input, one by one: a hundred million names take no more memory than ten."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from gadoscope.errors import UsageError

CHUNK_BYTES = 2**16
LOOK_BYTES = 2**13
"""Read before it is decided what stands between names: no path of any system is so long."""
LONGEST_NAME = 2**20
"""Bytes; no path and no address is that long."""
NO_LIST = "the standard input is no list of paths; write one a line, or name paths as arguments."
NO_NAME = "the standard input names no path; write one a line, or name paths as arguments."


def iter_names(stream: BinaryIO) -> Iterator[bytes]:
    """Return the names that a stream holds, a line each, or between NULs where there are any.

    Parameters
    ----------
    stream
        Read as names are taken.

    Raises
    ------
    UsageError
        If there is none, before this returns; from the iterator if something is too long to be one.
    """
    names = _split(stream)
    first = next(names, None)
    if first is None:
        raise UsageError(NO_NAME)
    return chain([first], names)


def _split(stream: BinaryIO) -> Iterator[bytes]:
    start = b""
    while len(start) < LOOK_BYTES and b"\0" not in start and (chunk := _read(stream, LOOK_BYTES)):
        start += chunk
    has_nul = b"\0" in start
    chunks = chain([start], iter(lambda: _read(stream, CHUNK_BYTES), b""))
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\0") if has_nul else _split_lines(rest + chunk)
        yield from filter(bytes.strip, whole)
        if len(rest) > LONGEST_NAME:
            raise UsageError(NO_LIST)
    yield from filter(bytes.strip, rest.splitlines() if not has_nul else [rest])


def _split_lines(text: bytes) -> list[bytes]:
    """Return whole lines, and what may go on: a last one, or the first half of an end of line."""
    lines = text.splitlines(keepends=True)
    rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    return [*(line.rstrip(b"\r\n") for line in lines), rest]


def _read(stream: BinaryIO, n_bytes: int) -> bytes:
    """Return what is there, without waiting for more."""
    read = getattr(stream, "read1", stream.read)
    return bytes(read(n_bytes))

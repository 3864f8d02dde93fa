"""Compressed streams are unpacked within limits: a bomb ends long before the disk does."""

import bz2
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from gadoscope.errors import RefusedError
from gadoscope.reading.archives.zip_limits import (
    MAX_MEMBER_BYTES,
    MAX_RATIO,
    MAX_TOTAL_BYTES,
    MIN_BOMB_BYTES,
    damaged,
)
from gadoscope.reading.archives.zip_member import MEMORY_BYTES
from gadoscope.reading.nifti.inflate import GzipIndex, GzipReader

GZIP, BZIP2, XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
MAX_XZ_BYTES = 2**27
"""Memory that unpacking may take; ``xz -9`` takes half of that."""
COPY_BYTES = 2**20
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, OSError, ValueError)


@contextmanager
def open_gzipped(file: BinaryIO) -> Iterator[BinaryIO]:
    """Give what a gzip file holds, whole and seekable.

    Raises
    ------
    InputError
        ``damaged_archive``, ``zip_bomb`` or ``too_large``.
    """
    packed = file.seek(0, io.SEEK_END)
    file.seek(0)
    stream = begin_unpacking(file)
    with SpooledTemporaryFile(MEMORY_BYTES) as unpacked:
        for chunk in iter_unpacked(stream or file, packed, MAX_MEMBER_BYTES):
            unpacked.write(chunk)
        unpacked.seek(0)
        yield cast("BinaryIO", unpacked)


def begin_unpacking(file: BinaryIO) -> IO[bytes] | None:
    """Return the unpacked stream of a file compressed by gzip, bzip2 or xz; ``None`` for another one."""
    start = file.read(COPY_BYTES)
    file.seek(0)
    if start.startswith(GZIP):
        # Points to begin at are of no use here, so they are put far apart.
        return io.BufferedReader(GzipReader(file, GzipIndex(MAX_TOTAL_BYTES)), COPY_BYTES)
    if start.startswith(BZIP2):
        return bz2.BZ2File(file)
    if not start.startswith(XZ):
        return None
    try:
        lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_BYTES).decompress(start, 1)
    except lzma.LZMAError as error:
        if "limit" not in str(error):
            raise damaged() from error
        raise RefusedError("too_large", "unpacking this takes too much memory; unpack it first.") from error
    return lzma.LZMAFile(file)


def iter_unpacked(stream: IO[bytes], packed: int, most: int) -> Iterator[bytes]:
    """Yield all that a stream holds, in pieces.

    Parameters
    ----------
    stream
        As from `begin_unpacking`.
    packed
        Bytes of the compressed file.
    most
        Bytes that it may hold.

    Raises
    ------
    InputError
        ``damaged_archive``, ``zip_bomb`` or ``too_large``.
    """
    n_bytes = 0
    while True:
        try:
            chunk = stream.read(COPY_BYTES)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise damaged() from error
        if not chunk:
            return
        n_bytes += len(chunk)
        if n_bytes > MIN_BOMB_BYTES and n_bytes > MAX_RATIO * packed:
            raise RefusedError(
                "zip_bomb", f"this unpacks to more than {MAX_RATIO} times its size; no scan does."
            )
        if n_bytes > most:
            raise RefusedError("too_large", f"this unpacks to more than {most} bytes: unpack it first.")
        yield chunk

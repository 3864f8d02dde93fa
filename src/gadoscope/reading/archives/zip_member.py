"""A member of a zip as a file that can be read from any place, unpacked no further than it is read."""

from tempfile import SpooledTemporaryFile
from typing import IO, Any

from gadoscope.reading.archives.seekable import SeekableFile
from gadoscope.reading.archives.zip_limits import damaged

MEMORY_BYTES = 32 * 2**20
"""More of a member than this waits in a temporary file without a name, not in memory."""
FILL_BYTES = 64 * 2**10
"""Unpacked at a time: a classic instance's header, and some of its pixels."""


class MemberFile(SeekableFile):
    """A member as a seekable file: unpacked from its beginning as far as anyone reads.

    Parameters
    ----------
    stream
        What the archive gives: to be read once, from its beginning.
    n_bytes
        Its length, unpacked.
    name
        Of the member.
    """

    def __init__(self, stream: IO[bytes], n_bytes: int, name: str) -> None:
        super().__init__(name, n_bytes)
        self._stream = stream
        self._unpacked = SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115 — closed with this object
        self._n_unpacked = 0

    def close(self) -> None:
        """Forget what was unpacked."""
        self._unpacked.close()
        super().close()

    def readinto(self, buffer: Any) -> int:  # whatever memory is writable; typing has no name for it
        """Fill ``buffer``, unpacking as far as that needs; return how many bytes were there."""
        self._unpack(min(self._at + len(buffer), self._n_bytes))
        self._unpacked.seek(self._at)
        chunk = self._unpacked.read(min(len(buffer), max(0, self._n_unpacked - self._at)))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def _unpack(self, end: int) -> None:
        if end <= self._n_unpacked:
            return
        self._unpacked.seek(self._n_unpacked)
        while self._n_unpacked < end:
            try:
                chunk = self._stream.read(max(FILL_BYTES, min(end - self._n_unpacked, MEMORY_BYTES)))
            # zipfile and its decompressors raise whatever a damaged member makes them trip over.
            except Exception as error:
                raise damaged() from error
            if not chunk:
                raise damaged()
            self._unpacked.write(chunk)
            self._n_unpacked += len(chunk)

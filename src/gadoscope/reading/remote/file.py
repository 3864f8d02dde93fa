"""An object as a file that is read by ranges: what is asked for, and a little ahead where it is read on.

A few megabytes of what was read are remembered for the whole process: the start of an instance is looked at
for its header and again for its pixels, a small volume is digested and then opened.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from io import BufferedReader
from typing import Any, cast

from gadoscope.errors import ReadError
from gadoscope.reading.archives.seekable import SeekableFile
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.remote.failures import CHANGED
from gadoscope.reading.remote.listings import look_up
from gadoscope.reading.remote.path import RemotePath, Seen
from gadoscope.reading.remote.stores import UNKNOWN, read_range, read_whole

START_BYTES = 32 * 1024
"""Of an object, asked for at first: most headers take a few kB. Also the least that is asked for later."""
MOST_AHEAD = 4 * 2**20
"""Asked for at once where an object is read on and on; each time twice as much, up to this."""
KEPT_BYTES = 128 * 2**20
"""Remembered of all objects: two thousand starts, and the slices of a few series."""
KEPT_OF_ONE = 48 * 2**20
"""Of one object: a compressed volume whole."""

_Key = tuple[str, Seen]
_Part = tuple[int, bytes]


class _Remembered:
    """Parts of objects, those that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: OrderedDict[_Key, list[_Part]] = OrderedDict()
        self._n_bytes = 0

    def find(self, key: _Key, at: int) -> memoryview | None:
        """Return what is known from ``at`` on."""
        with self._lock:
            parts = self._parts.get(key, ())
            if parts:
                self._parts.move_to_end(key)
            for start, data in parts:
                if start <= at < start + len(data):
                    return memoryview(data)[at - start :]
        return None

    def count(self, key: _Key) -> int:
        """Return how many bytes are known from the first one on, without a gap."""
        n_bytes = 0
        while (known := self.find(key, n_bytes)) is not None:
            n_bytes += len(known)
        return n_bytes

    def keep(self, key: _Key, part: _Part) -> None:
        """Remember a part, in the place of those that were not asked for the longest."""
        if not key[1].stamp or not part[1]:  # nothing would tell that the object is another one now
            return
        with self._lock:
            parts = self._parts.setdefault(key, [])
            if sum(len(data) for _, data in parts) + len(part[1]) > KEPT_OF_ONE:
                return
            parts.append(part)
            self._parts.move_to_end(key)
            self._n_bytes += len(part[1])
            while self._n_bytes > KEPT_BYTES:
                _, dropped = self._parts.popitem(last=False)
                self._n_bytes -= sum(len(data) for _, data in dropped)


remembered = _Remembered()


class RemoteFile(SeekableFile):
    """An object, read by ranges.

    Parameters
    ----------
    path
        Where it lies.
    seen
        Its length and stamp.
    """

    def __init__(self, path: RemotePath, seen: Seen) -> None:
        self._whole: bytes | None = None
        if seen.n_bytes == UNKNOWN:
            self._whole = read_whole(path)
            seen = Seen(len(self._whole), "")
        super().__init__(str(path), seen.n_bytes)
        self._path, self._key = path, (path.address, seen)
        self._next, self._ahead = 0, START_BYTES // 2

    def readinto(self, buffer: Any) -> int:  # whatever memory is writable; typing has no name for it
        """Fill ``buffer``; return how many bytes were there."""
        if self._at >= self._n_bytes or not len(buffer):
            return 0
        known = self._find(len(buffer))
        n_bytes = min(len(buffer), len(known))
        buffer[:n_bytes] = known[:n_bytes]
        self._at += n_bytes
        return n_bytes

    def _find(self, wanted: int) -> memoryview:
        if self._whole is not None:
            return memoryview(self._whole)[self._at :]
        return remembered.find(self._key, self._at) or self._fetch(wanted)

    def _fetch(self, wanted: int) -> memoryview:
        """Ask for what comes next: twice as much as the last time, or after a jump for little."""
        self._ahead = min(2 * self._ahead, MOST_AHEAD) if self._at == self._next else START_BYTES
        end = min(self._at + max(wanted, self._ahead), self._n_bytes)
        data = read_range(self._path, self._at, end)
        if len(data) == self._n_bytes > end - self._at:  # the server knows no ranges
            self._whole = data
            return memoryview(data)[self._at :]
        if len(data) != end - self._at:
            raise copy(CHANGED)
        self._next = end
        remembered.keep(self._key, (self._at, data))
        return memoryview(data)


@contextmanager
def open_remote(path: RemotePath) -> Iterator[BufferedReader]:
    """Open an object for reading, seekable.

    Raises
    ------
    ReadError
        If it is missing, refused, or the server cannot be reached, also inside the block.
    """
    try:
        seen = look_up(path)
        if seen is None:
            raise ReadError("not_a_file", "this is a folder, not an image file; name the file itself.")
        with cast("BufferedReader", BufferedReader(RemoteFile(path, seen), START_BYTES)) as file:
            yield file
    except OSError as error:
        raise explain_os_error(error) from error


def read_start(path: RemotePath) -> tuple[bytes, int] | None:
    """Return the first bytes of an object that were asked for ahead, and its length; else ``None``."""
    if path.seen is None or path.seen.n_bytes <= 0:
        return None
    known = remembered.find((path.address, path.seen), 0)
    least = min(START_BYTES, path.seen.n_bytes)
    return None if known is None or len(known) < least else (bytes(known[:START_BYTES]), path.seen.n_bytes)

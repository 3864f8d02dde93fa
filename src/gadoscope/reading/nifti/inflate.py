"""A gzip stream that can be read at any place without inflating it from its beginning each time.

While it is read forwards, copies of zlib's state are kept every few megabytes; a later read starts at the
closest one before it. So choosing slices from the middle of a volume, or volume 300 of a 4-D file, costs one
pass in all, and memory stays at some 45 kB a copy.
"""

import io
import threading
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's number for "expect a gzip header"
_CHUNK_BYTES = 2**16
_SKIP_BYTES = 2**20
# 4 MiB inflate in 20 ms; a copy of the state takes a hundredth of that in memory.
_POINT_SPACING_BYTES = 4 * 2**20
_MAX_POINTS = 256


class _Inflater(Protocol):
    """What zlib.decompressobj returns; its type has no public name."""

    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...
    def copy(self) -> "_Inflater": ...


@dataclass(frozen=True)
class _Point:
    """Where reading can begin: bytes inflated and compressed before it, and zlib's state there."""

    inflated: int
    compressed: int
    state: _Inflater


class GzipIndex:
    """The points of one gzip file at which reading can begin; shared by all its readers, in any thread.

    Parameters
    ----------
    n_inflated
        About how many bytes will be read in all; more of them put the points further apart.
    """

    def __init__(self, n_inflated: int = 0) -> None:
        self._spacing = max(_POINT_SPACING_BYTES, n_inflated // _MAX_POINTS)
        self._points = [_Point(0, 0, _begin_member())]
        self._lock = threading.Lock()

    def find_before(self, position: int) -> _Point:
        """Return the last known point at or before ``position`` of the inflated bytes."""
        with self._lock:
            return self._points[bisect_right(self._points, position, key=lambda point: point.inflated) - 1]

    def wants(self, position: int) -> bool:
        """Return whether a point at ``position`` would help."""
        return position >= self._points[-1].inflated + self._spacing

    def add(self, inflated: int, compressed: int, state: _Inflater) -> None:
        """Keep a copy of ``state``, unless another reader was faster."""
        point = _Point(inflated, compressed, state.copy())
        with self._lock:
            if self.wants(inflated):
                self._points.append(point)


class GzipReader(io.RawIOBase):
    """Inflated bytes of a gzip file, seekable, several members or one.

    Parameters
    ----------
    file
        The compressed file, seekable; it stays open when the reader is closed.
    index
        Where reading can begin; grows while this reader reads.

    Raises
    ------
    EOFError
        If the file ends inside a member, when reading comes there.
    zlib.error
        If the file is damaged, when reading comes there.
    """

    def __init__(self, file: BinaryIO, index: GzipIndex) -> None:
        super().__init__()
        self._file = file
        self._index = index
        self._wanted = 0
        self._start_at(index.find_before(0))

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: it can be read at any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Set where the next read begins; costs nothing before that read. Not from the end."""
        if whence not in (io.SEEK_SET, io.SEEK_CUR):
            raise io.UnsupportedOperation("the inflated length of a gzip file is unknown")
        self._wanted = offset + (self._wanted if whence == io.SEEK_CUR else 0)
        return self._wanted

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._wanted

    def readinto(self, buffer: Any, /) -> int:
        """Fill ``buffer``; fewer bytes only at the end of the stream."""
        view = memoryview(buffer).cast("B")
        if not self._go_to(self._wanted):
            return 0
        filled = 0
        while filled < len(view):
            part = self._inflate(len(view) - filled)
            if not part:
                break
            view[filled : filled + len(part)] = part
            filled += len(part)
        self._wanted += filled
        return filled

    def _go_to(self, position: int) -> bool:
        """Inflate up to ``position``; return whether the stream reaches so far."""
        nearest = self._index.find_before(position)
        if position < self._inflated or nearest.inflated > self._inflated:
            self._start_at(nearest)
        while self._inflated < position:
            if not self._inflate(min(_SKIP_BYTES, position - self._inflated)):
                return False
        return True

    def _start_at(self, point: _Point) -> None:
        self._state = point.state.copy()
        self._inflated = point.inflated
        self._file.seek(point.compressed)
        self._compressed = point.compressed  # bytes taken from the file, `_tail` among them
        self._tail = b""

    def _inflate(self, limit: int) -> bytes:
        """Return the next bytes, at most ``limit``; empty at the end of the stream."""
        while True:
            if self._state.eof and not self._begin_next_member():
                return b""
            data = self._tail or self._take()
            part = self._state.decompress(data, min(limit, _SKIP_BYTES))
            self._tail = self._state.unused_data if self._state.eof else self._state.unconsumed_tail
            if part:
                self._inflated += len(part)
                if self._index.wants(self._inflated) and not self._state.eof:
                    self._index.add(self._inflated, self._compressed - len(self._tail), self._state)
                return part
            if not data and not self._state.eof:
                raise EOFError("the gzip file ends inside a member")

    def _begin_next_member(self) -> bool:
        """Go on behind a member; what follows it may be another one, zeros to fill a block, or nothing."""
        while len(self._tail) < len(MAGIC):
            more = self._take()
            if not more:
                return False
            self._tail += more
        if not self._tail.startswith(MAGIC):
            return False
        self._state = _begin_member()
        return True

    def _take(self) -> bytes:
        data = self._file.read(_CHUNK_BYTES)
        self._compressed += len(data)
        return data


def _begin_member() -> _Inflater:
    return zlib.decompressobj(_GZIP_WINDOW)

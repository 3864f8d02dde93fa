"""A source of bytes: a file, or a member of an archive, perhaps of one inside another."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gadoscope.reading.archives.held import Held
from gadoscope.reading.formats import GZIP, PREFIX_BYTES, gunzip, is_dicom
from gadoscope.reading.regular_files import open_regular_file
from gadoscope.reading.remote.path import Location, RemotePath

_NUMBER_BYTES = 8  # begins with zeros, as no path does


INSIDE = "!"
"""Between the name of an archive and the name of its member."""
START_BYTES = 32 * 1024
"""Of a file, read at first: the headers of most instances take a few kB, and for more the system maps new
memory, which takes as long as a header."""
_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # Windows would translate line ends


class Start(NamedTuple):
    """How a file begins, and how many bytes it has in all."""

    data: bytes
    n_bytes: int


class Source:
    """Where an input lies: a value, as a path is one.

    Parameters
    ----------
    path
        The file, on disk or at an address; or of one on disk its text, as `str` gives it, of which a path is
        made where one is asked for: that takes longer than all else here.
    member
        Name inside the zip or tar that ``path`` is; ``inner.zip!name`` inside a nested one; empty for a
        plain file.
    held
        What lies in memory and not on disk; ``path`` is then no more than what it is called.
    """

    __slots__ = ("_path", "held", "member", "text")

    def __init__(self, path: Location | str, member: str = "", held: Held | None = None) -> None:
        self._path = None if isinstance(path, str) else path
        self.text = str(path)
        self.member, self.held = member, held

    @property
    def path(self) -> Location:
        """Return where the file lies."""
        if self._path is None:
            self._path = Path(self.text)
        return self._path

    @property
    def remote(self) -> RemotePath | None:
        """Return where it lies if that is no disk; costs nothing of what a path of the disk does."""
        return self._path if isinstance(self._path, RemotePath) else None

    def __reduce__(self) -> tuple[type["Source"], tuple[RemotePath | str, str, Held | None]]:
        return Source, (self.remote or self.text, self.member, self.held)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Source):
            return NotImplemented
        if (self.text, self.member) != (other.text, other.member):
            return False
        return self.remote == other.remote

    def __lt__(self, other: "Source") -> bool:
        return (self.path, self.member) < (other.path, other.member)

    def __hash__(self) -> int:
        return hash((self.text, self.member))

    def __repr__(self) -> str:
        return f"Source({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.text}{INSIDE}{self.member}" if self.member else self.text

    @property
    def on_disk(self) -> Path:
        """Return the file of the disk, for those who look nowhere else, such as training.

        Raises
        ------
        TypeError
            If it lies at an address.
        """
        if isinstance(self.path, RemotePath):
            raise TypeError(f"{self.path} lies on no disk")
        return self.path

    @property
    def name(self) -> str:
        """Return the last part of the name, of the file or of the member."""
        if self.member:
            return self.member.rpartition("/")[2]
        return self.path.name if self.remote is not None else os.path.basename(self.text)  # noqa: PTH119 — as above

    @property
    def folder(self) -> str:
        """Return the name without its last part; a member of a zip lies in the zip."""
        if self.member:
            return f"{self.text}{INSIDE}{self.member.rpartition('/')[0]}"
        if self.remote is not None:
            return str(self.path.parent)
        return os.path.dirname(self.text) or os.curdir  # noqa: PTH120 — as above

    @property
    def sort_key(self) -> bytes:
        """Return bytes that sort as a walk goes: folder by folder, in the order of their names.

        What lies in memory comes first, in the order in which it was handed over.
        """
        if self.held is not None:
            return self.held.number.to_bytes(_NUMBER_BYTES, "big")
        text = str(self).replace(os.sep, "/")
        return text.encode("utf-8", "surrogatepass").replace(b"/", b"\0")

    def read_start(self) -> Start | None:
        """Return how a plain file begins, at a third of what it costs to `open` it.

        ``None`` where it has to be opened: for what it is, or for an error, which opening it tells.
        """
        if self.member or self.held is not None:
            return None
        if self.remote is not None:
            return self._recall_start(self.remote)
        try:
            status = os.stat(self.text)  # noqa: PTH116 — as above, so is what a path does before
            if not stat.S_ISREG(status.st_mode):  # a pipe would make us wait
                return None
            descriptor = os.open(self.text, _READ_ONLY)
            try:
                data = os.read(descriptor, START_BYTES)
            finally:
                os.close(descriptor)
        except (OSError, ValueError):
            return None
        is_odd = len(data) < min(START_BYTES, status.st_size) or data.startswith(GZIP)
        return None if is_odd else Start(data, status.st_size)

    @staticmethod
    def _recall_start(path: RemotePath) -> Start | None:
        """Return how an object begins that was asked for ahead of this."""
        from gadoscope.reading.remote.file import read_start  # noqa: PLC0415 — disks do without

        known = read_start(path)
        return None if known is None or known[0].startswith(GZIP) else Start(*known)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open for reading, seekable. A member is decompressed only as far as it is read.

        An instance that somebody compressed by gzip (``IM0001.dcm.gz``) is opened as the instance.

        Raises
        ------
        InputError
            If the system, or the archive, cannot give the bytes.
        """
        with self._open_stored() as file:
            if file.peek(len(GZIP))[: len(GZIP)] == GZIP and _holds_instance(file):
                from gadoscope.reading.archives.unpack import open_gzipped  # noqa: PLC0415 — few files need it

                with open_gzipped(file) as unpacked:
                    yield unpacked
            else:
                yield file

    def _open_stored(self) -> AbstractContextManager[BufferedReader]:
        if self.held is not None:
            return self.held.open()
        if not self.member:
            return open_regular_file(self.path)
        from gadoscope.reading.archives.zips import open_member  # noqa: PLC0415 — plain files do without

        return open_member(self.path, self.member)


def _holds_instance(file: BinaryIO) -> bool:
    prefix = file.read(PREFIX_BYTES)
    file.seek(0)
    return is_dicom(gunzip(prefix))

"""A source of bytes: a file, or a member of an archive, perhaps of one inside another."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from gadoscope.reading.archives.held import Held
from gadoscope.reading.archives.zip_limits import INSIDE
from gadoscope.reading.formats import GZIP, PREFIX_BYTES, gunzip, is_dicom
from gadoscope.reading.images import open_regular_file

_NUMBER_BYTES = 8  # begins with zeros, as no path does


@dataclass(frozen=True, order=True)
class Source:
    """Where an input lies.

    Parameters
    ----------
    path
        The file on disk.
    member
        Name inside the zip or tar that ``path`` is; ``inner.zip!name`` inside a nested one; empty for a
        plain file.
    held
        What lies in memory and not on disk; ``path`` is then no more than what it is called.
    """

    path: Path
    member: str = ""
    held: Held | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.path}{INSIDE}{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """Return the last part of the name, of the file or of the member."""
        return self.member.rpartition("/")[2] if self.member else self.path.name

    @property
    def folder(self) -> str:
        """Return the name without its last part; a member of a zip lies in the zip."""
        if self.member:
            return f"{self.path}{INSIDE}{self.member.rpartition('/')[0]}"
        return str(self.path.parent)

    @property
    def sort_key(self) -> bytes:
        """Return bytes that sort as a walk goes: folder by folder, in the order of their names.

        What lies in memory comes first, in the order in which it was handed over.
        """
        if self.held is not None:
            return self.held.number.to_bytes(_NUMBER_BYTES, "big")
        text = str(self).replace(os.sep, "/")
        return text.encode("utf-8", "surrogatepass").replace(b"/", b"\0")

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

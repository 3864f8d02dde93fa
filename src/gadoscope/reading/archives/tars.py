"""Tar archives, compressed or not, as zips are: listed and read where they lie, with the limits of zips.

A tar has no table of contents, so its headers are walked once. A compressed one cannot be read from the
middle either: it is unpacked once into a temporary file without a name. Only files are read; what a link
means is read where it lies, and a device is nothing.

References
----------
POSIX.1-2001, "pax Interchange Format"; GNU tar, "Basic Tar Format"
"""

import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.archives.seekable import SeekableFile
from gadoscope.reading.archives.unpack import begin_unpacking, iter_unpacked
from gadoscope.reading.archives.zip_limits import MAX_MEMBER_BYTES, MAX_MEMBERS, check_count, damaged
from gadoscope.reading.formats import is_tar

MAX_EXTENSION_BYTES = 2**20
"""Of a header that only extends the next one: a name of 4 kB and what pax may say of it are far less."""
MAX_UNPACKED_BYTES = 2**36
"""Of one compressed tar, in the folder for temporary files: 64 GiB."""
_EXTENSIONS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


@dataclass(frozen=True, slots=True)
class TarMember:
    """A file in a tar, or what stands in the place of one.

    Attributes
    ----------
    name
        Without a leading ``./``, which only says that it lies below the top.
    start, n_bytes
        Where its content lies.
    error
        Why it cannot be read.
    """

    name: str
    start: int
    n_bytes: int
    error: InputError | None


class TarArchive:
    """The members of a tar.

    Parameters
    ----------
    file
        The archive, at its beginning; stays open while members are read.

    Raises
    ------
    InputError
        If it is no tar, is damaged, or is refused.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._lock = threading.Lock()
        self._unpacked: IO[bytes] | None = None
        self.n_unpacked = 0
        packed = n_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        stream = begin_unpacking(file)
        try:
            if stream is not None:
                self._unpacked = TemporaryFile()  # noqa: SIM115 — closed with this object
                n_bytes = self.n_unpacked = self._unpack(iter_unpacked(stream, packed, MAX_UNPACKED_BYTES))
            self._file = file if self._unpacked is None else cast("BinaryIO", self._unpacked)
            self.members = list(_iter_members(self._file, n_bytes, packed))
        except BaseException:
            self.close()
            raise
        self.by_name = {member.name: member for member in self.members}

    def _unpack(self, chunks: Iterator[bytes]) -> int:
        """Keep the archive that was compressed; return its length."""
        n_bytes = 0
        for chunk in chunks:
            if not n_bytes and not is_tar(chunk):
                break
            n_bytes += len(chunk)
            cast("IO[bytes]", self._unpacked).write(chunk)
        if not n_bytes:
            raise RefusedError("unsupported_format", "this compressed file is no tar; unpack it first.")
        return n_bytes

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._unpacked is not None:
            self._unpacked.close()

    def open(self, name: str) -> io.RawIOBase:
        """Open a member, seekable; for several threads at once.

        Raises
        ------
        KeyError
            If there is none of this name.
        InputError
            If it cannot be read.
        """
        member = self.by_name[name]
        if member.error is not None:
            raise member.error
        return _Part(self._file, self._lock, member)


class _Part(SeekableFile):
    """Some bytes of a file as a file."""

    def __init__(self, file: BinaryIO, lock: threading.Lock, member: TarMember) -> None:
        super().__init__(member.name, member.n_bytes)
        self._file, self._lock, self._start = file, lock, member.start

    def readinto(self, buffer: Any) -> int:  # whatever memory is writable; typing has no name for it
        """Fill ``buffer``; return how many bytes were there."""
        wanted = min(len(buffer), max(0, self._n_bytes - self._at))
        with self._lock:
            self._file.seek(self._start + self._at)
            chunk = self._file.read(wanted)
        if len(chunk) < wanted:
            raise damaged()
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)


class _Header(tarfile.TarInfo):
    """A header that is refused before what extends it fills the memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        """Parse 512 bytes."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENSIONS and header.size > MAX_EXTENSION_BYTES:
            raise RefusedError(
                "zip_bomb", f"a header of this archive is extended by more than {MAX_EXTENSION_BYTES} bytes."
            )
        return header


def _iter_members(file: BinaryIO, n_bytes: int, packed: int) -> Iterator[TarMember]:
    """Yield the files of a tar of ``packed`` bytes; damage behind some of them is one that has no name."""
    file.seek(0)
    n_members = n_content_bytes = 0
    try:
        archive = tarfile.TarFile(fileobj=file, tarinfo=_Header)
        while (info := archive.next()) is not None:
            vars(archive)["members"] = []  # the archive would keep them all, which nobody needs
            n_members += 1
            if n_members > MAX_MEMBERS:
                raise RefusedError(
                    "too_many_members",
                    f"the archive holds more than {MAX_MEMBERS} members: unpack it first.",
                )
            n_content_bytes += info.size
            if not info.isdir():
                yield TarMember(_plain(info.name), info.offset_data, info.size, _find_fault(info, n_bytes))
            # A header and padding take a kilobyte themselves, and shrink to nothing.
            rest = max(0, n_bytes - archive.offset)
            check_count(n_members, min(packed, n_content_bytes + rest))
        check_count(n_members, min(packed, n_content_bytes))
        file.seek(archive.offset)
        is_whole = not file.read(tarfile.BLOCKSIZE).strip(b"\0")
    except InputError:
        raise
    except Exception:  # tarfile raises whatever a damaged header makes it trip over
        is_whole = False
    if not is_whole:
        if not n_members:
            raise damaged()
        yield TarMember("", 0, 0, damaged())


def _plain(name: str) -> str:
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return name


def _find_fault(info: tarfile.TarInfo, n_bytes: int) -> InputError | None:
    if not info.isreg():
        return RefusedError(
            "special_member", "a link, a device or a pipe; only files are read, a link's file where it lies."
        )
    if info.issparse():
        return RefusedError("unsupported_compression", "this member is stored with holes; unpack it first.")
    if info.offset_data + info.size > n_bytes:
        return damaged()
    if info.size > MAX_MEMBER_BYTES:
        return RefusedError(
            "too_large", f"{info.size} bytes; a member may have {MAX_MEMBER_BYTES}: unpack it first."
        )
    return None

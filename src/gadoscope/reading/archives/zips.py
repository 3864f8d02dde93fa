"""Zip and tar archives as folders: their members are listed and read where they lie, and nothing is unpacked.

A member's name is a name and never a path on this machine, so `../../x` leads nowhere. A member is
decompressed only as far as it is read; a long one waits in a temporary file without a
name. An archive is opened once and kept open for a while: its table of contents is read
once, not once a member.
"""

import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.reading.archives.tars import TarArchive
from gadoscope.reading.archives.zip_limits import (
    MAX_DEPTH,
    check_contents,
    check_total,
    damaged,
    duplicate_member,
    find_fault,
)
from gadoscope.reading.archives.zip_member import FILL_BYTES, MemberFile
from gadoscope.reading.regular_files import open_regular_file
from gadoscope.reading.remote.path import Location, spell_location

MAX_OPEN = 8
"""Archives kept open: those being read, and the few that come next to them."""
MAX_COPIES, MAX_COPIED_BYTES = 64, 2**33
"""Of compressed tars, whose unpacked copies are kept in the folder for temporary files: 8 GiB."""
_ZIP = b"PK"
OTHER_PROGRAMS = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
"""A member of this name: an office document, a book or a program, which are zips by accident."""


def list_members(path: Location, member: str = "") -> list[tuple[str, InputError | None]]:
    """Return the members of an archive, in the order of a walk; folders are none.

    Parameters
    ----------
    path
        The zip.
    member
        The zip inside it, if that one is meant.

    Returns
    -------
    list of (str, InputError or None)
        Name inside the archive; the error is why it cannot be read. Hidden names, those with a part
        that begins with a dot, are left out, as in a folder.

    Raises
    ------
    InputError
        If the archive itself cannot be read, or is refused.
    """
    if member and len(_split(path, member)[0]) + 2 > MAX_DEPTH:
        raise RefusedError(
            "nested_too_deep",
            f"archives inside archives are read to a depth of {MAX_DEPTH}: unpack it first.",
        )
    with _lease(path, member) as kept:
        if isinstance(kept.archive, TarArchive):
            return _list_tar(kept.archive)
        # Not `is_dir`, which asks for the last letter of a name that may have none.
        files = (info for info in kept.archive.infolist() if not info.filename.endswith("/"))
        members = [info for info in files if not _is_hidden(info.filename)]
        last = {info.filename: info for info in members}
        if OTHER_PROGRAMS & last.keys():
            raise RefusedError(
                "unsupported_format", "this zip is another program's document; zip the images themselves."
            )
        check_total(members, kept.n_bytes)
    members.sort(key=lambda info: (info.filename.split("/"), info is last[info.filename]))
    return [(info.filename, _find_fault(info, is_last=info is last[info.filename])) for info in members]


def _list_tar(archive: TarArchive) -> list[tuple[str, InputError | None]]:
    members = [member for member in archive.members if not _is_hidden(member.name)]
    members.sort(key=lambda member: (member.name.split("/"), member is archive.by_name[member.name]))
    return [
        (one.name, one.error if one is archive.by_name[one.name] else duplicate_member()) for one in members
    ]


def _find_fault(info: zipfile.ZipInfo, *, is_last: bool) -> InputError | None:
    if not info.filename:
        return ReadError(
            "damaged_archive", "this member has no name, so nothing finds it: zip the files again."
        )
    return find_fault(info, is_last=is_last)


@contextmanager
def open_member(path: Location, member: str) -> Iterator[io.BufferedReader]:
    """Open a member for reading, seekable.

    Parameters
    ----------
    path
        The zip.
    member
        Name inside it; ``inner.zip!name`` inside a nested one.

    Raises
    ------
    ReadError
        With the reason ``damaged_archive``, ``encrypted``, ``missing`` or one of the system's.
    RefusedError
        With the reason ``zip_bomb``, ``too_large``, ``unsupported_compression`` or ``nested_too_deep``.
    """
    with _lease_holder(path, member) as (kept, name), ExitStack() as stack:
        if name not in kept.names:
            raise ReadError("missing", "the archive has no such member; check its name.")
        if isinstance(kept.archive, TarArchive):
            yield io.BufferedReader(stack.enter_context(kept.archive.open(name)), FILL_BYTES)
            return
        info = kept.archive.getinfo(name)
        fault = find_fault(info, is_last=True)
        if fault is not None:
            raise fault
        try:
            stream = stack.enter_context(kept.archive.open(info))
        except NotImplementedError as error:
            raise RefusedError(
                "unsupported_compression", "this member is compressed in a way not known here; zip it again."
            ) from error
        except InputError:
            raise
        except Exception as error:  # zipfile raises whatever a damaged member makes it trip over
            raise damaged() from error
        raw = stack.enter_context(MemberFile(stream, info.file_size, name))
        yield io.BufferedReader(raw, FILL_BYTES)


def locate_member(path: Location, member: str) -> tuple[str, str]:
    """Return the archive inside ``path`` that holds a member, empty for ``path`` itself, and its name there.

    Raises
    ------
    InputError
        If one of the archives cannot be read.
    """
    inner, name = _split(path, member)
    return INSIDE.join(inner), name


def has_member(path: Location, inside: str, name: str) -> bool:
    """Return whether the archive ``inside`` of ``path`` holds a file of this name."""
    with _lease(path, inside) as kept:
        return name in kept.names


def is_unpacked(path: Location, inside: str) -> bool:
    """Return whether reading an archive takes a copy of it, which is made once, in this process."""
    with _lease(path, inside) as kept:
        if kept.is_copy:
            return True
    return bool(inside) and is_unpacked(path, locate_member(path, inside)[0])


def list_folder(path: Location, inside: str, folder: str) -> list[str]:
    """Return the last parts of the names that lie directly in a folder of an archive."""
    with _lease(path, inside) as kept:
        return kept.names_by_folder().get(folder, [])


def close_archives() -> None:
    """Close the archives that are kept open and that nobody reads now."""
    with _lock:
        # One that lies inside another reads that one until it is closed.
        while idle := [key for key, kept in _open.items() if not kept.n_readers]:
            for key in idle:
                _open.pop(key).close()


class _Kept:
    """An open archive and how many read it."""

    def __init__(self, archive: zipfile.ZipFile | TarArchive, n_bytes: int, stack: ExitStack) -> None:
        self.archive, self.n_bytes = archive, n_bytes
        self.n_readers = 0
        self._stack = stack
        self._by_folder: dict[str, list[str]] | None = None

    @property
    def is_copy(self) -> bool:
        """Return whether it was unpacked to be read."""
        return isinstance(self.archive, TarArchive) and self.archive.n_unpacked > 0

    @property
    def names(self) -> Mapping[str, object]:
        """Return the members by their names, the last one of each."""
        return self.archive.by_name if isinstance(self.archive, TarArchive) else self.archive.NameToInfo

    def names_by_folder(self) -> dict[str, list[str]]:
        """Return the names of files by folder; listed once, for each of thousands of folders may be asked."""
        if self._by_folder is None:
            by_folder: dict[str, list[str]] = {}
            for text in self.names:
                folder, _, name = text.rpartition("/")
                by_folder.setdefault(folder, []).append(name)
            self._by_folder = by_folder
        return self._by_folder

    def close(self) -> None:
        self.archive.close()
        self._stack.close()


_Key = tuple[str, str, int, int]
_open: "OrderedDict[_Key, _Kept]" = OrderedDict()
_lock = threading.RLock()  # opening an archive inside another one leases that one first


@contextmanager
def _lease(path: Location, member: str) -> Iterator[_Kept]:
    with _lock:
        kept = _keep(path, member)
        kept.n_readers += 1
    try:
        yield kept
    finally:
        with _lock:
            kept.n_readers -= 1


@contextmanager
def _lease_holder(path: Location, member: str) -> Iterator[tuple[_Kept, str]]:
    """Lease the archive that holds a member; yield it and the member's name there."""
    with _lease(path, "") as kept:
        if member in kept.names:  # nearly always: nothing is asked twice
            yield kept, member
            return
    inner, name = _split(path, member)
    with _lease(path, INSIDE.join(inner)) as kept:
        yield kept, name


def _keep(path: Location, member: str) -> _Kept:
    try:
        status = path.stat()
        key = (spell_location(path), member, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):
        key = (spell_location(path), member, 0, 0)  # gone meanwhile: opening says so
    if key in _open:
        _open.move_to_end(key)
        return _open[key]
    with ExitStack() as stack:
        opened = open_member(path, member) if member else open_regular_file(path)
        file = stack.enter_context(opened)
        kept = _Kept(*_open_archive(file), stack.pop_all())
    _open[key] = kept
    _close_some(kept)
    return kept


def _open_archive(file: BinaryIO) -> tuple[zipfile.ZipFile | TarArchive, int]:
    """Return the archive and its length."""
    is_zip = file.read(len(_ZIP)) == _ZIP
    file.seek(0)
    if not is_zip:
        archive = TarArchive(file)
        return archive, archive.n_unpacked
    n_bytes = check_contents(file)
    try:
        return zipfile.ZipFile(file), n_bytes
    except Exception as error:  # zipfile raises whatever a damaged table makes it trip over
        raise damaged() from error


def _close_some(latest: _Kept) -> None:
    """Close the archives that were not read for the longest time; copies are kept longer: they cost much."""
    for is_copy in (False, True):
        alike = {key: kept for key, kept in _open.items() if kept.is_copy is is_copy}
        n_kept, n_bytes = len(alike), sum(kept.n_bytes for kept in alike.values())
        for key, kept in alike.items():
            if n_kept <= (MAX_COPIES if is_copy else MAX_OPEN) and (
                not is_copy or n_bytes <= MAX_COPIED_BYTES
            ):
                break
            if not kept.n_readers and kept is not latest:
                n_kept, n_bytes = n_kept - 1, n_bytes - kept.n_bytes
                _open.pop(key).close()


def _split(path: Location, member: str) -> tuple[list[str], str]:
    """Return the archives inside ``path`` that lead to a member, outermost first, and its name there."""
    inner: list[str] = []
    while True:
        with _lease(path, INSIDE.join(inner)) as kept:
            names = kept.names
            ends = (end for end, letter in enumerate(member) if letter == INSIDE)
            # A name may hold the mark itself, so the name as a whole goes before its parts.
            end = None if member in names else next((end for end in ends if member[:end] in names), None)
        if end is None:
            return inner, member
        inner.append(member[:end])
        member = member[end + 1 :]


def _is_hidden(name: str) -> bool:
    """Return whether a part of the name begins with a dot; one or two alone are no name, but a way."""
    return any(part.startswith(".") and part != "." and not part.startswith("..") for part in name.split("/"))

"""A file, an object at an address or a member of an archive, asked in one way: what lies beside and above it.

A BIDS data set, or a pair of header and voxels, is the same inside an archive and outside. What looks around
in folders asks a `Place`, which is pathlib's `Path` on disk, `RemotePath` at an address, `MemberPath` in an
archive, and `HeldPath` in memory.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from gadoscope.reading.archives.sources import INSIDE, Source
from gadoscope.reading.regular_files import open_regular_file
from gadoscope.reading.remote.path import Location, RemotePath

MAX_LEVELS = 64
"""Folders that are looked at above a member: no data set is deeper, and a name may have 32,000 of them."""


class _Named:
    """What has a name like a path's, parts with a slash between, and lies in no folder of the disk."""

    text: str

    @property
    def name(self) -> str:
        """Return the last part."""
        return self.text.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """Return the last suffix of the name, with its dot."""
        return Path(self.name).suffix


@dataclass(frozen=True)
class MemberPath(_Named):
    """The part of `Path` that looking around in folders needs, for the names of one archive.

    Parameters
    ----------
    archive
        The file, on disk or at an address.
    inside
        The archive inside it, as in `Source.member`; empty for the outermost one.
    text
        Name of a member or a folder; empty for the top of the archive. Nothing is above that.
    """

    archive: Location
    inside: str
    text: str

    @property
    def parent(self) -> "MemberPath":
        """Return the folder that holds it; the top holds itself."""
        return MemberPath(self.archive, self.inside, self.text.rpartition("/")[0])

    @property
    def parents(self) -> tuple["MemberPath", ...]:
        """Return the folders above it, the closest first, the top of the archive last."""
        above: list[MemberPath] = []
        text = self.text
        while text:
            text = text.rpartition("/")[0] if len(above) < MAX_LEVELS else ""
            above.append(MemberPath(self.archive, self.inside, text))
        return tuple(above)

    def __truediv__(self, name: str) -> "MemberPath":
        return MemberPath(self.archive, self.inside, f"{self.text}/{name}" if self.text else name)

    def with_name(self, name: str) -> "MemberPath":
        """Return its neighbour of this name."""
        return self.parent / name

    def absolute(self) -> "MemberPath":
        """Return itself: a member's name begins at the top."""
        return self

    def is_file(self) -> bool:
        """Return whether the archive holds such a member."""
        from gadoscope.reading.archives.zips import has_member  # noqa: PLC0415 — plain files do without

        return has_member(self.archive, self.inside, self.text)

    def iterdir(self) -> Iterator["MemberPath"]:
        """Yield the members that lie directly in this folder."""
        from gadoscope.reading.archives.zips import list_folder  # noqa: PLC0415 — as above

        return (self / name for name in list_folder(self.archive, self.inside, self.text))

    def stat(self) -> os.stat_result:
        """Return the archive's: a member changes with it."""
        return self.archive.stat()

    def open(self, mode: Literal["rb"]) -> AbstractContextManager[BinaryIO]:
        """Open it for reading; errors as `Source.open`."""
        return self.source.open()

    @property
    def source(self) -> Source:
        """Return where it is opened."""
        return Source(self.archive, f"{self.inside}{INSIDE}{self.text}" if self.inside else self.text)


@dataclass(frozen=True)
class HeldPath(_Named):
    """The same for what lies in memory: it has a name, but nothing lies beside it or above it."""

    source: Source
    text: str

    @property
    def parent(self) -> "HeldPath":
        """Return a folder that holds nothing else."""
        return HeldPath(self.source, "")

    @property
    def parents(self) -> tuple["HeldPath", ...]:
        """Return that folder alone."""
        return (self.parent,)

    def __truediv__(self, name: str) -> "HeldPath":
        return HeldPath(self.source, name)

    def with_name(self, name: str) -> "HeldPath":
        """Return a neighbour, which is not there."""
        return HeldPath(self.source, name)

    def absolute(self) -> "HeldPath":
        """Return itself."""
        return self

    def is_file(self) -> bool:
        """Return whether it is the one thing that is there."""
        return bool(self.text) and self.text == self.source.name

    def iterdir(self) -> Iterator["HeldPath"]:
        """Yield nothing: who looks around has the file itself already."""
        return iter(())

    def stat(self) -> os.stat_result:
        """Say that there is no such file on disk."""
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.text)

    def open(self, mode: Literal["rb"]) -> AbstractContextManager[BinaryIO]:
        """Open it for reading; errors as `Source.open`."""
        return self.source.open()


Place = Location | MemberPath | HeldPath


def place_of(source: Source) -> Place:
    """Return where a source lies.

    Raises
    ------
    InputError
        If the archive that it is said to lie in cannot be opened.
    """
    if source.held is not None:
        return HeldPath(source, source.name)
    if not source.member:
        return source.path
    from gadoscope.reading.archives.zips import locate_member  # noqa: PLC0415 — as above

    return MemberPath(source.path, *locate_member(source.path, source.member))


def source_of(place: Place) -> Source:
    """Return what is opened at a place."""
    return Source(place) if isinstance(place, Path | RemotePath) else place.source


def open_place(place: Place) -> AbstractContextManager[BinaryIO]:
    """Open a file or a member, byte for byte, for reading; errors as `Source.open`."""
    return open_regular_file(place) if isinstance(place, Path | RemotePath) else place.source.open()

"""A `RemotePath`: where an object lies, asked as pathlib's `Path` is asked."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gadoscope.reading.remote.addresses import hide_secrets, split_address

_FIELD = "\0"
"""Between what a spelt one says; no path of a disk holds it."""
MAX_LEVELS = 64
"""Folders that are looked at above an object: no data set is deeper."""


class Seen(NamedTuple):
    """What a listing said of an object.

    Parameters
    ----------
    n_bytes
        Its length.
    stamp
        What changes with its content: an ETag, or when it was written; empty where the server says neither.
    """

    n_bytes: int
    stamp: str


@dataclass(frozen=True)
class RemotePath:
    """The part of `Path` that reading and looking around need, for an address. Nothing of it is a secret's.

    Parameters
    ----------
    address
        As the user named it, or as its folder was listed; what signs it is never shown.
    seen
        What its folder's listing said of it; saves asking again.
    is_folder
        Whether it is known to be one.
    """

    address: str = field(repr=False)
    seen: Seen | None = field(default=None, compare=False, repr=False)
    is_folder: bool = field(default=False, compare=False, repr=False)

    @cached_property
    def _text(self) -> str:
        return hide_secrets(self.address)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"RemotePath({self._text!r})"

    def __lt__(self, other: "RemotePath | Path") -> bool:
        return str(self) < str(other)

    def __gt__(self, other: "RemotePath | Path") -> bool:
        return str(self) > str(other)

    @property
    def root(self) -> str:
        """Return scheme and host, or scheme and bucket."""
        return split_address(self.address)[0]

    @property
    def inside(self) -> str:
        """Return the name below the root; empty for the root itself."""
        return split_address(self.address)[1]

    @property
    def name(self) -> str:
        """Return the last part."""
        return self.inside.rpartition("/")[2] or self.root.rpartition("/")[2].rpartition("@")[2]

    @property
    def suffix(self) -> str:
        """Return the last suffix of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "RemotePath":
        """Return the folder that holds it; the root holds itself."""
        folder = self.inside.rpartition("/")[0]
        return RemotePath(f"{self.root}/{folder}" if folder else self.root, is_folder=True)

    @property
    def parents(self) -> tuple["RemotePath", ...]:
        """Return the folders above it, the closest first, the root last."""
        above: list[RemotePath] = []
        here = self
        while here.inside:
            deep = len(above) >= MAX_LEVELS
            here = RemotePath(self.root, is_folder=True) if deep else here.parent
            above.append(here)
        return tuple(above)

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.root}/{self.inside}/{name}" if self.inside else f"{self.root}/{name}")

    def joinpath(self, *names: str) -> "RemotePath":
        """Return what lies below it by these names."""
        return self / "/".join(names)

    def with_name(self, name: str) -> "RemotePath":
        """Return its neighbour of this name."""
        return self.parent / name

    def absolute(self) -> "RemotePath":
        """Return itself: an address begins at the top."""
        return self

    def is_file(self) -> bool:
        """Return whether there is such an object; OSError as of `stat`, but for one that is missing."""
        from gadoscope.reading.remote.listings import is_object  # noqa: PLC0415 — disks do without

        return is_object(self)

    def exists(self) -> bool:
        """Return whether it is an object or a folder."""
        from gadoscope.reading.remote.listings import find_entry  # noqa: PLC0415 — as above

        return find_entry(self) is not None

    def iterdir(self) -> Iterator["RemotePath"]:
        """Yield what lies directly in this folder; OSError if it cannot be listed."""
        from gadoscope.reading.remote.listings import iter_folder  # noqa: PLC0415 — as above

        return (self.at(name, entry) for name, entry in iter_folder(self))

    def at(self, name: str, seen: Seen | None) -> "RemotePath":
        """Return what this folder's listing named: an object, or a folder, of which nothing was seen."""
        below = self / name
        return RemotePath(below.address, seen, is_folder=seen is None)

    def enter(self, entry: str) -> "RemotePath":
        """Return what an entry of `spell_entry` says of this folder."""
        name, n_bytes, stamp = entry.split(_FIELD, 2)
        return self.at(name, Seen(int(n_bytes), stamp) if n_bytes else None)

    def stat(self) -> os.stat_result:
        """Return length and time, as of a file; of a folder when it was listed.

        Raises
        ------
        OSError
            `ExplainedOSError`, with the reason and the sentence of a row.
        """
        from gadoscope.reading.remote.listings import stat  # noqa: PLC0415 — as above

        return stat(self)

    def spell(self) -> str:
        """Return all of it as one text, for `read_location`."""
        said = (self.seen.n_bytes, self.seen.stamp) if self.seen else ("", "")
        return _FIELD.join(map(str, (self.address, *said)))


def spell_entry(name: str, seen: Seen | None) -> str:
    """Return an entry of a folder as a text that sorts as its name does."""
    return _FIELD.join((name, *(map(str, seen) if seen else ("", ""))))


def may_be_kept(path: RemotePath) -> bool:
    """Return whether what `spell` gives may be kept: it says when the object changes, and no secret."""
    return path.seen is not None and bool(path.seen.stamp) and str(path) == path.address


Location = Path | RemotePath
"""Where a file lies: on a disk, or at an address."""


def spell_location(location: Location) -> str:
    """Return a text that `read_location` understands; it may hold a password, and is shown to nobody."""
    return str(location) if isinstance(location, Path) else location.spell()


def is_on_disk(spelt: str) -> bool:
    """Return whether a text of `spell_location` is a path's own."""
    return _FIELD not in spelt


def read_location(text: str) -> Location:
    """Return what a text of `spell_location` says."""
    if is_on_disk(text):
        return Path(text)
    address, n_bytes, stamp = text.split(_FIELD, 2)
    return RemotePath(address, Seen(int(n_bytes), stamp) if n_bytes else None)

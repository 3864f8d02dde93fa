"""What lies in a folder of a store: listed once, and remembered for a little while.

What looks around beside an image (a sidecar, a pair, b-values, the top of a BIDS data set) asks dozens of
times for names of one folder. On a disk each answer takes microseconds, from a store a whole request.
"""

import os
import stat as modes
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b

from gadoscope.reading.os_errors import ExplainedOSError
from gadoscope.reading.remote.path import RemotePath, Seen
from gadoscope.reading.remote.stores import iter_listing, look_at

KEPT_SECONDS = 60
"""A listing is believed: as long as a network disk believes its own."""
MOST_NAMES, MOST_FOLDERS = 20_000, 256
"""Of a folder that is remembered, about 5 MB; and how many folders: mostly those of a few subjects."""
MOST_KEPT_NAMES = 200_000
MOST_OBJECTS = 4096
"""Single objects that are remembered, those that are not there too."""

_Names = dict[str, Seen | None]
_Entry = tuple[str, Seen | None]


class _Kept:
    """Folders and single objects, each with the time when it was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folders: OrderedDict[RemotePath, tuple[int, _Names]] = OrderedDict()
        self._objects: OrderedDict[RemotePath, tuple[int, Seen | ExplainedOSError | None]] = OrderedDict()
        self._n_names = 0

    def find_folder(self, folder: RemotePath) -> tuple[int, _Names] | None:
        with self._lock:
            found = self._folders.get(folder)
            return found if found is not None and _is_fresh(found[0]) else None

    def keep_folder(self, folder: RemotePath, names: _Names) -> None:
        with self._lock:
            self._drop(folder)
            self._folders[folder] = (time.time_ns(), names)
            self._n_names += len(names)
            while len(self._folders) > MOST_FOLDERS or self._n_names > MOST_KEPT_NAMES:
                self._drop(next(iter(self._folders)))

    def _drop(self, folder: RemotePath) -> None:
        found = self._folders.pop(folder, None)
        self._n_names -= len(found[1]) if found else 0

    def find_object(self, path: RemotePath) -> tuple[int, Seen | ExplainedOSError | None] | None:
        with self._lock:
            found = self._objects.get(path)
            return found if found is not None and _is_fresh(found[0]) else None

    def keep_object(self, path: RemotePath, said: Seen | ExplainedOSError | None) -> None:
        with self._lock:
            self._objects[path] = (time.time_ns(), said)
            while len(self._objects) > MOST_OBJECTS:
                self._objects.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._folders.clear()
            self._objects.clear()
            self._n_names = 0


def _is_fresh(when_ns: int) -> bool:
    return time.time_ns() - when_ns < KEPT_SECONDS * 10**9


_kept = _Kept()


def forget_listings() -> None:
    """Ask anew from now on: a folder was named, and is looked through as it is today."""
    _kept.forget()


def iter_folder(folder: RemotePath, *, remember: bool = False) -> Iterator[_Entry]:
    """Yield name and what was seen of each entry, ``None`` of a folder; remembered unless there are too many.

    Parameters
    ----------
    folder
        Which.
    remember
        Whether that is all that it is listed for: then no more is listed than is remembered.

    Raises
    ------
    OSError
        If it cannot be listed; also from the iterator.
    """
    known = _kept.find_folder(folder)
    if known is not None:
        yield from known[1].items()
        return
    names: _Names = {}
    are_few = True
    for name, seen in iter_listing(folder):
        are_few = are_few and len(names) < MOST_NAMES
        if are_few:
            names[name] = seen
        elif remember:
            return
        yield name, seen
    if are_few:
        _kept.keep_folder(folder, names)


def find_entry(path: RemotePath) -> "Seen | bool | None":
    """Return what is said of an object; ``True`` of a folder, ``None`` where nothing is.

    Raises
    ------
    OSError
        If the store does not say.
    """
    if path.seen is not None:
        return path.seen
    beside = _kept.find_folder(path.parent) if path.inside else None
    if beside is not None:
        names = beside[1]
        return (names[path.name] or True) if path.name in names else None
    known = _kept.find_object(path)
    if known is None:
        said: Seen | ExplainedOSError | None
        try:
            said = look_at(path)
        except ExplainedOSError as error:
            said = error
        if not isinstance(said, ExplainedOSError) or said.meaning.reason == "missing":
            _kept.keep_object(path, said)
    else:
        said = known[1]
    if not isinstance(said, ExplainedOSError):
        return said or True
    if said.meaning.reason == "missing":
        return None
    raise said


def look_up(path: RemotePath) -> Seen | None:
    """Return what is said of an object, ``None`` of a folder, asked anew unless its listing said it.

    Raises
    ------
    OSError
        If there is neither, or the store does not say.
    """
    if path.seen is not None or path.is_folder:
        return path.seen
    beside = _kept.find_folder(path.parent) if path.inside else None
    if beside is not None and path.name in beside[1]:
        return beside[1][path.name]
    return look_at(path)


def is_object(path: RemotePath) -> bool:
    """Return whether there is such an object; errors as of `find_entry`."""
    return isinstance(find_entry(path), Seen)


def stat(path: RemotePath) -> os.stat_result:
    """Return length and a time that changes with the content; of a folder the time when it was listed.

    Raises
    ------
    OSError
        If there is neither.
    """
    seen = None if path.is_folder else look_up(path)
    if seen is not None:
        stamp = int.from_bytes(blake2b(seen.stamp.encode(), digest_size=6).digest(), "big")
        return _make_status(modes.S_IFREG, max(seen.n_bytes, 0), stamp)
    if _kept.find_folder(path) is None:
        for _ in iter_folder(path, remember=True):
            pass
    known = _kept.find_folder(path)
    return _make_status(modes.S_IFDIR, 0, known[0] if known else 0)


def _make_status(mode: int, n_bytes: int, time_ns: int) -> os.stat_result:
    seconds = time_ns / 1e9
    whole = int(seconds)
    # Mode, inode, device, links, user, group, size, times; then the times as floats and in nanoseconds.
    ten = (mode, 0, 0, 1, 0, 0, n_bytes, whole, whole, whole)
    return os.stat_result((*ten, seconds, seconds, seconds, time_ns, time_ns, time_ns))

"""Find the inputs below the paths that a user names: streaming, in a fixed order, losing none.

A folder is walked depth first in the order of its names. Skipped, and never rows: hidden names
(beginning with a dot), Gadoscope's own `manifest.csv`, what in a BIDS data set only describes images,
and the data file of a pair whose header is there, with SPM's matrix. Everything else is an input, whatever
its name says, also a broken link or a named pipe: the reader says what is wrong with it. Links to folders
are followed; one that leads back to a folder above itself becomes a row that says so. The derivatives of a
BIDS data set become one row, unless they are named themselves.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.parallel import map_ahead
from gadoscope.reading.archives.places import Place
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.dataset import (
    find_index,
    is_bids_metadata,
    is_called_metadata,
    is_derivatives,
)
from gadoscope.reading.listing import Entry, sort_entries
from gadoscope.reading.nifti.names import MATRIX_ENDINGS, is_pair_image, is_spm_matrix
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.remote.addresses import is_of_one_process
from gadoscope.reading.remote.path import Location, RemotePath

MANIFEST_NAME = "manifest.csv"
"""The table that lies beside prepared images; it is no image."""

PAIR_ENDINGS = (".img", ".img.gz")
HEADER_ENDINGS = (".hdr", ".hdr.gz", ".HDR", ".HDR.gz")
"""A pair of NIfTI or Analyze is one input, known by its header."""

_NAMED_BY_OTHERS = (*PAIR_ENDINGS, *(ending.lower() for ending in MATRIX_ENDINGS))
"""Of files that may belong to another one."""

_Identity = tuple[int, int] | str
"""Device and inode, the same by whatever name a folder is reached; an address itself: it has no links."""
_Entries = Iterator[Entry]


@dataclass(frozen=True)
class FileGroup:
    """Neighbours in one folder that are remembered together.

    Parameters
    ----------
    stamp
        Of all of them.
    n_files
        How many they are: whoever looks at some of them alone does not know what the group holds.
    """

    stamp: str
    n_files: int


@dataclass(frozen=True)
class Found:
    """Something that may be an input.

    Parameters
    ----------
    source
        Where it lies.
    error
        Why it cannot be read, where that is known already; it becomes its row.
    is_named
        Whether the user named it, rather than a folder above it.
    stays
        Whether it is read in this process: its archive is unpacked here, once.
    group
        Of neighbours in one folder that are remembered together; ``None`` where nobody remembers.
    """

    source: Source
    error: InputError | None = None
    is_named: bool = False
    stays: bool = False
    group: "FileGroup | None" = None


def iter_inputs(paths: "Iterable[Location | Found]") -> Iterator[Found]:
    """Yield every input at or below ``paths``.

    Parameters
    ----------
    paths
        Files and folders, on disk or at an address, taken one by one in the order given. A file given by
        name is an input even if its name is hidden. What was found already is passed on. A folder that holds
        no input yields nothing: the caller decides what that means.

    Yields
    ------
    What to read; or, where a path does not exist or a folder cannot be listed, the path with the
    error that becomes its row.
    """
    for path in _ask_ahead(paths):
        if isinstance(path, Found):
            yield path
            continue
        try:
            identity, is_folder = _identify(path)
            if is_folder and isinstance(path, RemotePath):
                look_anew()
            elif is_folder and isinstance(path, Path) and (index := find_index(path)) is not None:
                path, is_folder = index, False  # noqa: PLW2901 — the folder is what people name of it
            entries = _list_folder(path) if is_folder else iter(())
            source = Source(path if is_folder else _find_header(path))
        except OSError as error:
            yield Found(Source(path), explain_os_error(error), is_named=True)
        except ValueError:  # a NUL character
            no_file = ReadError("missing", "no file can have this name; check the path.")
            yield Found(Source(path), no_file, is_named=True)
        else:
            if is_folder:
                yield from _walk(path, identity, entries)
            else:
                yield Found(source, is_named=True, stays=_stays(path))


def _ask_ahead(paths: "Iterable[Location | Found]") -> "Iterator[Location | Found]":
    """Pass paths on; from the first address on, what lies there is asked a few paths ahead."""
    rest = iter(paths)
    for path in rest:
        if isinstance(path, RemotePath):
            from gadoscope.reading.remote.walk import OBJECTS_AHEAD  # noqa: PLC0415 — disks do without

            with ThreadPoolExecutor(OBJECTS_AHEAD, thread_name_prefix="ask") as pool:
                yield from map_ahead(pool, _ask, chain([path], rest), OBJECTS_AHEAD)
            return
        yield path


def _ask(named: "Location | Found") -> "Location | Found":
    """Return an address with what is said of it, or why nothing is; anything else as it is."""
    if not isinstance(named, RemotePath):
        return named
    from gadoscope.reading.remote.walk import ask  # noqa: PLC0415 — as above

    try:
        return ask(named)
    except OSError as error:
        return Found(Source(named), explain_os_error(error), is_named=True)


def look_anew() -> None:
    """Forget what was listed at addresses: a folder was named, and is walked as it is now."""
    from gadoscope.reading.remote.listings import forget_listings  # noqa: PLC0415 — disks do without

    forget_listings()


def _stays(path: Location) -> bool:
    """Return whether other processes cannot read it."""
    return isinstance(path, RemotePath) and is_of_one_process(path.address)


def _find_header(path: Location) -> Location:
    """Return the header of a NIfTI pair where its data file is named, else ``path``."""
    if not (path.name.lower().endswith(PAIR_ENDINGS) and is_pair_image(path)):
        return path
    stem = path.name[: path.name.lower().rindex(".img")]
    headers = [path.with_name(stem + ending) for ending in HEADER_ENDINGS]
    return next((header for header in headers if header.is_file()), path)


def _walk(top: Location, identity: _Identity, entries: _Entries) -> Iterator[Found]:
    """Walk one folder with a stack of our own: a tree may be deeper than Python's recursion."""
    levels = [(top, identity, entries)]
    stays = _stays(top)
    entered = {identity}  # those of the levels: one set, for a chain of folders may be long
    while levels:
        folder, own, entries = levels[-1]
        name, is_folder = next(entries, ("", False))
        if not name:
            levels.pop()
            entered.remove(own)
            continue
        try:
            if not (is_folder or isinstance(folder, RemotePath) or _may_be_described_elsewhere(name)):
                yield Found(Source(_spell(folder, name)), stays=stays)
                continue
            path = folder.enter(name) if isinstance(folder, RemotePath) else folder / name
            if not is_folder:
                if not is_described_elsewhere(path):
                    yield Found(Source(path), stays=stays)
                continue
            identity, _ = _identify(path)
            if identity in entered:
                raise ReadError(
                    "link_loop",
                    "this link leads back to a folder above it, whose files are read once; remove the link.",
                )
            if is_derivatives(path):
                raise derivatives_error()
            levels.append((path, identity, _list_folder(path)))
            entered.add(identity)
        except InputError as error:
            yield Found(Source(path), error)
        except OSError as error:
            yield Found(Source(path), explain_os_error(error))


def _spell(folder: Path, name: str) -> str:
    """Return a file's path as the text that it gives; to make one takes longer than all else here."""
    text = str(folder)
    return name if text == os.curdir else os.path.join(text, name)  # noqa: PTH118 - as said


def _list_folder(folder: Location) -> _Entries:
    if isinstance(folder, RemotePath):
        from gadoscope.reading.remote.walk import list_folder  # noqa: PLC0415 — disks do without

        return list_folder(folder, _is_shown)
    with os.scandir(folder) as entries:
        return sort_entries((entry.name, _is_folder(entry)) for entry in entries if _is_shown(entry.name))


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and name != MANIFEST_NAME


def is_described_elsewhere(path: Place) -> bool:
    """Return whether the file belongs to another one, which is the input."""
    is_voxels = path.name.lower().endswith(PAIR_ENDINGS) and is_pair_image(path)
    return is_voxels or is_bids_metadata(path) or is_spm_matrix(path)


def _may_be_described_elsewhere(name: str) -> bool:
    """Return whether a file may be `is_described_elsewhere`; for most their names say that they are not."""
    return name.lower().endswith(_NAMED_BY_OTHERS) or is_called_metadata(name)


def derivatives_error() -> RefusedError:
    """Return the error of a folder of results."""
    return RefusedError(
        "bids_derivatives", "computed from images, not acquired; to classify it, name the folder."
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered: the reader says which
        return False


def _identify(path: Location) -> tuple[_Identity, bool]:
    if isinstance(path, RemotePath):
        return path.address, path.is_folder or stat.S_ISDIR(path.stat().st_mode)
    status = path.stat()
    return (status.st_dev, status.st_ino), stat.S_ISDIR(status.st_mode)

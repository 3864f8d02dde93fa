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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives.places import Place
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.dataset import is_bids_metadata, is_derivatives
from gadoscope.reading.listing import Entry, sort_entries
from gadoscope.reading.nifti.names import is_pair_image, is_spm_matrix
from gadoscope.reading.os_errors import explain_os_error

MANIFEST_NAME = "manifest.csv"
"""The table that lies beside prepared images; it is no image."""

PAIR_ENDINGS = (".img", ".img.gz")
HEADER_ENDINGS = (".hdr", ".hdr.gz", ".HDR", ".HDR.gz")
"""A pair of NIfTI or Analyze is one input, known by its header."""

_Identity = tuple[int, int]  # device and inode: the same by whatever name a folder is reached
_Entries = Iterator[Entry]


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
    """

    source: Source
    error: InputError | None = None
    is_named: bool = False
    stays: bool = False


def iter_inputs(paths: Sequence[Path]) -> Iterator[Found]:
    """Yield every input at or below ``paths``.

    Parameters
    ----------
    paths
        Files and folders, taken in the order given. A file given by name is an input even if its
        name is hidden. A folder that holds no input yields nothing: the caller decides what that means.

    Yields
    ------
    What to read; or, where a path does not exist or a folder cannot be listed, the path with the
    error that becomes its row.
    """
    for path in paths:
        try:
            identity, is_folder = _identify(path)
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
                yield Found(source, is_named=True)


def _find_header(path: Path) -> Path:
    """Return the header of a NIfTI pair where its data file is named, else ``path``."""
    if not (path.name.lower().endswith(PAIR_ENDINGS) and is_pair_image(path)):
        return path
    stem = path.name[: path.name.lower().rindex(".img")]
    headers = [path.with_name(stem + ending) for ending in HEADER_ENDINGS]
    return next((header for header in headers if header.is_file()), path)


def _walk(top: Path, identity: _Identity, entries: _Entries) -> Iterator[Found]:
    """Walk one folder with a stack of our own: a tree may be deeper than Python's recursion."""
    levels = [(top, identity, entries)]
    entered = {identity}  # those of the levels: one set, for a chain of folders may be long
    while levels:
        folder, own, entries = levels[-1]
        name, is_folder = next(entries, ("", False))
        if not name:
            levels.pop()
            entered.remove(own)
            continue
        path = folder / name
        try:
            if not is_folder:
                if not is_described_elsewhere(path):
                    yield Found(Source(path))
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


def _list_folder(folder: Path) -> _Entries:
    with os.scandir(folder) as entries:
        return sort_entries(
            (entry.name, _is_folder(entry))
            for entry in entries
            if not entry.name.startswith(".") and entry.name != MANIFEST_NAME
        )


def is_described_elsewhere(path: Place) -> bool:
    """Return whether the file belongs to another one, which is the input."""
    is_voxels = path.name.lower().endswith(PAIR_ENDINGS) and is_pair_image(path)
    return is_voxels or is_bids_metadata(path) or is_spm_matrix(path)


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


def _identify(path: Path) -> tuple[_Identity, bool]:
    status = path.stat()
    return (status.st_dev, status.st_ino), stat.S_ISDIR(status.st_mode)

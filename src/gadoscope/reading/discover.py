"""Find the inputs below the paths that a user names: streaming, in a fixed order, losing none.

A folder is walked depth first in the order of its names. Skipped, and never rows: hidden names
(beginning with a dot) and Gadoscope's own `manifest.csv`. Everything else is an input, whatever its
name says, also a broken link or a named pipe: the reader says what is wrong with it. Links to
folders are followed; one that leads back to a folder above itself becomes a row that says so.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from gadoscope.errors import InputError, ReadError
from gadoscope.reading.os_errors import explain_os_error

MANIFEST_NAME = "manifest.csv"
"""The table that lies beside prepared images; it is no image."""

Found = Path | tuple[Path, InputError]
_Identity = tuple[int, int]  # device and inode: the same by whatever name a folder is reached
_Entries = Iterator[tuple[str, bool]]  # name, and whether it is a folder


def iter_inputs(paths: Sequence[Path]) -> Iterator[Found]:
    """Yield every input at or below ``paths``.

    Parameters
    ----------
    paths
        Files and folders, taken in the order given. A file given by name is an input even if its
        name is hidden. A folder that holds no input yields nothing: the caller decides what that means.

    Yields
    ------
    A path to read; or, where a path does not exist or a folder cannot be listed, the path with the
    error that becomes its row.
    """
    for path in paths:
        try:
            identity, is_folder = _identify(path)
            entries = _list_folder(path) if is_folder else iter(())
        except OSError as error:
            yield path, explain_os_error(error)
        except ValueError:  # a NUL character
            yield path, ReadError("missing", "no file can have this name; check the path.")
        else:
            if is_folder:
                yield from _walk(path, identity, entries)
            else:
                yield path


def _walk(top: Path, identity: _Identity, entries: _Entries) -> Iterator[Found]:
    """Walk one folder with a stack of our own: a tree may be deeper than Python's recursion."""
    levels = [(top, frozenset({identity}), entries)]
    while levels:
        folder, above, entries = levels[-1]
        name, is_folder = next(entries, ("", False))
        if not name:
            levels.pop()
            continue
        path = folder / name
        if not is_folder:
            yield path
            continue
        try:
            identity, _ = _identify(path)
            if identity in above:
                raise ReadError(
                    "link_loop",
                    "this link leads back to a folder above it, whose files are read once; remove the link.",
                )
            levels.append((path, above | {identity}, _list_folder(path)))
        except ReadError as error:
            yield path, error
        except OSError as error:
            yield path, explain_os_error(error)


def _list_folder(folder: Path) -> _Entries:
    with os.scandir(folder) as entries:
        kept = [
            (entry.name, _is_folder(entry))
            for entry in entries
            if not entry.name.startswith(".") and entry.name != MANIFEST_NAME
        ]
    return iter(sorted(kept))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered: the reader says which
        return False


def _identify(path: Path) -> tuple[_Identity, bool]:
    status = path.stat()
    return (status.st_dev, status.st_ino), stat.S_ISDIR(status.st_mode)

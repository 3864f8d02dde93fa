"""A folder of a store in the order of its names, as folders of a disk are walked."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from gadoscope.reading.listing import Entry, sort_entries
from gadoscope.reading.remote.listings import iter_folder, look_up
from gadoscope.reading.remote.path import RemotePath, spell_entry

OBJECTS_AHEAD = 32
"""Asked for while earlier ones are read: with 30 ms a request, a thousand a second."""
FOLDERS_AHEAD = 8
"""Listed while an earlier one is read: with 30 ms a listing, 250 folders a second."""


def list_folder(folder: RemotePath, is_shown: Callable[[str], bool]) -> Iterator[Entry]:
    """Return the entries of a folder, spelt for `RemotePath.enter`, in the order of their names.

    Parameters
    ----------
    is_shown
        Whether a name is of an input at all.

    Raises
    ------
    OSError
        If it cannot be listed.
    """
    shown = ((name, seen) for name, seen in iter_folder(folder) if is_shown(name))
    entries = sort_entries((spell_entry(name, seen), seen is None) for name, seen in shown)
    return _list_ahead(folder, entries)


def ask(named: RemotePath) -> RemotePath:
    """Return an address with what is said of it; OSError if there is nothing, or the store does not say."""
    if named.is_folder:
        return named
    seen = look_up(named)
    return RemotePath(named.address, seen, is_folder=seen is None)


def _list_ahead(folder: RemotePath, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Pass the entries of a folder on, and list the next folders among them meanwhile."""
    rest = iter(entries)
    waiting: list[tuple[Entry, Future[None] | None]] = []
    with ThreadPoolExecutor(FOLDERS_AHEAD, thread_name_prefix="list") as pool:
        try:
            while True:
                for name, is_folder in islice(rest, FOLDERS_AHEAD + 1 - len(waiting)):
                    ahead = pool.submit(_list_quietly, folder.enter(name)) if is_folder else None
                    waiting.append(((name, is_folder), ahead))
                if not waiting:
                    return
                entry, listed = waiting.pop(0)
                if listed is not None:
                    listed.result()
                yield entry
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _list_quietly(folder: RemotePath) -> None:
    """Remember what lies in a folder; whoever walks into it is told why that cannot be."""
    try:
        for _ in iter_folder(folder, remember=True):
            pass
    except OSError:
        return

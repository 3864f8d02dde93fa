"""Objects are asked for together, before each is wanted: so many requests take as long as one."""

from collections.abc import Iterable, Iterator, Sequence

from gadoscope.reading.archives.sources import Source
from gadoscope.reading.remote.file import START_BYTES, remembered
from gadoscope.reading.remote.path import RemotePath, Seen
from gadoscope.reading.remote.stores import read_ranges

FILES_AT_ONCE = 64
"""Starts: 2 MB."""
PIXEL_BYTES = 8 * 2**20
"""Of whole instances: 16 slices of 512 x 512."""
MOST_OF_ONE = 2 * 2**20
"""Of an instance that is asked for whole: a classic slice. Of a longer one only frames are."""


def read_starts(sources: Iterable[Source]) -> None:
    """Ask for the first bytes of those that lie at an address; what fails is told to whoever opens it."""
    outside = [source.path for source in sources if not source.member]
    _read([(path, START_BYTES) for path in outside if isinstance(path, RemotePath)])


def iter_with_pixels(sources: Sequence[Source]) -> Iterator[Source]:
    """Pass instances on; when one is taken, the next few were asked for whole."""
    n_asked = 0
    for place, source in enumerate(sources):
        if place == n_asked:
            n_asked = _ask_from(sources, place)
        yield source


def _ask_from(sources: Sequence[Source], place: int) -> int:
    """Ask for some instances whole, from ``place`` on; return the place of the first that was not."""
    paths: dict[RemotePath, int] = {}
    while place < len(sources) and sum(paths.values()) < PIXEL_BYTES and len(paths) < FILES_AT_ONCE:
        source, place = sources[place], place + 1
        if isinstance(source.path, RemotePath) and not source.member and source.path.seen:
            n_bytes = source.path.seen.n_bytes
            if n_bytes <= MOST_OF_ONE:
                paths[source.path] = n_bytes
    _read([(path, MOST_OF_ONE) for path in paths])
    return place


def _read(wanted: Sequence[tuple[RemotePath, int]]) -> None:
    """Ask for the first bytes of some objects, so many of each, without those that are known."""
    asked: list[tuple[RemotePath, Seen, int, int]] = []
    for path, most in wanted:
        seen = path.seen
        if seen is not None and seen.stamp and seen.n_bytes > 0:
            begin, end = remembered.count((path.address, seen)), min(most, seen.n_bytes)
            if begin < end:
                asked.append((path, seen, begin, end))
    if not asked:
        return
    paths, _, begins, ends = zip(*asked, strict=True)
    for (path, seen, begin, end), data in zip(asked, read_ranges(paths, begins, ends), strict=True):
        if data is not None and len(data) == end - begin:
            remembered.keep((path.address, seen), (begin, data))

"""What the index of a BIDS data set lists, as inputs: the images that a walk of the data set would find."""

import os
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path

from gadoscope.errors import InputError, ReadError, RefusedError, UsageError
from gadoscope.reading.archives.containers import find_derivatives
from gadoscope.reading.archives.places import Place, source_of
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.bids.index import is_index, list_images
from gadoscope.reading.discover import Found, derivatives_error, is_described_elsewhere
from gadoscope.reading.formats import PREFIX_BYTES, Kind
from gadoscope.reading.listing import sort_entries
from gadoscope.reading.no_image import explain_no_image
from gadoscope.reading.remote.addresses import hide_secrets
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import Location

_SLASH = "\0"
"""What stands for a slash where names are sorted: as the lowest letter it gives the order of a walk."""


def list_index(index: Found) -> Iterator[Found]:
    """Return the images that the index of a BIDS data set lists, in the order of a walk.

    What gets no row in its folder gets none here, and results are one row. In a walk the images are met
    anyway, so of an index that the user did not name nothing is returned.

    Raises
    ------
    InputError
        If it is no index, lists no image, or cannot be read.
    OutputError
        As `sort_entries`.
    """
    if not index.is_named:
        if is_index(index.source):
            return iter(())
        with index.source.open() as file:
            raise explain_no_image(Kind.OTHER, file.read(PREFIX_BYTES), index.source.name)
    entries = sort_entries((_spell(root, path), False) for root, path in list_images(index.source))
    names = (name for (name, _), _ in groupby(entries))  # two data sets of an index may share files
    first = next(names, None)
    if first is None:
        raise RefusedError("empty_index", "the index lists no image; name the folder of the data set.")
    return _find_listed(chain([first], names))


def _spell(root: str, path: str) -> str:
    """Return root and path as one text that sorts as a walk goes; two slashes stand between them."""
    return "/".join((root, "", *filter(None, path.split("/")))).replace("/", _SLASH)


def _find_listed(names: Iterable[str]) -> Iterator[Found]:
    """Yield what `_spell` told of."""
    computed: dict[Place, Place | None] = {}
    tops: dict[str, Location | InputError] = {}
    told: Place | None = None
    for name in names:
        root, _, below = name.rpartition(2 * _SLASH)
        parts = below.split(_SLASH)
        top = tops.setdefault(root, tops.get(root) or _locate(root.replace(_SLASH, "/")))
        if isinstance(top, InputError):
            yield Found(Source(hide_secrets(f"{root}/{below}".replace(_SLASH, "/"))), top)
            continue
        path: Location = top.joinpath(*parts)
        results = find_derivatives(path.parent, top, computed)
        if results is not None and results != told:
            yield Found(source_of(results), derivatives_error())
        elif results is None:
            yield from _take(path, parts)
        told = results


def _locate(root: str) -> Location | InputError:
    try:
        return locate(root)
    except UsageError as error:
        return ReadError("unknown_address", str(error))


def _take(path: Location, parts: list[str]) -> Iterator[Found]:
    if isinstance(path, Path) and not os.path.lexists(path):
        gone = ReadError(
            "missing", "the index names this file, but it is not there; index the data set again."
        )
        yield Found(Source(path), gone)
    elif not any(part.startswith(".") for part in parts) and not is_described_elsewhere(path):
        yield Found(Source(path))

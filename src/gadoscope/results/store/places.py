"""Where contents lie: what is known again at its place, or moved to another, and what is gone."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gadoscope.reading.archives.sources import INSIDE
from gadoscope.reading.remote.addresses import split_scheme
from gadoscope.results.keeping import Lying
from gadoscope.results.store.batch import name_place
from gadoscope.text import escaped, unescaped

Ask = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
"""Returns the rows of an answer; values stand in the statement as ``:name``."""

_AT = (
    "SELECT digest, study, stamp FROM series "
    "WHERE place = :place AND gone_at IS NULL ORDER BY id DESC LIMIT 1"
)
_WITH_HEADERS = "SELECT digest, path FROM series WHERE headers = :headers ORDER BY id LIMIT 100"
FIND_SCAN = "SELECT content FROM scans WHERE digest = :digest"
LEAVE_ALL = (
    "UPDATE series SET gone_at = :at WHERE gone_at IS NULL AND last_seen_run <> :run "
    "AND (path = :root OR substr(path, 1, :length) = :below)"
)
"""What lay at or below a root, and was not seen by a run that walked all of it."""
STILL_THERE = "UPDATE series SET gone_at = NULL WHERE gone_at = :at AND substr(path, 1, :length) = :below"
"""What lies below a folder that could not be listed: nobody knows."""


def find_place(ask: Ask, path: str, stamp: str) -> Lying | None:
    """Return what lies at a path, if its files have this stamp."""
    for digest, study, known in ask(_AT, {"place": name_place(escaped(path))}):
        if known == stamp:
            return Lying(digest, study)
    return None


def find_moved(ask: Ask, headers: str) -> str | None:
    """Return the digest of the one content of these headers whose files are no longer at any known place.

    Where they are still there, what is asked for is a copy, or the same files with other pixels.
    """
    found = ask(_WITH_HEADERS, {"headers": headers})
    digests = {digest for digest, _ in found}
    is_moved = len(digests) == 1 and not any(_is_there(unescaped(path)) for _, path in found)
    return digests.pop() if is_moved else None


def list_folders(paths: Iterable[str], run: int, at: str) -> list[dict[str, Any]]:
    """Return the values of `LEAVE_ALL`, or `STILL_THERE`, for the paths that are there.

    A share that is away today is left out: what lies on it is not gone.
    """
    values = []
    for path in filter(os.path.exists, paths):
        own = escaped(path.rstrip("/" + os.sep) or path)
        below = own if own.endswith("/") else f"{own}{escaped(os.sep)}"
        values.append({"at": at, "run": run, "root": own, "below": below, "length": len(below)})
    return values


def _is_there(path: str) -> bool:
    """Return whether a file, or the archive that a member lies in, is there; of an address nobody asks."""
    if split_scheme(path)[0]:
        return True
    return any(map(os.path.exists, (path, path.partition(INSIDE)[0])))

"""Where contents lie: what is known again at its place, or moved to another, and what is gone."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from gadoscope.parallel import in_groups
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.reading.remote.addresses import split_scheme
from gadoscope.results.keeping import Lying
from gadoscope.results.store.batch import RunIds, name_place
from gadoscope.results.store.codec import ROW_COLUMNS, from_values
from gadoscope.results.store.schema import WHOLE
from gadoscope.text import escaped, unescaped

Ask = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
"""Returns the rows of an answer; values stand in the statement as ``:name``."""

MOST_LISTED = 500
"""Values in one statement; no database has trouble with so many."""
_ABOUT_PLACE = 5
"""Columns of `_AT` before those of a row."""
# {names} are the names of values.
_AT = (
    "SELECT series.id, series.place, series.stamp, series.digest, series.study, "  # noqa: S608 — our names
    f"{', '.join(f'answers.{name}' for name in ROW_COLUMNS)} FROM series LEFT JOIN answers "
    "ON answers.digest = series.digest AND answers.study = series.study "
    "AND answers.model_id = :model AND answers.version = :version "
    "WHERE series.place IN ({names}) AND series.gone_at IS NULL "
    f"ORDER BY series.id, answers.volume_index = {WHOLE}, answers.volume_index"
)
_WITH_HEADERS = "SELECT digest, path FROM series WHERE headers = :headers ORDER BY id LIMIT 100"
_SCANS = "SELECT digest, content, seen_at FROM scans WHERE digest IN ({names})"
LEAVE_ALL = (
    "UPDATE series SET gone_at = :at WHERE gone_at IS NULL AND last_seen_run < :run "
    "AND (path = :root OR substr(path, 1, :length) = :below)"
)
"""What lay at or below a root, and was not seen by a run that walked all of it, nor by one that began
later and works at the same time."""
STILL_THERE = "UPDATE series SET gone_at = NULL WHERE gone_at = :at AND substr(path, 1, :length) = :below"
"""What lies below a folder that could not be listed: nobody knows."""


def find_places(ask: Ask, stamps: Mapping[str, str | None], ids: RunIds, name: str) -> dict[str, Lying]:
    """Return what lies at some paths, with what a model said of it, in one question.

    Parameters
    ----------
    ask
        Asks the database.
    stamps
        Of the files, by path; what had another one is left out, but for where it is ``None``.
    ids
        Of the model and the version whose answers are asked for.
    name
        What rows call the model.

    Raises
    ------
    ValueError
        If an answer is no row of results.
    """
    paths = {name_place(escaped(path)): path for path in stamps}
    lying: dict[str, Lying] = {}
    found = _ask_among(ask, _AT, list(paths), {"model": ids.model, "version": ids.version})
    for (_, place, stamp, digest, study), rows in groupby(found, itemgetter(slice(_ABOUT_PLACE))):
        lying.pop(paths[place], None)  # what came last is there
        if stamps[paths[place]] in (None, stamp):
            said = (values[_ABOUT_PLACE:] for values in rows)
            answered = tuple(from_values(values, "", name) for values in said if values[0] is not None)
            lying[paths[place]] = Lying(digest, study, answered, stamp)
    return lying


def find_scans(ask: Ask, stamps: Sequence[str]) -> dict[str, tuple[bytes, str]]:
    """Return what was found in groups of files and when that was noted, by their stamps."""
    return {stamp: (bytes(content), at) for stamp, content, at in _ask_among(ask, _SCANS, stamps, {})}


def _ask_among(
    ask: Ask, statement: str, listed: Sequence[str], others: Mapping[str, Any]
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a statement with a list: some values, for each database spells lists otherwise."""
    for some in in_groups(listed, MOST_LISTED):
        values = {f"v{number}": value for number, value in enumerate(some)}
        names = ", ".join(f":{name}" for name in values)
        yield from ask(statement.format(names=names), {**values, **others})


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

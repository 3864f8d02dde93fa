"""The queue: which series a reader is shown, in the order of what a look is worth, a page at a time."""

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.labels import SeriesResult, Verdict
from gadoscope.results.ledger import STUDY_WARNINGS
from gadoscope.results.store import cursors
from gadoscope.results.store.codec import ROW_COLUMNS
from gadoscope.results.store.looks import Look
from gadoscope.results.store.query import Query, narrow
from gadoscope.results.store.reviews import select_current, select_decided
from gadoscope.results.store.schema import WHOLE
from gadoscope.results.store.tables import ANSWERS, SERIES
from gadoscope.text import escaped

REVIEWED = ("by", "not_by", "anybody", "nobody", "dispute")
"""By `reader`, not by `reader`, by anybody, by nobody, or by two who say different things."""
FEW = ("by", "anybody", "dispute")
"""Those of `REVIEWED` that are few series of many."""
MOST_AT_ONCE = 500
"""Items of a page."""


@dataclass(frozen=True, kw_only=True)
class QueueQuery(Query):
    """Which series are shown, of one model; that which was asked last where none is named.

    Parameters
    ----------
    probability_at_least, probability_at_most
        P(post-contrast) by the pixels.
    look
        Word of a `Look`, in small letters: ``conflict``, ``undecided``, ``uncertain``, ``audit``, ...
    reviewed
        One of `REVIEWED`.
    reader
        By whom.
    other_reader
        Of ``dispute``: that between `reader` and this one.
    is_contradicted
        Only series whose study contradicts itself.
    differs_from
        Only series that this other model answers otherwise.
    scanner, month
        As the header has them.
    source
        The path of a run below which they lie.
    """

    probability_at_least: float | None = None
    probability_at_most: float | None = None
    look: str | None = None
    reviewed: str | None = None
    reader: str | None = None
    other_reader: str | None = None
    is_contradicted: bool = False
    differs_from: str | None = None
    scanner: str | None = None
    month: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, words in (("look", [look.name.lower() for look in Look]), ("reviewed", REVIEWED)):
            self._check_word(name, words)
        if self.reviewed in ("by", "not_by") and self.reader is None:
            raise UsageError(f"reviewed = {self.reviewed!r} needs a reader; name one.")
        if self.other_reader is not None and (self.reviewed != "dispute" or self.reader is None):
            raise UsageError(
                "an other_reader is one of two in dispute: ask with reader and reviewed = 'dispute'."
            )


class Key(NamedTuple):
    """Where something stands in the queue."""

    look_order: float
    answer: int
    place: int


@dataclass(frozen=True, kw_only=True)
class QueueItem:
    """One series of the queue.

    Parameters
    ----------
    place
        Number of the place.
    look
        Why it is shown.
    result
        The row of the series, as `classify` gave it.
    verdicts
        What holds of what readers decided, by reader.
    key
        Where it stands in the queue.
    """

    place: int
    look: Look
    result: SeriesResult
    verdicts: dict[str, Verdict]
    key: Key


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of the queue; ``next`` is the cursor of the one after it, None at the end."""

    items: tuple[QueueItem, ...]
    next: str | None
    total: int


_KEY = (ANSWERS.c.look_order, ANSWERS.c.id, SERIES.c.id)


def select_queue(query: QueueQuery, model: int, other: int | None) -> sa.Select:
    """Return the statement that gives key, digest, path and `ROW_COLUMNS` of each series, unordered.

    Parameters
    ----------
    query
        Which.
    model
        Number of the model.
    other
        Number of the model `differs_from`.
    """
    columns = [*_KEY, SERIES.c.digest, SERIES.c.path, *(ANSWERS.c[name] for name in ROW_COLUMNS)]
    statement = narrow(sa.select(*columns), query, [model]).where(ANSWERS.c.look_order.is_not(None))
    return _narrow_queue(statement, query, other)


def select_count(query: QueueQuery, model: int, other: int | None) -> sa.Select:
    """Return the statement that counts the series of a queue; parameters of `select_queue`."""
    counted = sa.select(sa.func.count())
    if query.reviewed in FEW:
        # SQLite takes every index for a better one than the few contents that readers saw, unless a column
        # stands in a sum: of 100,000 series it took 80 ms in the place of 4.
        is_of_model = (ANSWERS.c.model_id + 0 == model) & (ANSWERS.c.look_order + 0).is_not(None)
        return _narrow_queue(narrow(counted, query, []).where(is_of_model), query, other)
    statement = narrow(counted, query, [model]).where(ANSWERS.c.look_order.is_not(None))
    return _narrow_queue(statement, query, other)


def _narrow_queue(statement: sa.Select, query: QueueQuery, other: int | None) -> sa.Select:
    return statement.where(*_by_answer(query), *_by_place(query), *_by_readers(query), *_by_other(other))


def _by_answer(query: QueueQuery) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if query.probability_at_least is not None:
        conditions.append(ANSWERS.c.probability >= query.probability_at_least)
    if query.probability_at_most is not None:
        conditions.append(ANSWERS.c.probability <= query.probability_at_most)
    if query.look is not None:
        first = Look[query.look.upper()]
        conditions += [ANSWERS.c.look_order >= first, ANSWERS.c.look_order < first + 1]
    if query.is_contradicted:
        conditions.append(sa.or_(*(ANSWERS.c.warnings.contains(warning) for warning in STUDY_WARNINGS)))
    return conditions


def _by_place(query: QueueQuery) -> list[sa.ColumnElement[bool]]:
    said = {SERIES.c.scanner: query.scanner, SERIES.c.month: query.month}
    conditions = [column == value for column, value in said.items() if value is not None]
    if query.source is not None:
        conditions.append(lies_below(query.source))
    return conditions


def lies_below(root: str) -> sa.ColumnElement[bool]:
    """Return whether a place is a path that was named for a run, or lies below it."""
    own = escaped(root.rstrip("/") or root)
    below = own if own.endswith("/") else f"{own}/"
    return (SERIES.c.path == own) | (sa.func.substr(SERIES.c.path, 1, len(below)) == below)


def _by_readers(query: QueueQuery) -> list[sa.ColumnElement[bool]]:
    if query.reviewed is None:
        return []
    digests = select_decided(query.reader if query.reviewed in ("by", "not_by") else None)
    if query.reviewed == "dispute":
        current = select_current()
        several = sa.func.count(current.c.verdict.distinct()) > 1
        digests = sa.select(current.c.digest).group_by(current.c.digest).having(several)
        if query.other_reader is not None:
            both = (escaped(query.reader or ""), escaped(query.other_reader))
            digests = digests.where(current.c.reader.in_(both))
    is_among = ANSWERS.c.digest.in_(digests)
    return [~is_among if query.reviewed in ("not_by", "nobody") else is_among]


def _by_other(other: int | None) -> list[sa.ColumnElement[bool]]:
    if other is None:
        return []
    second = ANSWERS.alias("second")
    is_same = sa.and_(*(ANSWERS.c[name] == second.c[name] for name in ("digest", "study", "volume_index")))
    said = sa.func.coalesce(second.c.phase, second.c.status)
    differs = said != sa.func.coalesce(ANSWERS.c.phase, ANSWERS.c.status)
    return [sa.exists().where(is_same, second.c.model_id == other, second.c.superseded_at.is_(None), differs)]


def after(key: Key | None, statement: sa.Select, n: int, *, backwards: bool = False) -> sa.Select:
    """Return the statement that gives the next ``n`` after a key, or the last before it, nearest first."""
    if key is not None:
        statement = statement.where(is_before(key) if backwards else _is_behind(key))
    return statement.order_by(*(column.desc() if backwards else column for column in _KEY)).limit(n)


def is_before(key: Key) -> sa.ColumnElement[bool]:
    """Return whether something stands before a key in the queue."""
    # The first part alone is what an index is searched by.
    return (ANSWERS.c.look_order <= key.look_order) & (sa.tuple_(*_KEY) < _literal(key))


def is_between(first: Key, last: Key) -> sa.ColumnElement[bool]:
    """Return whether something stands before the last key, but not before the first."""
    is_from = (ANSWERS.c.look_order >= first.look_order) & (sa.tuple_(*_KEY) >= _literal(first))
    return is_from & is_before(last)


def _is_behind(key: Key) -> sa.ColumnElement[bool]:
    return (ANSWERS.c.look_order >= key.look_order) & (sa.tuple_(*_KEY) > _literal(key))


def _literal(key: Key) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(value) for value in key))


def find_key(connection: sa.Connection, place: int, model: int) -> Key | None:
    """Return where a place stands in the queue of a model; None where that did not answer it."""
    is_of_place = (SERIES.c.digest == ANSWERS.c.digest) & (SERIES.c.study == ANSWERS.c.study)
    asked = sa.select(*_KEY).select_from(sa.join(SERIES, ANSWERS, is_of_place))
    asked = asked.where(SERIES.c.id == place, ANSWERS.c.model_id == model, ANSWERS.c.volume_index == WHOLE)
    newest = asked.order_by(ANSWERS.c.superseded_at.is_not(None), ANSWERS.c.id.desc())
    found = connection.execute(newest.limit(1)).first()
    return None if found is None else Key(*found)


def read_cursor(cursor: str) -> Key:
    """Return the key of a cursor.

    Raises
    ------
    UsageError
        If it is none of ours.
    """
    try:
        order, answer, place = cursors.read(cursor)
        return Key(float(order), _whole(answer), _whole(place))
    except (ValueError, TypeError):
        raise UsageError("that is no cursor of this store; begin again at the first page.") from None


def _whole(number: object) -> int:
    if type(number) is not int or not 0 <= number < 2**63:
        raise ValueError
    return number

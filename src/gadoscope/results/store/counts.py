"""How many series a queue has, counted once: again where a run, or a reader, was there since."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from gadoscope.results.store.overview import Overview, count_kinds
from gadoscope.results.store.queue import Key, QueueQuery, is_before, is_between, select_count
from gadoscope.results.store.tables import ANSWERS, REVIEWS, RUNS, SERIES

MOST_KEPT = 1000
"""Questions whose counts are kept in memory."""
OPPOSITES = {"not_by": "by", "nobody": "anybody"}
"""What most series are, and what few are, which is counted in its place."""
_RUNS_STATE = sa.select(
    sa.select(sa.func.max(ANSWERS.c.id)).scalar_subquery(),
    sa.select(sa.func.max(SERIES.c.id)).scalar_subquery(),
    sa.func.count(RUNS.c.id),
    sa.func.max(RUNS.c.ended),
)
"""Another one whenever a run wrote an answer or a place, began, or ended."""
_REVIEWS_STATE = sa.select(sa.func.max(REVIEWS.c.id))

State = tuple[Any, ...]
Given = TypeVar("Given")


class Asked(NamedTuple):
    """A queue: which series, by the number of the model, and of the one that it differs from."""

    query: QueueQuery
    model: int
    other: int | None


class Counts:
    """Counts of queues, for several threads.

    While a run goes on that finds only what was there before, they may be those of its beginning.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Asked], tuple[State, Any]] = {}
        self._positions: dict[Asked, tuple[State, Key, int]] = {}

    def count(self, connection: sa.Connection, asked: Asked, before: Key | None = None) -> int:
        """Return how many a queue has, all of them or before a key."""
        reviewed = asked.query.reviewed
        if reviewed in OPPOSITES:
            every = asked._replace(query=replace(asked.query, reviewed=None))
            opposite = asked._replace(query=replace(asked.query, reviewed=OPPOSITES[reviewed]))
            return self.count(connection, every, before) - self.count(connection, opposite, before)
        if before is not None:
            return self._count_before(connection, asked, before)
        return self._know(connection, "queue", asked, lambda: _count_now(connection, asked))

    def sum_up(self, connection: sa.Connection, asked: Asked) -> Overview:
        """Return how many there are of each kind."""
        return self._know(connection, "overview", asked, lambda: count_kinds(connection, *asked))

    def _count_before(self, connection: sa.Connection, asked: Asked, key: Key) -> int:
        """Return how many stand before a key: those before the one that was asked for last, and between."""
        state = _read_state(connection, asked)
        known = self._positions.get(asked)
        if known is None or known[0] != state:
            n = _count_now(connection, asked, is_before(key))
        elif known[1] <= key:
            n = known[2] + _count_now(connection, asked, is_between(known[1], key))
        else:
            n = known[2] - _count_now(connection, asked, is_between(key, known[1]))
        _keep(self._positions, asked, (state, key, n))
        return n

    def _know(self, connection: sa.Connection, what: str, asked: Asked, count: Callable[[], Given]) -> Given:
        state = _read_state(connection, asked)
        known = self._kept.get((what, asked))
        if known is None or known[0] != state:
            known = (state, count())
            _keep(self._kept, (what, asked), known)
        given: Given = known[1]
        return given


def _count_now(connection: sa.Connection, asked: Asked, where: sa.ColumnElement[bool] | None = None) -> int:
    counted = select_count(*asked)
    return int(connection.execute(counted if where is None else counted.where(where)).scalar_one())


def _read_state(connection: sa.Connection, asked: Asked) -> State:
    """Return what is another one where counts may be."""
    state = tuple(connection.execute(_RUNS_STATE).one())
    return state if asked.query.reviewed is None else state + tuple(connection.execute(_REVIEWS_STATE).one())


def _keep(kept: dict[Any, Any], question: object, answer: object) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[question] = answer

"""What is asked of a store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.results.ledger import STUDY_WARNINGS, Ledger
from gadoscope.results.store.address import parse_address
from gadoscope.results.store.codec import from_values
from gadoscope.results.store.opening import explained, open_engine
from gadoscope.results.store.outage import Say, say_on_stderr
from gadoscope.results.store.query import (
    Query,
    narrow,
    select_counts,
    select_pairs,
    select_rows,
    select_studies,
)
from gadoscope.results.store.refusals import refuse_store
from gadoscope.results.store.schema import OLDEST_READ, WHOLE
from gadoscope.results.store.tables import MODELS, RUNS
from gadoscope.text import unescaped


class Pair(NamedTuple):
    """What two models say of one volume, or of one series; ``None`` where one gives no phase."""

    path: str
    series_instance_uid: str | None
    volume_index: int | None
    status: str
    phase: str | None
    probability: float | None
    other_status: str
    other_phase: str | None
    other_probability: float | None


class RunRow(NamedTuple):
    """One run, as `gadoscope.results.store.schema` has it; ``run`` is its number, times are UTC."""

    run: int
    model: str
    version: str
    begun: str
    ended: str | None
    state: str
    roots: str
    counts: str


ROWS_AT_ONCE = 1000
"""Rows that come from the database together: a megabyte."""
MIN_SHA256_DIGITS = 4
"""Of the beginning of a model's SHA-256: fewer are a name, rather."""


class StoreReader:
    """Rows of a store that is there already.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, ``postgresql://user@host/database``, or a file; see `parse_address`.
    say
        Takes a sentence where the database is waited for.

    Raises
    ------
    UsageError
        If it is no URL of a store.
    """

    oldest = OLDEST_READ
    """The first migration that has what is asked for."""

    def __init__(self, url: str, *, say: Say = say_on_stderr) -> None:
        self.address = parse_address(url)
        self.say = say

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address.shown!r})"

    def rows(self, query: Query | None = None, **asked: Any) -> Iterator[SeriesResult]:
        """Yield rows as `classify` gave them, as they come from the database.

        Parameters
        ----------
        query
            Which; or what it says, by name: ``phase="POST_CONTRAST", agreement="conflict"``.

        Raises
        ------
        UsageError
            If there is no store, or no model of that name in it.
        OutputError
            If its server does not answer.
        """
        query = take_query(query, asked)
        with self._connect() as connection:
            yield from self._iter_rows(connection, query)

    def count(self, query: Query | None = None, **asked: Any) -> int:
        """Return how many rows there are; parameters and errors of `rows`."""
        query = take_query(query, asked)
        with self._connect() as connection:
            numbers = list(self._find_models(connection, query.model)) if query.model is not None else []
            counted = narrow(sa.select(sa.func.count()), query, numbers)
            return int(connection.execute(counted).scalar_one())

    def ledger(self, query: Query | None = None, **asked: Any) -> Ledger:
        """Return how many rows there are of each kind; parameters and errors of `rows`."""
        query = take_query(query, asked)
        ledger = Ledger()
        with self._connect() as connection:
            numbers = list(self._find_models(connection, query.model)) if query.model is not None else []
            for status, code, phase, agreement, n in connection.execute(select_counts(query, numbers)):
                ledger.count(Status(status), code, None if phase is None else Phase(phase), agreement, n)
            for warning in STUDY_WARNINGS:
                studies = connection.execute(select_studies(query, numbers, warning)).scalars()
                if found := {uid or "" for uid in studies}:
                    ledger.studies_by_warning[warning] = found
        return ledger

    def pairs(self, model: str, other: str, query: Query | None = None, **asked: Any) -> Iterator[Pair]:
        """Yield what two models say of the same content; other parameters and errors of `rows`.

        Parameters
        ----------
        model, other
            As of a `Query`, whose own is left out; each must be one model.
        """
        query = take_query(query, asked)
        with self._connect() as connection:
            numbers = [self._find_one(connection, name) for name in (model, other)]
            stream = connection.execution_options(yield_per=ROWS_AT_ONCE)
            for path, uid, volume, *said in stream.execute(select_pairs(query, *numbers)):
                yield Pair(unescaped(path), uid, None if volume == WHOLE else volume, *said)

    def runs(self) -> list[RunRow]:
        """Return the runs, the first one first; errors of `rows`."""
        columns = (RUNS.c.id, MODELS.c.name, *(RUNS.c[name] for name in RunRow._fields[2:]))
        asked = sa.select(*columns).join(MODELS, MODELS.c.id == RUNS.c.model_id).order_by(RUNS.c.id)
        with self._connect() as connection:
            return [
                RunRow(number, unescaped(name), *rest) for number, name, *rest in connection.execute(asked)
            ]

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        """Yield a connection that reads; whatever goes wrong becomes one sentence."""
        with explained(self.address, writes=False):
            engine = open_engine(self.address, writes=False, oldest=self.oldest)
            try:
                with engine.connect() as connection:
                    yield connection
            finally:
                engine.dispose()

    def _find_one(self, connection: sa.Connection, asked: str) -> int:
        found = self._find_models(connection, asked)
        if len(found) > 1:
            raise UsageError(
                f"{asked!r} are {len(found)} models: {', '.join(sorted(found.values()))}; name one."
            )
        return next(iter(found))

    def _iter_rows(self, connection: sa.Connection, query: Query) -> Iterator[SeriesResult]:
        names = self._find_models(connection, query.model)
        asked = select_rows(query, list(names) if query.model is not None else ())
        names = names if query.model is None else self._find_models(connection, None)
        stream = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(asked)
        for path, model, *values in stream:
            try:
                yield from_values(values, unescaped(path), names[model])
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise refuse_store(self.address, f"it holds a row that is none: {error}") from error

    def _find_models(self, connection: sa.Connection, asked: str | None) -> dict[int, str]:
        """Return the names of the models that are asked for, by their numbers."""
        found = connection.execute(sa.select(MODELS.c.id, MODELS.c.name, MODELS.c.sha256)).all()
        names = {number: unescaped(name) for number, name, _ in found}
        if asked is None:
            return names
        chosen = {
            number: names[number]
            for number, name, sha256 in found
            if _is_called(asked, names[number], sha256)
        }
        if not chosen:
            known = ", ".join(sorted(names.values())) or "none yet"
            raise UsageError(f"no model {asked!r} answered in {self.address.shown}; there are: {known}.")
        return chosen


def take_query(query: Query | None, asked: dict[str, Any]) -> Query:
    """Return the query that is asked for, whole or by its parts."""
    if query is not None and asked:
        raise UsageError("a query is given whole, or by its parts; give one of the two.")
    try:
        return query or Query(**asked)
    except TypeError:
        raise UsageError(
            f"rows are asked for by {', '.join(Query.__dataclass_fields__)}, and not by {', '.join(asked)}."
        ) from None


def _is_called(asked: str, name: str, sha256: str) -> bool:
    is_start = len(asked) >= MIN_SHA256_DIGITS and sha256.startswith(asked.lower())
    return asked == name or asked == name.partition("@")[0] or is_start

"""What is asked of a store."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.labels import SeriesResult
from gadoscope.results.store.address import parse_address
from gadoscope.results.store.codec import from_values
from gadoscope.results.store.opening import explained, open_engine
from gadoscope.results.store.outage import Say, say_on_stderr
from gadoscope.results.store.query import Query, narrow, select_rows
from gadoscope.results.store.refusals import refuse_store
from gadoscope.results.store.tables import MODELS
from gadoscope.text import unescaped

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
        with explained(self.address, writes=False):
            engine = open_engine(self.address, writes=False)
            try:
                with engine.connect() as connection:
                    yield from self._iter_rows(connection, query)
            finally:
                engine.dispose()

    def count(self, query: Query | None = None, **asked: Any) -> int:
        """Return how many rows there are; parameters and errors of `rows`."""
        query = take_query(query, asked)
        with explained(self.address, writes=False):
            engine = open_engine(self.address, writes=False)
            with engine.connect() as connection:
                numbers = list(self._find_models(connection, query.model))
                counted = narrow(sa.select(sa.func.count()), query, numbers)
                n_rows = int(connection.execute(counted).scalar_one())
            engine.dispose()
        return n_rows

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

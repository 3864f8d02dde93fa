"""The review room's side of a store: one pool of connections for many threads, from queue to decision."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from gadoscope.errors import OutputError, UsageError
from gadoscope.labels import Verdict
from gadoscope.results.sqlite_files import may_write
from gadoscope.results.store import cursors
from gadoscope.results.store.batch import name_place
from gadoscope.results.store.codec import from_values
from gadoscope.results.store.counts import Asked, Counts
from gadoscope.results.store.decided import DecidedReader
from gadoscope.results.store.looks import Look
from gadoscope.results.store.opening import WRITES, check_is_there, explained, open_engine, use_wal
from gadoscope.results.store.outage import Say, say_on_stderr
from gadoscope.results.store.overview import Overview
from gadoscope.results.store.pages import PlacedRow, StudyRow, page_rows, page_studies, rows_of_study
from gadoscope.results.store.query import Query
from gadoscope.results.store.queue import (
    MOST_AT_ONCE,
    Key,
    Page,
    QueueItem,
    QueueQuery,
    after,
    find_key,
    lies_below,
    read_cursor,
    select_queue,
)
from gadoscope.results.store.reviews import (
    Decision,
    Reader,
    Review,
    count_agreement,
    find_digest,
    find_verdicts,
    iter_reviews,
    list_readers,
    write_decision,
    write_withdrawal,
)
from gadoscope.results.store.series_view import SeriesView, view_series
from gadoscope.results.store.tables import ANSWERS, REVIEWS, RUNS, SERIES
from gadoscope.text import escaped, unescaped

BUSY_SECONDS = 5.0
"""How long a decision waits for a run that writes the same SQLite file: a reader sits before it."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The places before and after one in the queue; None at its ends."""

    previous: int | None
    next: int | None


class Room(DecidedReader):
    """A store that is looked at and decided in, by many threads; `close` it at the end.

    It is migrated where it is older. A file that may not be written is looked at only: `is_read_only`.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, ``postgresql://user@host/database``, or a file; see `parse_address`.
    say
        Takes a sentence where the database is waited for.

    Raises
    ------
    UsageError
        If there is no store, or that of another program or a newer Gadoscope.
    OutputError
        If its server does not answer.
    """

    def __init__(self, url: str, *, say: Say = say_on_stderr) -> None:
        super().__init__(url, say=say)
        self._counts = Counts()
        check_is_there(self.address)
        path = self.address.path
        self.is_read_only = path is not None and not may_write(path)
        writes = not self.is_read_only
        self._engine = open_engine(self.address, writes=writes, busy_seconds=BUSY_SECONDS, oldest=self.oldest)
        if path is not None and writes:
            with explained(self.address):
                use_wal(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def decide(self, place: int, decision: Decision) -> Review:
        """Return a decision once it is in the store; sent again with the same token it is the same one.

        Raises
        ------
        UsageError
            If there is no such place or model, or the token is that of another decision.
        OutputError
            If the store cannot be written, or another program writes it for longer than `BUSY_SECONDS`.
        """
        with self._write() as connection:
            model = None if decision.model is None else self._find_one(connection, decision.model)
            return write_decision(connection, place, decision, model)

    def withdraw(self, token: str, of: str, reader: str) -> Review:
        """Return that a reader took a decision back, once it is in the store; errors of `decide`.

        Parameters
        ----------
        token
            Of the withdrawal, as of a `Decision`.
        of
            Of the decision.
        reader
            Who made it.
        """
        with self._write() as connection:
            return write_withdrawal(connection, token, of, reader)

    def history(self, place: int) -> tuple[Review, ...]:
        """Return what readers decided about the content of a place and took back, the first one first."""
        with self._connect() as connection:
            return tuple(iter_reviews(connection, REVIEWS.c.digest == find_digest(connection, place)))

    def queue(self, query: QueueQuery | None = None, after_cursor: str | None = None, n: int = 50) -> Page:
        """Return a page of the queue.

        Parameters
        ----------
        query
            Which series.
        after_cursor
            ``next`` of the page before; None for the first one.
        n
            Items, 1 to `MOST_AT_ONCE`.

        Raises
        ------
        UsageError
            If there is no such model, cursor or number of items.
        """
        query = query or QueueQuery()
        if not 1 <= n <= MOST_AT_ONCE:
            raise UsageError(f"a page has 1 to {MOST_AT_ONCE} series, and not {n}.")
        key = None if after_cursor is None else read_cursor(after_cursor)
        with self._connect() as connection:
            asked = self._ask(connection, query)
            if asked is None:
                return Page(items=(), next=None, total=0)
            items = self._fetch(connection, after(key, select_queue(*asked), n + 1))
            total = self._counts.count(connection, asked)
        more = cursors.write(items[n - 1].key) if len(items) > n else None
        return Page(items=tuple(items[:n]), next=more, total=total)

    def page_rows(self, query: Query, after_key: Sequence[int] | None, n: int) -> list[PlacedRow]:
        """Return the next rows after a key, in the order in which they came; errors of `rows`."""
        with self._connect() as connection:
            models, names = self._name_models(connection, query)
            return page_rows(connection, query, models, names, after_key, n)

    def page_studies(self, query: Query, after_uid: str | None, n: int) -> list[StudyRow]:
        """Return the next studies after one, by their UIDs; errors of `rows`."""
        with self._connect() as connection:
            models, _ = self._name_models(connection, query)
            return page_studies(connection, query, models, after_uid, n)

    def rows_of_study(self, uid: str) -> list[PlacedRow]:
        """Return the rows of the study of a StudyInstanceUID, in the order in which they came."""
        with self._connect() as connection:
            return rows_of_study(connection, uid, self._find_models(connection, None))

    def _name_models(self, connection: sa.Connection, query: Query) -> tuple[dict[int, str], dict[int, str]]:
        """Return the names of the models that are asked for, empty for all of them; and of all."""
        asked = {} if query.model is None else self._find_models(connection, query.model)
        return asked, self._find_models(connection, None)

    def neighbours(self, place: int, query: QueueQuery | None = None) -> Neighbours:
        """Return what stands before and after a place in a queue, also where it is not in that any more."""
        with self._connect() as connection:
            asked = self._ask(connection, query or QueueQuery())
            key = self._find_key(connection, place, asked)
            if asked is None or key is None:
                return Neighbours(previous=None, next=None)
            keys = select_queue(*asked).with_only_columns(SERIES.c.id)
            before, behind = (
                connection.execute(after(key, keys, 1, backwards=backwards)).scalar()
                for backwards in (True, False)
            )
        return Neighbours(previous=before, next=behind)

    def position(self, place: int, query: QueueQuery | None = None) -> int | None:
        """Return how many stand before a place in a queue; None where its model did not answer it."""
        with self._connect() as connection:
            asked = self._ask(connection, query or QueueQuery())
            key = self._find_key(connection, place, asked)
            return None if asked is None or key is None else self._counts.count(connection, asked, key)

    def find_place(self, path: str) -> int | None:
        """Return the number of the place of a file, or of the first series below a folder."""
        own = name_place(escaped(path))
        exact = sa.select(SERIES.c.id).where(SERIES.c.place == own, SERIES.c.gone_at.is_(None))
        below = sa.select(SERIES.c.id).where(lies_below(path), SERIES.c.gone_at.is_(None))
        with self._connect() as connection:
            for asked in (exact.order_by(SERIES.c.id.desc()), below.order_by(SERIES.c.id)):
                found = connection.execute(asked.limit(1)).scalar()
                if found is not None:
                    return int(found)
        return None

    def overview(self, query: QueueQuery | None = None) -> Overview:
        """Return how many series there are of each kind, by plane, source, scanner and month.

        Of 100,000 series it takes a third of a second, and no time where no run was there since.
        """
        with self._connect() as connection:
            asked = self._ask(connection, query or QueueQuery())
            return Overview() if asked is None else self._counts.sum_up(connection, asked)

    def readers(self) -> list[Reader]:
        """Return who decided, how many decisions of each hold, and when the last one was made."""
        with self._connect() as connection:
            return list_readers(connection)

    def agreement(
        self, reader: str, other: str, *, is_blind: bool = False
    ) -> dict[tuple[Verdict, Verdict], int]:
        """Return how many contents two readers decided how: what holds of the one, then of the other.

        Those in dispute are ``queue(QueueQuery(reviewed="dispute", reader=..., other_reader=...))``, and
        `gadoscope.statistics.kappa` says how far the readers agree.

        Parameters
        ----------
        is_blind
            Only those that both decided without seeing what the machine says.
        """
        with self._connect() as connection:
            return count_agreement(connection, reader, other, is_blind=is_blind)

    def series(self, place: int) -> SeriesView:
        """Return all that the store has of a place.

        Raises
        ------
        UsageError
            If there is none of that number.
        """
        with self._connect() as connection:
            return view_series(connection, place, self._find_models(connection, None))

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with explained(self.address, writes=False), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        if self.is_read_only:
            raise OutputError(
                f"{self.address.shown} may not be written by this user: decisions need a store that may."
            )
        with explained(self.address), self._engine.execution_options(**{WRITES: True}).begin() as connection:
            yield connection

    def _ask(self, connection: sa.Connection, query: QueueQuery) -> Asked | None:
        """Return what is asked of which models; None before the first run."""
        other = None if query.differs_from is None else self._find_one(connection, query.differs_from)
        if query.model is not None:
            return Asked(query, self._find_one(connection, query.model), other)
        last = sa.select(RUNS.c.model_id).order_by(RUNS.c.id.desc()).limit(1)
        found = connection.execute(last).scalar()
        return None if found is None else Asked(query, int(found), other)

    def _find_key(self, connection: sa.Connection, place: int, asked: Asked | None) -> Key | None:
        find_digest(connection, place)
        return None if asked is None else find_key(connection, place, asked.model)

    def _fetch(self, connection: sa.Connection, statement: sa.Select) -> list[QueueItem]:
        models = self._find_models(connection, None)
        rows = connection.execute(statement.add_columns(ANSWERS.c.model_id)).all()
        verdicts = find_verdicts(connection, {row.digest for row in rows})
        return [self._make_item(row, models, verdicts.get(row.digest, {})) for row in rows]

    def _make_item(self, row: Sequence[Any], models: dict[int, str], verdicts: dict[str, Any]) -> QueueItem:
        order, answer, place, _, path, *values, model = row
        return QueueItem(
            place=place,
            look=Look(int(order)),
            result=from_values(values, unescaped(path), models[model]),
            verdicts=verdicts,
            key=Key(order, answer, place),
        )

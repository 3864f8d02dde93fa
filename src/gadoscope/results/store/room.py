"""The review room's side of a store: one pool of connections for many threads, from queue to decision."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from gadoscope.errors import OutputError, UsageError
from gadoscope.labels import SeriesResult
from gadoscope.results.sqlite_files import may_write
from gadoscope.results.store.codec import ROW_COLUMNS, from_values
from gadoscope.results.store.looks import Look, Point, read_points
from gadoscope.results.store.opening import WRITES, explained, open_engine, use_wal
from gadoscope.results.store.outage import Say, say_on_stderr
from gadoscope.results.store.queue import (
    MOST_AT_ONCE,
    Key,
    Page,
    QueueItem,
    QueueQuery,
    after,
    find_key,
    read_cursor,
    select_queue,
    write_cursor,
)
from gadoscope.results.store.reader import StoreReader
from gadoscope.results.store.reviews import (
    Decision,
    Review,
    find_digest,
    find_verdicts,
    iter_reviews,
    write_decision,
    write_withdrawal,
)
from gadoscope.results.store.schema import ALONE, OLDEST_REVIEWED, WHOLE
from gadoscope.results.store.tables import ANSWERS, MODELS, REVIEWS, RUNS, SERIES
from gadoscope.text import escaped, unescaped

BUSY_SECONDS = 5.0
"""How long a decision waits for a run that writes the same SQLite file: a reader sits before it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one model and version say of a series.

    Parameters
    ----------
    version
        Of Gadoscope.
    answered_at
        UTC.
    is_superseded
        Whether another version was asked since.
    rows
        Of the volumes, then of the series; as `classify` gave them.
    point
        Where the probability of the series becomes an answer.
    """

    model: str
    version: str
    answered_at: str
    is_superseded: bool
    rows: tuple[SeriesResult, ...]
    point: Point


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """Another series of the study; ``result`` is what the model that answered last says of it."""

    place: int
    result: SeriesResult


@dataclass(frozen=True, kw_only=True)
class SeriesView:
    """All that a store has of one place.

    Parameters
    ----------
    place, path
        Its number, and where it lies.
    is_gone
        Whether something else lies there now, or nothing, as far as runs saw.
    digest
        Of the content.
    scanner, month
        As the header has them; None where it is not known.
    answers
        Of all models and versions, the last one first.
    history
        What readers decided and took back, the first one first.
    siblings
        The study's other series, in the order in which they were found.
    """

    place: int
    path: str
    is_gone: bool
    digest: str
    scanner: str | None
    month: str | None
    answers: tuple[Answer, ...]
    history: tuple[Review, ...]
    siblings: tuple[Sibling, ...]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The places before and after one in the queue; None at its ends."""

    previous: int | None
    next: int | None


class Room(StoreReader):
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
        path = self.address.path
        if path is not None and not path.is_file():
            raise UsageError(
                f"there is no store {self.address.shown}; `gadoscope classify PATH --store` makes one."
            )
        self.is_read_only = path is not None and not may_write(path)
        writes = not self.is_read_only
        self._engine = open_engine(
            self.address, writes=writes, busy_seconds=BUSY_SECONDS, oldest=OLDEST_REVIEWED
        )
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
            statement, models = self._select_queue(connection, query)
            if statement is None:
                return Page(items=(), next=None, total=0)
            items = self._fetch(connection, after(key, statement, n + 1), models)
            total = self._count(connection, statement)
        more = write_cursor(items[n - 1].key) if len(items) > n else None
        return Page(items=tuple(items[:n]), next=more, total=total)

    def neighbours(self, place: int, query: QueueQuery | None = None) -> Neighbours:
        """Return what stands before and after a place in a queue, also where it is not in that any more."""
        with self._connect() as connection:
            statement, _ = self._select_queue(connection, query or QueueQuery())
            key = self._find_key(connection, place, query or QueueQuery())
            if statement is None or key is None:
                return Neighbours(previous=None, next=None)
            keys = statement.with_only_columns(SERIES.c.id)
            before, behind = (
                connection.execute(after(key, keys, 1, backwards=backwards)).scalar()
                for backwards in (True, False)
            )
        return Neighbours(previous=before, next=behind)

    def position(self, place: int, query: QueueQuery | None = None) -> int | None:
        """Return how many stand before a place in a queue; None where its model did not answer it."""
        query = query or QueueQuery()
        with self._connect() as connection:
            statement, _ = self._select_queue(connection, query)
            key = self._find_key(connection, place, query)
            if statement is None or key is None:
                return None
            before = after(key, statement, 0, backwards=True).limit(None)
            return self._count(connection, before)

    def series(self, place: int) -> SeriesView:
        """Return all that the store has of a place.

        Raises
        ------
        UsageError
            If there is none of that number.
        """
        with self._connect() as connection:
            found = connection.execute(sa.select(SERIES).where(SERIES.c.id == place)).mappings().first()
            if found is None:
                raise UsageError(f"there is no series number {place} in this store.")
            path = unescaped(found["path"])
            answers = tuple(self._iter_answers(connection, found["digest"], found["study"], path))
            return SeriesView(
                place=place,
                path=path,
                is_gone=found["gone_at"] is not None,
                digest=found["digest"],
                scanner=found["scanner"] and unescaped(found["scanner"]),
                month=found["month"],
                answers=answers,
                history=tuple(iter_reviews(connection, REVIEWS.c.digest == found["digest"])),
                siblings=tuple(self._iter_siblings(connection, found, answers)),
            )

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

    def _select_queue(
        self, connection: sa.Connection, query: QueueQuery
    ) -> tuple[sa.Select | None, dict[int, str]]:
        """Return the statement of a queue and the names of models by number; None before the first run."""
        model = self._find_model(connection, query)
        if model is None:
            return None, {}
        other = None if query.differs_from is None else self._find_one(connection, query.differs_from)
        return select_queue(query, model, other), self._find_models(connection, None)

    def _find_model(self, connection: sa.Connection, query: QueueQuery) -> int | None:
        if query.model is not None:
            return self._find_one(connection, query.model)
        last = sa.select(RUNS.c.model_id).order_by(RUNS.c.id.desc()).limit(1)
        found = connection.execute(last).scalar()
        return None if found is None else int(found)

    def _find_key(self, connection: sa.Connection, place: int, query: QueueQuery) -> Key | None:
        find_digest(connection, place)
        model = self._find_model(connection, query)
        return None if model is None else find_key(connection, place, model)

    def _fetch(
        self, connection: sa.Connection, statement: sa.Select, models: dict[int, str]
    ) -> list[QueueItem]:
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

    def _count(self, connection: sa.Connection, statement: sa.Select) -> int:
        counted = statement.with_only_columns(sa.func.count(), maintain_column_froms=True).order_by(None)
        return int(connection.execute(counted).scalar_one())

    def _iter_answers(
        self, connection: sa.Connection, digest: str, study: str, path: str
    ) -> Iterator[Answer]:
        about = [ANSWERS.c[name] for name in ("id", "model_id", "version", "answered_at", "superseded_at")]
        about += [MODELS.c.metadata, MODELS.c.name]
        asked = sa.select(*about, *(ANSWERS.c[name] for name in ROW_COLUMNS))
        asked = asked.join(MODELS, MODELS.c.id == ANSWERS.c.model_id)
        asked = asked.where(ANSWERS.c.digest == digest, ANSWERS.c.study == study)
        groups: dict[tuple[int, str], list[sa.Row[Any]]] = {}
        for row in connection.execute(
            asked.order_by(ANSWERS.c.volume_index == WHOLE, ANSWERS.c.volume_index)
        ):
            groups.setdefault((row.model_id, row.version), []).append(row)
        newest_last = sorted(groups.values(), key=lambda rows: (rows[-1].superseded_at is None, rows[-1].id))
        for rows in reversed(newest_last):
            _, _, version, at, superseded, metadata, name, *_ = rows[-1]
            results = tuple(from_values(row[len(about) :], path, unescaped(name)) for row in rows)
            yield Answer(
                model=unescaped(name),
                version=version,
                answered_at=at,
                is_superseded=superseded is not None,
                rows=results,
                point=read_points(unescaped(metadata)).at(max(row.n_slices_used for row in results)),
            )

    def _iter_siblings(
        self, connection: sa.Connection, own: sa.RowMapping, answers: tuple[Answer, ...]
    ) -> Iterator[Sibling]:
        """Yield the other series of a study: judged together, or of the same StudyInstanceUID."""
        uid = next((row.study_instance_uid for one in answers for row in one.rows), None)
        uid = uid and escaped(uid)
        if not answers or (own["study"] == ALONE and uid is None):
            return
        is_of_place = (SERIES.c.digest == ANSWERS.c.digest) & (SERIES.c.study == ANSWERS.c.study)
        columns = [SERIES.c.id, SERIES.c.path, ANSWERS.c.model_id, *(ANSWERS.c[name] for name in ROW_COLUMNS)]
        asked = sa.select(*columns).select_from(sa.join(SERIES, ANSWERS, is_of_place))
        is_same = SERIES.c.study == own["study"] if own["study"] else ANSWERS.c.study_instance_uid == uid
        asked = asked.where(
            is_same,
            SERIES.c.id != own["id"],
            SERIES.c.gone_at.is_(None),
            ANSWERS.c.volume_index == WHOLE,
            ANSWERS.c.superseded_at.is_(None),
        )
        names = self._find_models(connection, None)
        seen: set[int] = set()
        for place, path, model, *values in connection.execute(
            asked.order_by(SERIES.c.id, ANSWERS.c.id.desc())
        ):
            if place not in seen:
                seen.add(place)
                yield Sibling(place=place, result=from_values(values, unescaped(path), names[model]))

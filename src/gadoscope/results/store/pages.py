"""Rows and studies of a store a page at a time, for programs that ask over a network."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.results.store.codec import ROW_COLUMNS, from_values
from gadoscope.results.store.query import Query, narrow
from gadoscope.results.store.schema import WHOLE
from gadoscope.results.store.tables import ANSWERS, SERIES
from gadoscope.text import escaped, unescaped


class PlacedRow(NamedTuple):
    """A row, the number of the place that it is of, and what version of Gadoscope gave it when.

    ``key`` is where it stands in the order of pages.
    """

    place: int
    result: SeriesResult
    version: str
    answered_at: str
    key: tuple[int, int]


class StudyRow(NamedTuple):
    """A study: how many of its series have which answer."""

    study_instance_uid: str
    n_series: int
    n_pre: int
    n_post: int
    n_conflicts: int


_ORDER = (ANSWERS.c.id, SERIES.c.id)
_ABOUT = (SERIES.c.path, ANSWERS.c.model_id, ANSWERS.c.version, ANSWERS.c.answered_at)
_COLUMNS = (*_ORDER, *_ABOUT, *(ANSWERS.c[name] for name in ROW_COLUMNS))


def page_rows(
    connection: sa.Connection,
    query: Query,
    models: dict[int, str],
    names: dict[int, str],
    after: Sequence[int] | None,
    n: int,
) -> list[PlacedRow]:
    """Return the next rows after a key, in the order in which they came.

    Parameters
    ----------
    query
        Which.
    models, names
        Names by number: of those that are asked for (empty for all), and of all.
    after
        Key of the last row of the page before.
    n
        Rows.
    """
    statement = narrow(sa.select(*_COLUMNS), query, list(models))
    if after is not None:
        statement = statement.where(sa.tuple_(*_ORDER) > sa.tuple_(*map(sa.literal, after)))
    return _read_rows(connection.execute(statement.order_by(*_ORDER).limit(n)), names)


def rows_of_study(connection: sa.Connection, uid: str, names: dict[int, str]) -> list[PlacedRow]:
    """Return the rows of a study that hold now, in the order in which they came."""
    statement = narrow(sa.select(*_COLUMNS), Query(), []).where(ANSWERS.c.study_instance_uid == escaped(uid))
    return _read_rows(connection.execute(statement.order_by(*_ORDER)), names)


def page_studies(
    connection: sa.Connection, query: Query, models: dict[int, str], after: str | None, n: int
) -> list[StudyRow]:
    """Return the next studies after one, by their UIDs; parameters of `page_rows`."""
    uid = ANSWERS.c.study_instance_uid

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    statement = sa.select(
        uid,
        sa.func.count(),
        count(ANSWERS.c.phase == Phase.PRE_CONTRAST.value),
        count(ANSWERS.c.phase == Phase.POST_CONTRAST.value),
        count((ANSWERS.c.agreement == "conflict") & (ANSWERS.c.status == Status.ANSWERED.value)),
    )
    statement = narrow(statement, query, list(models))
    statement = statement.where(uid.is_not(None), ANSWERS.c.volume_index == WHOLE)
    if after is not None:
        statement = statement.where(uid > after)
    found = connection.execute(statement.group_by(uid).order_by(uid).limit(n))
    return [StudyRow(unescaped(row[0]), *row[1:]) for row in found]


def _read_rows(found: Iterable[Sequence[Any]], names: dict[int, str]) -> list[PlacedRow]:
    return [
        PlacedRow(place, from_values(values, unescaped(path), names[model]), version, at, (answer, place))
        for answer, place, path, model, version, at, *values in found
    ]

"""All that a store has of one series: what models said, what readers decided, and the rest of its study."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gadoscope.labels import SeriesResult
from gadoscope.results.store.codec import ROW_COLUMNS, from_values
from gadoscope.results.store.looks import Point, read_points
from gadoscope.results.store.reviews import Review, iter_reviews, no_such_place
from gadoscope.results.store.schema import ALONE, WHOLE
from gadoscope.results.store.tables import ANSWERS, MODELS, REVIEWS, SERIES
from gadoscope.text import escaped, unescaped


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


def view_series(connection: sa.Connection, place: int, names: Mapping[int, str]) -> SeriesView:
    """Return all that a store has of a place.

    Parameters
    ----------
    place
        Its number.
    names
        Of all models, by number.

    Raises
    ------
    UsageError
        If there is none of that number.
    """
    found = connection.execute(sa.select(SERIES).where(SERIES.c.id == place)).mappings().first()
    if found is None:
        raise no_such_place(place)
    path = unescaped(found["path"])
    answers = tuple(_iter_answers(connection, found["digest"], found["study"], path))
    return SeriesView(
        place=place,
        path=path,
        is_gone=found["gone_at"] is not None,
        digest=found["digest"],
        scanner=found["scanner"] and unescaped(found["scanner"]),
        month=found["month"],
        answers=answers,
        history=tuple(iter_reviews(connection, REVIEWS.c.digest == found["digest"])),
        siblings=tuple(_iter_siblings(connection, found, answers, names)),
    )


def _iter_answers(connection: sa.Connection, digest: str, study: str, path: str) -> Iterator[Answer]:
    about = [ANSWERS.c[name] for name in ("id", "model_id", "version", "answered_at", "superseded_at")]
    about += [MODELS.c.metadata, MODELS.c.name]
    asked = sa.select(*about, *(ANSWERS.c[name] for name in ROW_COLUMNS))
    asked = asked.join(MODELS, MODELS.c.id == ANSWERS.c.model_id)
    asked = asked.where(ANSWERS.c.digest == digest, ANSWERS.c.study == study)
    groups: dict[tuple[int, str], list[sa.Row[Any]]] = {}
    for row in connection.execute(asked.order_by(ANSWERS.c.volume_index == WHOLE, ANSWERS.c.volume_index)):
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
    connection: sa.Connection, own: sa.RowMapping, answers: tuple[Answer, ...], names: Mapping[int, str]
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
    seen: set[int] = set()
    for place, path, model, *values in connection.execute(asked.order_by(SERIES.c.id, ANSWERS.c.id.desc())):
        if place not in seen:
            seen.add(place)
            yield Sibling(place=place, result=from_values(values, unescaped(path), names[model]))

"""What readers decided, out of the room again: each decision as a row, and one label of each series."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from gadoscope.labels import Label, Plane, Verdict
from gadoscope.results.store.query import Query
from gadoscope.results.store.reader import StoreReader
from gadoscope.results.store.reviews import check_reader, select_current
from gadoscope.results.store.schema import OLDEST_REVIEWED, UNREAD, WHOLE
from gadoscope.results.store.tables import ANSWERS, MODELS, REVIEWS, SERIES
from gadoscope.text import escaped, unescaped

LABELS = {Verdict.PRE: Label.PRE, Verdict.POST: Label.POST, Verdict.NOT_T1: Label.OTHER}
"""What a manifest says of a series for a verdict; of the others it says nothing."""
HOLDS, REPLACED, WITHDRAWN = "holds", "replaced", "withdrawn"
"""What became of a decision: it is the reader's last word, there is a later one, or it was taken back."""


class DecisionRow(NamedTuple):
    """A decision of a reader; the columns of ``gadoscope results --reviews``, times are UTC."""

    path: str
    series_instance_uid: str | None
    verdict: str
    reader: str
    reviewed_at: str
    state: str
    withdrawn_at: str | None
    is_blind: bool
    note: str
    model: str


@dataclass(frozen=True)
class Labelled:
    """A series and the one label that readers gave it."""

    path: str
    series_instance_uid: str | None
    plane: Plane
    label: Label
    readers: tuple[str, ...]


@dataclass
class LeftOut:
    """Series that readers decided about and that get no label, counted by the reason."""

    disputed: int = 0
    by_verdict: Counter[Verdict] = field(default_factory=Counter)
    gone: int = 0
    """They lie where they lay no more."""

    @property
    def n(self) -> int:
        """Return how many there are."""
        return self.disputed + self.by_verdict.total() + self.gone


class DecidedReader(StoreReader):
    """Asks a store for what readers decided; parameters and errors of a `StoreReader`."""

    oldest = OLDEST_REVIEWED

    def decisions(self, query: Query | None = None, reader: str | None = None) -> Iterator[DecisionRow]:
        """Yield all decisions in the order in which they were made, also those that hold no more.

        Parameters
        ----------
        query
            Its ``since`` and ``until``: when it was decided.
        reader
            Only those of this one.
        """
        query = query or Query()
        asked = _select_decisions().order_by(REVIEWS.c.id)
        if reader is not None:
            check_reader(reader)
            asked = asked.where(REVIEWS.c.reader == escaped(reader))
        if query.since is not None:
            asked = asked.where(REVIEWS.c.reviewed_at >= query.since)
        if query.until is not None:
            asked = asked.where(REVIEWS.c.reviewed_at < query.until)
        with self._connect() as connection:
            for row in connection.execute(asked):
                yield _to_decision(*row)

    def labels(self, left_out: LeftOut, reader: str | None = None) -> Iterator[Labelled]:
        """Yield the series that have one label, by their content: of copies the first.

        Parameters
        ----------
        left_out
            Counts the others.
        reader
            Whose decisions hold; where nothing is said, those of all, if they are the same.
        """
        current = select_current()
        asked = sa.select(current.c.digest, current.c.reader, current.c.verdict)
        if reader is not None:
            check_reader(reader)
            asked = asked.where(current.c.reader == escaped(reader))
        with self._connect() as connection:
            rows = connection.execute(asked.order_by(current.c.digest, current.c.id)).all()
            for digest, decided in groupby(rows, itemgetter(0)):
                said = {unescaped(name): Verdict(verdict) for _, name, verdict in decided}
                labelled = _label(connection, str(digest), said, left_out)
                if labelled is not None:
                    yield labelled


def _to_decision(path: str | None, uid: str | None, verdict: str, reader: str, *said: Any) -> DecisionRow:
    at, holds, withdrawn_at, is_blind, note, model = said
    return DecisionRow(
        path=unescaped(path or ""),
        series_instance_uid=uid and unescaped(uid),
        verdict=verdict,
        reader=unescaped(reader),
        reviewed_at=at,
        state=WITHDRAWN if withdrawn_at else HOLDS if holds else REPLACED,
        withdrawn_at=withdrawn_at,
        is_blind=bool(is_blind),
        note=unescaped(note),
        model=unescaped(model),
    )


def _label(
    connection: sa.Connection, digest: str, said: Mapping[str, Verdict], left_out: LeftOut
) -> Labelled | None:
    verdict, *others = set(said.values())
    if others:
        left_out.disputed += 1
        return None
    if verdict not in LABELS:
        left_out.by_verdict[verdict] += 1
        return None
    found = None if digest.startswith(UNREAD) else connection.execute(_PLACE, {"digest": digest}).first()
    if found is None:
        left_out.gone += 1
        return None
    path, uid, plane = found
    return Labelled(unescaped(path), uid and unescaped(uid), Plane(plane), LABELS[verdict], tuple(said))


_PLACE = (
    sa.select(SERIES.c.path, ANSWERS.c.series_instance_uid, ANSWERS.c.plane)
    .join(ANSWERS, (ANSWERS.c.digest == SERIES.c.digest) & (ANSWERS.c.study == SERIES.c.study))
    .where(
        SERIES.c.digest == sa.bindparam("digest"),
        SERIES.c.gone_at.is_(None),
        ANSWERS.c.volume_index == WHOLE,
    )
    .order_by(SERIES.c.id, ANSWERS.c.id.desc())
    .limit(1)
)


def _select_decisions() -> sa.Select[Any]:
    taken_back, current = REVIEWS.alias("taken_back"), select_current()
    path = sa.select(SERIES.c.path).where(SERIES.c.digest == REVIEWS.c.digest)
    uid = sa.select(ANSWERS.c.series_instance_uid).where(
        ANSWERS.c.digest == REVIEWS.c.digest, ANSWERS.c.volume_index == WHOLE
    )
    columns = (
        path.order_by(SERIES.c.gone_at.is_not(None), SERIES.c.id).limit(1).scalar_subquery(),
        uid.order_by(ANSWERS.c.id.desc()).limit(1).scalar_subquery(),
        *(REVIEWS.c[name] for name in ("verdict", "reader", "reviewed_at")),
        current.c.id.is_not(None),
        sa.select(sa.func.min(taken_back.c.reviewed_at))
        .where(taken_back.c.withdraws == REVIEWS.c.id)
        .scalar_subquery(),
        *(REVIEWS.c[name] for name in ("is_blind", "note")),
        MODELS.c.name,
    )
    asked = sa.select(*columns).select_from(REVIEWS).join(MODELS, MODELS.c.id == REVIEWS.c.model_id)
    asked = asked.outerjoin(current, current.c.id == REVIEWS.c.id)
    return asked.where(REVIEWS.c.withdraws.is_(None))

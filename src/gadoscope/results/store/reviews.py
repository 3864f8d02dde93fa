"""What readers decide about contents: written down, taken back, never overwritten; and what holds of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from gadoscope.errors import UsageError
from gadoscope.labels import Verdict
from gadoscope.results.store.batch import insert_new
from gadoscope.results.store.codec import now
from gadoscope.results.store.schema import REVIEWS as REVIEWS_TABLE
from gadoscope.results.store.tables import ANSWERS, MODELS, REVIEWS, SERIES
from gadoscope.text import escaped, unescaped

MAX_TOKEN, MAX_READER, MAX_NOTE = 100, 100, 2000
"""Characters: of what a browser makes up, of a name, and of a remark."""
_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN}}}")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One key stroke of a reader.

    Parameters
    ----------
    verdict
        What it says of the series.
    reader
        Who.
    token
        Made up by whoever sends it, for this decision alone: sent again, it counts once.
    note
        A remark.
    is_blind
        Whether probability and header were hidden.
    model
        Whose answer was shown, as the column `model` has it; the last one's where nothing is said.

    Raises
    ------
    UsageError
        If a text is empty, too long, or no token.
    """

    verdict: Verdict
    reader: str
    token: str
    note: str = ""
    is_blind: bool = False
    model: str | None = None

    def __post_init__(self) -> None:
        check_token(self.token)
        check_reader(self.reader)
        if len(self.note) > MAX_NOTE:
            raise UsageError(f"a note has {len(self.note):,} characters; at most {MAX_NOTE:,} are kept.")


class Review(NamedTuple):
    """A decision, or that one was taken back, as the store has it.

    ``token`` names it, ``withdraws`` the token of the one that it takes back; ``is_withdrawn`` says whether
    it was taken back itself. ``model`` is whose answer was there, ``reviewed_at`` UTC.
    """

    token: str
    verdict: Verdict
    reader: str
    reviewed_at: str
    note: str
    is_blind: bool
    model: str
    withdraws: str | None
    is_withdrawn: bool


class Reader(NamedTuple):
    """Somebody who decided: how many decisions hold, and when the last of them was made, UTC."""

    name: str
    n_decided: int
    last_at: str


_COLUMNS = (
    "token",
    "digest",
    "model_id",
    "verdict",
    "note",
    "reader",
    "reviewed_at",
    "is_blind",
    "withdraws",
)
_ADD = sa.text(insert_new(REVIEWS_TABLE, _COLUMNS))

_TAKEN_BACK = REVIEWS.alias("taken_back")
_IS_WITHDRAWN = sa.exists().where(_TAKEN_BACK.c.withdraws == REVIEWS.c.id)
_WITHDRAWN = REVIEWS.alias("withdrawn")


def check_token(token: str) -> None:
    """Raise a UsageError if that is no token."""
    if _TOKEN.fullmatch(token) is None:
        raise UsageError(
            f"a token is 1 to {MAX_TOKEN} letters, digits and marks without spaces, such as a UUID; "
            f"this one has {len(token):,} characters."
        )


def check_reader(reader: str) -> None:
    """Raise a UsageError if that is no name."""
    if not reader.strip() or len(reader) > MAX_READER:
        raise UsageError(
            f"a reader has a name of 1 to {MAX_READER} characters; this one has {len(reader):,}."
        )


def write_decision(connection: sa.Connection, place: int, decision: Decision, model: int | None) -> Review:
    """Write a decision, unless it is there already, and return it.

    Parameters
    ----------
    place
        Number of the place in the table `series`.
    model
        Number of the model whose answer was shown; None for that which answered last.

    Raises
    ------
    UsageError
        If there is no such place, or the token is that of another decision.
    """
    digest = find_digest(connection, place)
    row = {
        "token": decision.token,
        "digest": digest,
        "model_id": _find_model(connection, digest) if model is None else model,
        "verdict": Verdict(decision.verdict).value,
        "note": escaped(decision.note),
        "reader": escaped(decision.reader),
        "reviewed_at": now(),
        "is_blind": int(decision.is_blind),
        "withdraws": None,
    }
    return _write(connection, row, ("digest", "verdict", "reader", "withdraws"))


def write_withdrawal(connection: sa.Connection, token: str, of: str, reader: str) -> Review:
    """Write that a reader takes a decision back, unless it is there already, and return it.

    Parameters
    ----------
    token
        Of the withdrawal.
    of
        Of the decision.
    reader
        Who decided.

    Raises
    ------
    UsageError
        If there is no such decision of this reader, it is a withdrawal itself or was taken back before, or
        the token is that of something else.
    """
    check_token(token)
    found = connection.execute(sa.select(REVIEWS).where(REVIEWS.c.token == of)).mappings().one_or_none()
    if found is None or found["reader"] != escaped(reader):
        raise UsageError(f"{reader!r} made no decision {of!r}: there is nothing to take back.")
    if found["withdraws"] is not None:
        raise UsageError(f"{of!r} takes a decision back, and is none itself; decide again instead.")
    row = {**found, "token": token, "note": "", "reviewed_at": now(), "withdraws": found["id"]}
    others = sa.select(REVIEWS.c.token).where(REVIEWS.c.withdraws == found["id"], REVIEWS.c.token != token)
    if connection.execute(others).first() is not None:
        raise UsageError(f"the decision {of!r} was taken back before.")
    return _write(connection, row, ("digest", "reader", "withdraws"))


def _write(connection: sa.Connection, row: Mapping[str, Any], same: Iterable[str]) -> Review:
    connection.execute(_ADD, {name: row[name] for name in _COLUMNS})
    kept = connection.execute(sa.select(REVIEWS).where(REVIEWS.c.token == row["token"])).mappings().one()
    if any(kept[name] != row[name] for name in same):
        raise UsageError(
            f"the token {row['token']!r} is that of another decision; make up a new one for each."
        )
    return next(iter_reviews(connection, REVIEWS.c.token == row["token"]))


def iter_reviews(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[Review]:
    """Yield decisions and withdrawals in the order in which they were written."""
    columns = [REVIEWS.c[name] for name in ("token", "verdict", "reader", "reviewed_at", "note", "is_blind")]
    asked = sa.select(*columns, MODELS.c.name, _WITHDRAWN.c.token, _IS_WITHDRAWN)
    asked = asked.join(MODELS, MODELS.c.id == REVIEWS.c.model_id)
    asked = asked.outerjoin(_WITHDRAWN, _WITHDRAWN.c.id == REVIEWS.c.withdraws)
    for token, verdict, reader, at, note, blind, model, of, gone in connection.execute(
        asked.where(*where).order_by(REVIEWS.c.id)
    ):
        yield Review(
            token=token,
            verdict=Verdict(verdict),
            reader=unescaped(reader),
            reviewed_at=at,
            note=unescaped(note),
            is_blind=bool(blind),
            model=unescaped(model),
            withdraws=of,
            is_withdrawn=bool(gone),
        )


def select_current() -> sa.Subquery:
    """Return what holds: of each content and reader the last decision that was not taken back.

    Columns ``digest``, ``reader``, ``verdict``, ``model_id``, ``reviewed_at``, ``is_blind`` and ``id``.
    """
    newest_first = sa.func.row_number().over(
        partition_by=(REVIEWS.c.digest, REVIEWS.c.reader), order_by=REVIEWS.c.id.desc()
    )
    names = ("digest", "reader", "verdict", "model_id", "reviewed_at", "is_blind", "id")
    live = sa.select(*(REVIEWS.c[name] for name in names), newest_first.label("nth"))
    live_rows = live.where(REVIEWS.c.withdraws.is_(None), ~_IS_WITHDRAWN).subquery()
    return sa.select(live_rows).where(live_rows.c.nth == 1).subquery()


def select_decided(reader: str | None = None) -> sa.Select[Any]:
    """Return the contents about which somebody's decision holds, or this reader's."""
    digests = sa.select(REVIEWS.c.digest).where(REVIEWS.c.withdraws.is_(None), ~_IS_WITHDRAWN)
    return digests if reader is None else digests.where(REVIEWS.c.reader == escaped(reader))


def find_verdicts(connection: sa.Connection, digests: Iterable[str]) -> dict[str, dict[str, Verdict]]:
    """Return what holds of some contents: by digest, then by reader; few hundred at most."""
    current = select_current()
    asked = sa.select(current.c.digest, current.c.reader, current.c.verdict)
    found: dict[str, dict[str, Verdict]] = {}
    for digest, reader, verdict in connection.execute(
        asked.where(current.c.digest.in_(list(digests))).order_by(current.c.id)
    ):
        found.setdefault(digest, {})[unescaped(reader)] = Verdict(verdict)
    return found


def list_readers(connection: sa.Connection) -> list[Reader]:
    """Return who decided, in the order of their names."""
    current = select_current()
    asked = sa.select(current.c.reader, sa.func.count(), sa.func.max(current.c.reviewed_at))
    found = connection.execute(asked.group_by(current.c.reader).order_by(current.c.reader))
    return [Reader(unescaped(name), n, last) for name, n, last in found]


def count_agreement(
    connection: sa.Connection, reader: str, other: str, *, is_blind: bool
) -> dict[tuple[Verdict, Verdict], int]:
    """Return how many contents two readers decided how; only blindly where it is said."""
    one, two = select_current(), select_current()
    asked = sa.select(one.c.verdict, two.c.verdict, sa.func.count()).join(two, two.c.digest == one.c.digest)
    asked = asked.where(one.c.reader == escaped(reader), two.c.reader == escaped(other))
    if is_blind:
        asked = asked.where(one.c.is_blind == 1, two.c.is_blind == 1)
    found = connection.execute(asked.group_by(one.c.verdict, two.c.verdict))
    return {(Verdict(first), Verdict(second)): n for first, second, n in found}


def find_digest(connection: sa.Connection, place: int) -> str:
    """Return the content of a place.

    Raises
    ------
    UsageError
        If there is none of that number.
    """
    digest = connection.execute(sa.select(SERIES.c.digest).where(SERIES.c.id == place)).scalar()
    if digest is None:
        raise no_such_place(place)
    return str(digest)


def no_such_place(place: int) -> UsageError:
    """Return the error of a number that no place has."""
    return UsageError(f"there is no series number {place} in this store.")


def _find_model(connection: sa.Connection, digest: str) -> int:
    asked = sa.select(ANSWERS.c.model_id).where(ANSWERS.c.digest == digest).order_by(ANSWERS.c.id.desc())
    return int(connection.execute(asked.limit(1)).scalar_one())

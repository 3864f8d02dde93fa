"""The tables of a store, said once: for the journal's SQLite, for SQLAlchemy, and for who asks by SQL.

An answer belongs to content and to a model, never to a place. A place (`series`) says which content lies
where, and with which others of its study it was judged; a content has several places where a file was copied.
So what was moved is known again, and an answer of another model or version stands beside the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

HEAD = "0003"
"""The migration that makes these tables; a store that has another one is migrated, or refused."""
OLDEST_READ, OLDEST_REVIEWED = "0001", "0003"
"""The first migrations since which tables have the columns that rows have, and those of the review room: who
only reads does not wait for a later one."""
VERSION_TABLE = "gadoscope_version"
"""Where a store notes its migration. A name of our own: other programs have an `alembic_version`."""
APPLICATION_ID = 0x6761646F
"""SQLite's field for whose file it is: "gado"."""

ALONE = ""
"""In the place of a study: the series was judged by itself."""
WHOLE = -1
"""In the place of a volume's number: the row of the whole series. A key has no unknown parts."""
UNREAD = "unread:"
"""Begins what stands for the digest of what could not be read, so of what nobody knows the content."""


class Kind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    """A whole one."""
    REAL = "real"
    TEXT = "text"
    """JSON where the column says so; a time is UTC as ``2026-11-30T20:26:00Z``, which sorts as it passes."""
    BYTES = "bytes"


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name
        Its name.
    kind
        What it holds.
    optional
        Whether it may be NULL: unknown, or not applicable.
    of
        The table whose `id` it holds.
    """

    name: str
    kind: Kind = Kind.TEXT
    optional: bool = False
    of: str = ""


@dataclass(frozen=True)
class Table:
    """One table; each has a number, `id`, in the order in which its rows came.

    Parameters
    ----------
    name
        Its name.
    columns
        All but `id`.
    unique
        The columns that no two rows share; the first index.
    indexes
        What else is asked for often; named by the first two columns. More of them are what is asked of the
        rows that are found, so that the table itself is not read.
    beside
        Columns that the first index holds for the same, in a database whose indexes hold more than a key.
    """

    name: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    beside: tuple[str, ...] = ()


_NUMBER, _REAL = Kind.NUMBER, Kind.REAL

MODELS = Table(
    "models",
    (Column("sha256"), Column("name"), Column("metadata"), Column("first_seen")),
    unique=("sha256",),
)
"""Bundles; `metadata` is the JSON that a bundle says of itself, `name` the column `model` of a row."""

RUNS = Table(
    "runs",
    (
        Column("token"),
        Column("model_id", _NUMBER, of="models"),
        Column("version"),
        Column("begun"),
        Column("ended", optional=True),
        Column("state"),
        Column("roots"),
        Column("counts"),
    ),
    unique=("token",),
    indexes=(("model_id", "version"),),
)
"""Runs: `state` is running, finished or interrupted (a run that was killed stays running); `roots` a JSON
list of the paths that were named, `counts` a JSON object of rows by status; `token` tells runs apart that
were kept elsewhere for a while."""

SERIES = Table(
    "series",
    (
        Column("digest"),
        Column("study"),
        Column("place"),
        Column("path"),
        Column("stamp", optional=True),
        Column("headers", optional=True),
        Column("first_seen_run", _NUMBER, of="runs"),
        Column("last_seen_run", _NUMBER, of="runs"),
        Column("gone_at", optional=True),
        Column("scanner", optional=True),
        Column("month", optional=True),
    ),
    unique=("digest", "study", "place"),
    indexes=(("place",), ("headers",), ("study", "digest", "gone_at")),
    beside=("gone_at",),
)
"""Places: the content `digest` lies at `path`, whose SHA-256 is `place`, for a path may be longer than a key;
`study` is the digest of the series that it was judged with. `stamp` is that of its files when they were read
(`gadoscope.reading.stamps`), `headers` a digest of the headers of a DICOM series; `gone_at` says since when
something else lies there, or nothing. `scanner` is maker and model, `month` that of the study (2026-11), as
the header has them."""

ANSWERS = Table(
    "answers",
    (
        Column("digest"),
        Column("study"),
        Column("model_id", _NUMBER, of="models"),
        Column("version"),
        Column("volume_index", _NUMBER),
        Column("study_instance_uid", optional=True),
        Column("series_instance_uid", optional=True),
        Column("plane"),
        Column("n_slices", _NUMBER),
        Column("n_slices_used", _NUMBER),
        Column("status"),
        Column("phase", optional=True),
        Column("probability", _REAL, optional=True),
        Column("reason"),
        Column("reason_code"),
        Column("header_state"),
        Column("header_quote"),
        Column("agreement"),
        Column("warnings"),
        Column("logits", optional=True),
        Column("answered_at"),
        Column("run_id", _NUMBER, of="runs"),
        Column("superseded_at", optional=True),
        Column("look_order", _REAL, optional=True),
    ),
    unique=("digest", "study", "model_id", "version", "volume_index"),
    indexes=(
        ("phase", "agreement", "digest", "study", "superseded_at"),
        ("reason_code",),
        ("model_id", "version"),
        ("answered_at",),
        ("run_id",),
        ("study_instance_uid",),
        (
            *("model_id", "look_order", "id", "superseded_at", "digest", "study"),
            *("status", "phase", "agreement", "reason_code", "plane", "probability"),
        ),
    ),
)
"""Rows, as a table of results has them: see `codec`. `study` is empty for the answer that the series has by
itself. `superseded_at` says since when another version of Gadoscope, or another way to quote, was asked.
`look_order`: see `looks`; of single volumes it is NULL."""

REVIEWS = Table(
    "reviews",
    (
        Column("token"),
        Column("digest"),
        Column("model_id", _NUMBER, of="models"),
        Column("verdict"),
        Column("note"),
        Column("reader"),
        Column("reviewed_at"),
        Column("is_blind", _NUMBER),
        Column("withdraws", _NUMBER, optional=True, of="reviews"),
    ),
    unique=("token",),
    indexes=(("digest", "reader"), ("withdraws",)),
)
"""What readers decided about contents, and what they took back: a row each, and none is ever changed.

`model_id` is whose answer they saw, and `is_blind` is 1 where it was hidden from them. `token` is made by who
sends a decision: what is sent twice counts once. `withdraws` is the `id` of the decision that a row takes
back, which has the verdict of it."""

SUSPECTS = Table("suspects", (Column("digest"),), unique=("digest",))
"""Files that were being decoded when a run died, or just before."""

SCANS = Table(
    "scans",
    (Column("digest"), Column("content", Kind.BYTES), Column("seen_at")),
    unique=("digest",),
    indexes=(("seen_at",),),
)
"""Headers that were read once, of groups of files, under a digest of their names and stats; `seen_at` says in
which week files were last so, and what was so in no week of a season is forgotten."""

TABLES = (MODELS, RUNS, SERIES, ANSWERS, REVIEWS, SUSPECTS, SCANS)
"""In an order in which they can be made."""

NAMED = 2
"""Columns of an index that its name has: PostgreSQL takes no long names."""
_SQLITE_TYPES = {Kind.NUMBER: "INTEGER", Kind.REAL: "FLOAT", Kind.TEXT: "TEXT", Kind.BYTES: "BLOB"}


def index_name(table: Table, columns: tuple[str, ...]) -> str:
    """Return the name of an index; indexes of all tables share one list of names."""
    return f"{table.name}_{'key' if columns is table.unique else 'by_' + '_and_'.join(columns[:NAMED])}"


def iter_statements() -> Iterator[str]:
    """Yield what makes the tables and indexes in SQLite, where they are not there yet."""
    for table in TABLES:
        lines = ["id INTEGER NOT NULL PRIMARY KEY"]
        for column in table.columns:
            rest = "" if column.optional else " NOT NULL"
            rest += f" REFERENCES {column.of} (id)" if column.of else ""
            lines.append(f"{column.name} {_SQLITE_TYPES[column.kind]}{rest}")
        yield f"CREATE TABLE IF NOT EXISTS {table.name} ({', '.join(lines)})"
        for columns in (table.unique, *table.indexes):
            kind = "UNIQUE INDEX" if columns is table.unique else "INDEX"
            name = index_name(table, columns)
            yield f"CREATE {kind} IF NOT EXISTS {name} ON {table.name} ({', '.join(columns)})"

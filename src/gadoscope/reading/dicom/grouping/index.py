"""Instances wait on disk, grouped by series, until all files have been looked at.

The slices of a series may lie anywhere in an archive, so no series is whole before the walk ends. Their
headers go into a private database of SQLite's own: it has no name in the file system, belongs to this
process and is gone with it, even after SIGKILL. Memory holds a few megabytes of it, whatever its size.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Literal, Self

from gadoscope.errors import OutputError
from gadoscope.reading.archives.held import Held
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.batches import (
    MOST_IN_A_PIECE,
    UNNAMED,
    Batch,
    Instance,
    pack_series,
    read_place,
    unpack,
)

PRIVATE_DATABASE = ""
"""SQLite's name for a temporary database on disk that nobody else can open."""
CACHE_KIB = 8192
"""Of the database in memory."""

MOST_PIECES = 20_000
"""Instances looked at together, about 40 MB: if more are alike, those of one study in one folder."""

Trait = Literal["likeness", "kin"]

_TABLES = """
CREATE TABLE piece_limit (most INTEGER);
CREATE TABLE series (
    id INTEGER PRIMARY KEY, study BLOB, key BLOB, n INTEGER, first BLOB, about_first TEXT, folder BLOB,
    likeness BLOB, kin BLOB, part BLOB, label BLOB, lowest INTEGER, highest INTEGER,
    regrouped TEXT DEFAULT '', divided TEXT DEFAULT '', UNIQUE (study, key)
);
CREATE TABLE batch (series INTEGER, packed BLOB);
CREATE INDEX batch_series ON batch (series);
CREATE VIEW piece AS SELECT id, study, n, first, likeness, kin, folder FROM series
    WHERE likeness != x'' AND divided = '' AND n <= (SELECT most FROM piece_limit);
"""
_MERGE = """
INSERT INTO series (
    study, key, n, first, about_first, folder, likeness, kin, part, label, lowest, highest, divided
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (study, key) DO UPDATE SET
    n = n + excluded.n,
    likeness = iif(likeness = excluded.likeness, likeness, x''),
    kin = iif(kin = excluded.kin, kin, x''),
    part = iif(part = excluded.part, part, x''),
    label = iif(label = excluded.label, label, x''),
    lowest = min(lowest, excluded.lowest),
    highest = max(highest, excluded.highest),
    about_first = CASE WHEN excluded.first < first THEN excluded.about_first ELSE about_first END,
    first = min(first, excluded.first)
RETURNING id
"""
_IN_ORDER = """
SELECT id, study, n, about_first, regrouped, divided FROM series
JOIN (SELECT study AS name, min(first) AS start FROM series GROUP BY study) ON name = study
ORDER BY start, study, first
"""
# {trait} is one of this module's own words.
_LIST_ALIKE = """
CREATE TABLE alike AS
SELECT {trait}, max(is_split) AS is_split, study, folder, sum(n) AS n FROM (
    SELECT {trait}, study, folder, n, {trait} IN (
        SELECT {trait} FROM piece GROUP BY {trait} HAVING sum(n) > ?
    ) AS is_split FROM piece WHERE {trait} != x''
) GROUP BY {trait}, iif(is_split, study, 0), iif(is_split, folder, 0) HAVING count(*) > 1
"""
_INDEX_ALIKE = "CREATE INDEX IF NOT EXISTS series_{trait} ON series ({trait}, study, folder)"
_ALL_PIECES = """
SELECT id, packed FROM piece JOIN batch ON series = id WHERE {trait} = ? ORDER BY first, id
"""
_SPLIT_PIECES = """
SELECT id, packed FROM piece JOIN batch ON series = id
WHERE {trait} = ? AND study = ? AND folder = ? ORDER BY first, id
"""
_NUMBER_PIECES = "SELECT id FROM piece WHERE likeness = ? AND study = ? AND folder = ? ORDER BY first, id"
# Numbers that all differ leave room for each: a number of instances no larger than their span.
_LIST_CUT = """
SELECT group_concat(id) FROM series
WHERE part != x'' AND divided = '' AND {place} != x'' GROUP BY part, {place}
HAVING count(*) > 1 AND sum(n) <= max(highest) - min(lowest) + 1 AND sum(n) <= ?
"""


@dataclass(frozen=True, kw_only=True)
class SeriesEntry:
    """A series of the index.

    Parameters
    ----------
    number
        In the index.
    study_instance_uid, series_instance_uid, modality
        Of its first instance by path; empty where missing.
    n_instances
        How many were found.
    first, first_digest
        Where the first instance by path lies, and the digest of its header.
    regrouped
        Where no SeriesInstanceUID holds the series together: what does. Else empty.
    divided
        Where other series have the same SeriesInstanceUID: what tells it from them. Else empty.
    """

    number: int
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    n_instances: int
    first: Source
    first_digest: str
    regrouped: str = ""
    divided: str = ""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A series that may be a part of one.

    Parameters
    ----------
    number
        In the index.
    instances
        All of them, in the order of their paths.
    """

    number: int
    instances: tuple[Instance, ...]


class SeriesIndex:
    """All instances that were found, by series. For one thread."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(PRIVATE_DATABASE, isolation_level=None)
        # Nobody reads it after a crash, so nothing is written twice.
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(_TABLES)
        self._database.execute("INSERT INTO piece_limit VALUES (?)", (MOST_IN_A_PIECE,))
        self.n_instances = 0
        self._held: list[Held] = []  # for as long as their numbers stand in the database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    @property
    def held(self) -> list[Held]:
        """Return what of them lies in memory: it can be read for as long as somebody keeps this."""
        return list(self._held)

    @property
    def n_series(self) -> int:
        """Return how many series there are."""
        (count,) = self._database.execute("SELECT count(*) FROM series").fetchone()
        return int(count)

    def add(self, batches: Iterable[Batch]) -> None:
        """Add instances to their series.

        Raises
        ------
        OutputError
            If the disk of the system's folder for temporary files is full.
        """
        for batch in batches:
            self._add(batch)
            self.n_instances += batch.n_instances
            self._held.extend(batch.held)

    def _add(self, batch: Batch, divided: str = "") -> None:
        traits = batch.traits
        ((number,),) = self._ask(
            _MERGE,
            *(batch.study, batch.key, batch.n_instances, batch.first, batch.about_first, batch.folder),
            *(traits.likeness, traits.kin, traits.part, traits.label, traits.lowest, traits.highest, divided),
        )
        self._ask("INSERT INTO batch VALUES (?, ?)", number, batch.packed)

    def _ask(self, statement: str, *values: object) -> list[Any]:
        """Return all rows of an answer."""
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise OutputError(
                f"cannot keep the headers of {self.n_instances} DICOM instances in the folder for temporary "
                f"files: {error}. Name one with more space in the environment variable TMPDIR."
            ) from error

    def iter_studies(self) -> Iterator[list[SeriesEntry]]:
        """Yield the series of each study, both in the order of their first paths.

        The order depends on the paths alone, not on when the instances were added.
        """
        study: list[SeriesEntry] = []
        previous = b""
        for number, key, n, about_first, regrouped, divided in self._database.execute(_IN_ORDER):
            *place, digest, study_instance_uid, series_instance_uid, modality = json.loads(about_first)
            if study and (key != previous or not key):
                yield study  # without a StudyInstanceUID nobody knows what belongs together
                study = []
            previous = key
            study.append(
                SeriesEntry(
                    number=number,
                    study_instance_uid=study_instance_uid,
                    series_instance_uid=series_instance_uid,
                    modality=modality,
                    n_instances=n,
                    first=read_place(*place),
                    first_digest=digest,
                    regrouped=regrouped,
                    divided=divided,
                )
            )
        if study:
            yield study

    def iter_alike(self, trait: Trait = "likeness") -> Iterator[list[Piece]]:
        """Yield small series that are alike, those with a SeriesInstanceUID apart from those without.

        `join` may be called in between. Those of one ``likeness`` without a UID that are too many to be
        looked at are joined here: no series is that long, and what reads it refuses it.
        """
        self._ask(_LIST_ALIKE.format(trait=trait), MOST_PIECES)
        if self._ask("SELECT 1 FROM alike LIMIT 1"):
            self._ask(_INDEX_ALIKE.format(trait=trait))
        listed = self._ask(f"SELECT {trait}, is_split, study, folder, n FROM alike")  # noqa: S608
        for value, is_split, *place, n in listed:
            if n <= MOST_PIECES:
                query, values = (_SPLIT_PIECES, (value, *place)) if is_split else (_ALL_PIECES, (value,))
                yield self._read_pieces(self._ask(query.format(trait=trait), *values))
            elif trait == "likeness" and value.startswith(UNNAMED):
                numbers = [number for (number,) in self._ask(_NUMBER_PIECES, value, *place)]
                self.join(numbers, f"SeriesInstanceUID is missing in {n} alike files", is_one_study=False)
        self._ask("DROP TABLE alike")

    def iter_cut(self) -> Iterator[list[Piece]]:
        """Yield series that may be parts of one: of one number and hour, with other InstanceNumbers.

        They are of one study, or of one folder. `join` may be called in between.
        """
        for place in ("study", "folder"):
            for (ids,) in self._ask(_LIST_CUT.format(place=place), MOST_PIECES):
                marks = ", ".join("?" * (ids.count(",") + 1))
                rows = self._ask(
                    f"SELECT id, packed FROM series JOIN batch ON series = id WHERE id IN ({marks}) "  # noqa: S608
                    "ORDER BY first, id",
                    *map(int, ids.split(",")),
                )
                yield self._read_pieces(rows)

    def _read_pieces(self, rows: Iterable[tuple[int, bytes]]) -> list[Piece]:
        return [
            Piece(number=number, instances=tuple(unpack(packed for _, packed in batches)))
            for number, batches in groupby(rows, key=itemgetter(0))
        ]

    def iter_mixed(self, most: int) -> Iterator[Piece]:
        """Yield series of ``most`` instances or fewer that differ in what a series shares.

        `divide` may be called in between.
        """
        for (number,) in self._ask("SELECT id FROM series WHERE label = x'' AND n <= ?", most):
            batches = self._ask("SELECT packed FROM batch WHERE series = ?", number)
            yield Piece(number=number, instances=tuple(unpack(packed for (packed,) in batches)))

    def divide(self, number: int, parts: Sequence[Sequence[Instance]], divided: str) -> None:
        """Make several series of one.

        Parameters
        ----------
        number
            Of the series.
        parts
            All of its instances.
        divided
            What tells the parts from each other.
        """
        self._ask("DELETE FROM batch WHERE series = ?", number)
        self._ask("DELETE FROM series WHERE id = ?", number)
        for index, members in enumerate(parts):
            header = members[0][0]
            # A NUL is padding and never part of a UID.
            batch = pack_series(header.study_instance_uid, f"{header.series_key}\0{number}\0{index}", members)
            self._add(batch, divided)

    def join(
        self, numbers: Sequence[int], regrouped: str, *, is_one_study: bool, is_one_uid: bool = False
    ) -> None:
        """Make one series of some.

        Parameters
        ----------
        numbers
            Of the series; the first one by path comes first.
        regrouped
            What holds them together.
        is_one_study
            Whether they share a StudyInstanceUID; else the series belongs to no study.
        is_one_uid
            Whether they share a SeriesInstanceUID.
        """
        first, *others = numbers
        for number in others:
            self._ask("UPDATE batch SET series = ? WHERE series = ?", first, number)
            self._ask(
                "UPDATE series SET n = series.n + other.n, lowest = min(series.lowest, other.lowest), "
                "highest = max(series.highest, other.highest) "
                "FROM (SELECT n, lowest, highest FROM series WHERE id = ?) AS other WHERE series.id = ?",
                *(number, first),
            )
            self._ask("DELETE FROM series WHERE id = ?", number)
        ((text,),) = self._ask("SELECT about_first FROM series WHERE id = ?", first)
        *place, digest, study, uid, modality = json.loads(text)
        about = json.dumps(
            (*place, digest, study if is_one_study else "", uid if is_one_uid else "", modality)
        )
        self._ask("UPDATE series SET about_first = ?, regrouped = ? WHERE id = ?", about, regrouped, first)
        if not is_one_study:
            # No digest is as short as the number, so that it can be no other series' key.
            self._ask("UPDATE series SET study = x'', key = id WHERE id = ?", first)

    def read_batches(self, number: int) -> list[bytes]:
        """Return the packed instances of the series of this number, for `unpack`."""
        rows = self._database.execute("SELECT packed FROM batch WHERE series = ?", (number,))
        return [packed for (packed,) in rows]

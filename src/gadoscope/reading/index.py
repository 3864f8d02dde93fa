"""Instances wait on disk, grouped by series, until all files have been looked at.

The slices of a series may lie anywhere in an archive, so no series is whole before the walk ends. Their
headers go into a private database of SQLite's own: it has no name in the file system, belongs to this
process and is gone with it, even after SIGKILL. Memory holds a few megabytes of it, whatever its size.

Names of files and text of headers hold anything: bytes that are no UTF-8, control characters, megabytes.
None of it is a column: what is compared is a digest, what is read again is JSON in ASCII.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gadoscope.errors import OutputError
from gadoscope.reading.dicom.header import InstanceHeader
from gadoscope.reading.dicom.kinds import is_placed_slice
from gadoscope.reading.sources import Source

PRIVATE_DATABASE = ""
"""SQLite's name for a temporary database on disk that nobody else can open."""
CACHE_KIB = 8192
"""Of the database in memory."""
COMPRESSION = 1
"""zlib's fastest level: headers of one series differ little, so it already saves nine tenths."""
_NAMED, _UNNAMED = b"n", b"u"
KEY_BYTES = 16
"""Of a digest: two texts that share one are not to be feared."""

MOST_IN_A_PIECE = 3
"""Instances of a series that may be a piece of another one: more are a volume."""
MOST_PIECES = 20_000
"""Instances looked at together, about 40 MB: if more are alike, those of one study in one folder."""

Instance = tuple[InstanceHeader, Source]

_TABLES = """
CREATE TABLE piece_limit (most INTEGER);
CREATE TABLE series (
    id INTEGER PRIMARY KEY, study BLOB, key BLOB, n INTEGER, first BLOB, about_first TEXT,
    likeness BLOB, folder BLOB, regrouped TEXT DEFAULT '', UNIQUE (study, key)
);
CREATE TABLE batch (series INTEGER, packed BLOB);
CREATE INDEX batch_series ON batch (series);
CREATE VIEW piece AS SELECT id, study, n, first, likeness, folder FROM series
    WHERE likeness != x'' AND n <= (SELECT most FROM piece_limit);
"""
_MERGE = """
INSERT INTO series (study, key, n, first, about_first, likeness, folder) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (study, key) DO UPDATE SET
    n = n + excluded.n,
    likeness = CASE WHEN likeness = excluded.likeness THEN likeness ELSE x'' END,
    about_first = CASE WHEN excluded.first < first THEN excluded.about_first ELSE about_first END,
    first = min(first, excluded.first)
RETURNING id
"""
_IN_ORDER = """
SELECT id, study, n, about_first, regrouped FROM series
JOIN (SELECT study AS name, min(first) AS start FROM series GROUP BY study) ON name = study
ORDER BY start, study, first
"""
_LIST_ALIKE = """
CREATE TABLE alike AS
SELECT likeness, max(is_split) AS is_split, study, folder, sum(n) AS n FROM (
    SELECT likeness, study, folder, n, likeness IN (
        SELECT likeness FROM piece GROUP BY likeness HAVING sum(n) > ?
    ) AS is_split FROM piece
) GROUP BY likeness, iif(is_split, study, 0), iif(is_split, folder, 0) HAVING count(*) > 1
"""
_INDEX_ALIKE = "CREATE INDEX series_alike ON series (likeness, study, folder)"
_ALL_PIECES = """
SELECT id, packed FROM piece JOIN batch ON series = id WHERE likeness = ? ORDER BY first, id
"""
_SPLIT_PIECES = """
SELECT id, packed FROM piece JOIN batch ON series = id
WHERE likeness = ? AND study = ? AND folder = ? ORDER BY first, id
"""
_NUMBER_PIECES = "SELECT id FROM piece WHERE likeness = ? AND study = ? AND folder = ? ORDER BY first, id"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some instances of one series.

    Parameters
    ----------
    study, key
        Digests of StudyInstanceUID, empty where it is missing, and of what the instances of the series share.
    n_instances
        How many.
    first
        Sort key of the first of them by path.
    about_first
        JSON: path, member, digest, StudyInstanceUID, SeriesInstanceUID and modality of that one.
    packed
        All of them, for `unpack`.
    likeness, folder
        Digests of what a series shares with others that may belong to it, empty where it is no piece of one,
        and of the folder of the first instance.
    """

    study: bytes
    key: bytes
    n_instances: int
    first: bytes
    about_first: str
    packed: bytes
    likeness: bytes = b""
    folder: bytes = b""


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
    """

    number: int
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    n_instances: int
    first: Source
    first_digest: str
    regrouped: str = ""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A series of so few instances that it may be a part of one.

    Parameters
    ----------
    number
        In the index.
    instances
        All of them, in the order of their paths.
    """

    number: int
    instances: tuple[Instance, ...]


def pack(instances: Iterable[Instance]) -> list[Batch]:
    """Return the instances as one batch for each series among them."""
    by_series: dict[tuple[str, str], list[Instance]] = {}
    for header, source in instances:
        by_series.setdefault((header.study_instance_uid, header.series_key), []).append((header, source))
    return [_pack_series(study, key, members) for (study, key), members in by_series.items()]


def _pack_series(study: str, key: str, members: Sequence[Instance]) -> Batch:
    header, first = min(members, key=lambda member: member[1].sort_key)
    lines = [[*_spell_place(source), header.to_json()] for header, source in members]
    return Batch(
        study=_digest_text(study),
        key=_digest_text(key),
        n_instances=len(members),
        first=first.sort_key,
        about_first=json.dumps(
            (
                *_spell_place(first),
                header.digest,
                header.study_instance_uid,
                header.series_instance_uid,
                header.modality,
            )
        ),
        packed=zlib.compress(json.dumps(lines).encode("ascii"), COMPRESSION),
        likeness=_find_likeness(members),
        folder=_digest_text(first.folder),
    )


def _find_likeness(members: Sequence[Instance]) -> bytes:
    """Return what pieces of one series share: not one with a UID and one without."""
    headers = [header for header, _ in members]
    shared = {header.likeness for header in headers}
    is_piece = len(members) <= MOST_IN_A_PIECE and len(shared) == 1 and all(map(is_placed_slice, headers))
    if not is_piece:
        return b""
    return (_NAMED if headers[0].series_instance_uid else _UNNAMED) + _digest_text(shared.pop() or "-")


def unpack(batches: Iterable[bytes]) -> list[Instance]:
    """Return the instances of some batches, in the order of their paths."""
    instances = [
        (InstanceHeader.from_json(text), Source(Path(path), member))
        for packed in batches
        for path, member, text in json.loads(zlib.decompress(packed))
    ]
    instances.sort(key=lambda instance: instance[1].sort_key)
    return instances


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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

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
            ((number,),) = self._ask(
                _MERGE,
                *(batch.study, batch.key, batch.n_instances, batch.first),
                *(batch.about_first, batch.likeness, batch.folder),
            )
            self._ask("INSERT INTO batch VALUES (?, ?)", number, batch.packed)
            self.n_instances += batch.n_instances

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
        for number, key, n, about_first, regrouped in self._database.execute(_IN_ORDER):
            path, member, digest, study_instance_uid, series_instance_uid, modality = json.loads(about_first)
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
                    first=Source(Path(path), member),
                    first_digest=digest,
                    regrouped=regrouped,
                )
            )
        if study:
            yield study

    def iter_alike(self) -> Iterator[list[Piece]]:
        """Yield small series that are alike, those with a SeriesInstanceUID apart from those without.

        `join` may be called in between. Those without that are too many to be looked at are joined here: no
        series is that long, and what reads it refuses it.
        """
        self._ask(_LIST_ALIKE, MOST_PIECES)
        if self._ask("SELECT 1 FROM alike LIMIT 1"):
            self._ask(_INDEX_ALIKE)
        listed = self._database.execute("SELECT likeness, is_split, study, folder, n FROM alike")
        for likeness, is_split, *place, n in listed:
            if n <= MOST_PIECES:
                found = _SPLIT_PIECES, likeness, *place
                rows = self._ask(*(found if is_split else (_ALL_PIECES, likeness)))
                yield [
                    Piece(number=number, instances=tuple(unpack(packed for _, packed in batches)))
                    for number, batches in groupby(rows, key=itemgetter(0))
                ]
            elif likeness.startswith(_UNNAMED):
                numbers = [number for (number,) in self._ask(_NUMBER_PIECES, likeness, *place)]
                self.join(numbers, f"SeriesInstanceUID is missing in {n} alike files", is_one_study=False)
        self._ask("DROP TABLE alike")

    def join(self, numbers: Sequence[int], regrouped: str, *, is_one_study: bool) -> None:
        """Make one series of some.

        Parameters
        ----------
        numbers
            Of the series; the first one by path comes first.
        regrouped
            What holds them together.
        is_one_study
            Whether they share a StudyInstanceUID; else the series belongs to no study.
        """
        first, *others = numbers
        for number in others:
            self._ask("UPDATE batch SET series = ? WHERE series = ?", first, number)
            self._ask(
                "UPDATE series SET n = n + (SELECT n FROM series WHERE id = ?) WHERE id = ?", number, first
            )
            self._ask("DELETE FROM series WHERE id = ?", number)
        ((text,),) = self._ask("SELECT about_first FROM series WHERE id = ?", first)
        path, member, digest, study, _, modality = json.loads(text)
        about = json.dumps((path, member, digest, study if is_one_study else "", "", modality))
        self._ask("UPDATE series SET about_first = ?, regrouped = ? WHERE id = ?", about, regrouped, first)
        if not is_one_study:
            # No digest is as short as the number, so that it can be no other series' key.
            self._ask("UPDATE series SET study = x'', key = id WHERE id = ?", first)

    def read_batches(self, entry: SeriesEntry) -> list[bytes]:
        """Return the packed instances of a series, for `unpack`."""
        rows = self._database.execute("SELECT packed FROM batch WHERE series = ?", (entry.number,))
        return [packed for (packed,) in rows]


def _digest_text(text: str) -> bytes:
    """Return a digest of any text, file names that are no UTF-8 too; empty for an empty one."""
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=KEY_BYTES).digest() if data else b""


def _spell_place(source: Source) -> tuple[str, str]:
    return str(source.path), source.member

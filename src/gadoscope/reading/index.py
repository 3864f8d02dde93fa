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
from pathlib import Path
from types import TracebackType
from typing import Self

from gadoscope.errors import OutputError
from gadoscope.reading.dicom.header import InstanceHeader
from gadoscope.reading.sources import Source

PRIVATE_DATABASE = ""
"""SQLite's name for a temporary database on disk that nobody else can open."""
CACHE_KIB = 8192
"""Of the database in memory."""
COMPRESSION = 1
"""zlib's fastest level: headers of one series differ little, so it already saves nine tenths."""
KEY_BYTES = 16
"""Of a digest: two texts that share one are not to be feared."""

Instance = tuple[InstanceHeader, Source]

_TABLES = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY, study BLOB, key BLOB, n INTEGER, first BLOB, about_first TEXT,
    UNIQUE (study, key)
);
CREATE TABLE batch (series INTEGER, packed BLOB);
CREATE INDEX batch_series ON batch (series);
"""
_MERGE = """
INSERT INTO series (study, key, n, first, about_first) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (study, key) DO UPDATE SET
    n = n + excluded.n,
    about_first = CASE WHEN excluded.first < first THEN excluded.about_first ELSE about_first END,
    first = min(first, excluded.first)
RETURNING id
"""
_IN_ORDER = """
SELECT id, study, n, about_first FROM series
JOIN (SELECT study AS name, min(first) AS start FROM series GROUP BY study) ON name = study
ORDER BY start, study, first
"""


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
    """

    study: bytes
    key: bytes
    n_instances: int
    first: bytes
    about_first: str
    packed: bytes


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
    """

    number: int
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    n_instances: int
    first: Source
    first_digest: str


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
    )


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
        try:
            for batch in batches:
                values = (batch.study, batch.key, batch.n_instances, batch.first, batch.about_first)
                ((number,),) = self._database.execute(_MERGE, values).fetchall()
                self._database.execute("INSERT INTO batch VALUES (?, ?)", (number, batch.packed))
                self.n_instances += batch.n_instances
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
        for number, key, n, about_first in self._database.execute(_IN_ORDER):
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
                )
            )
        if study:
            yield study

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

"""Answers that are not written yet, and the statements that write them: the same in every database."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gadoscope.labels import SeriesResult, Status
from gadoscope.results.keeping import NOWHERE, Origin
from gadoscope.results.store.codec import ROW_COLUMNS, Values, digest_of_unread, format_time, now, to_values
from gadoscope.results.store.looks import UNKNOWN_POINTS, Points, look_order
from gadoscope.results.store.schema import ALONE, ANSWERS, SCANS, SERIES, Table
from gadoscope.text import escaped

Execute = Callable[[str, Sequence[Mapping[str, Any]]], object]
"""Runs a statement once for each of some values, which stand in it as ``:name``."""


def insert_new(table: Table, columns: Sequence[str]) -> str:
    """Return the statement that adds rows, but for those that are there already."""
    values = ", ".join(f":{name}" for name in columns)
    return (  # names of ours alone
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({values}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(table.unique)}) DO NOTHING"
    )


_ANSWER_COLUMNS = (
    "digest",
    "study",
    "model_id",
    "version",
    *ROW_COLUMNS,
    "answered_at",
    "run_id",
    "look_order",
)
ADD_ANSWERS = insert_new(ANSWERS, _ANSWER_COLUMNS)

_PLACE_COLUMNS = ("digest", "study", "place", "path", "stamp", "headers", "first_seen_run", "last_seen_run")
ADD_PLACES = insert_new(SERIES, _PLACE_COLUMNS).replace(
    "DO NOTHING",
    "DO UPDATE SET last_seen_run = CASE WHEN series.last_seen_run > excluded.last_seen_run "
    "THEN series.last_seen_run ELSE excluded.last_seen_run END, stamp = excluded.stamp, "
    "headers = COALESCE(excluded.headers, series.headers), gone_at = NULL",
)
ADD_SCANS = insert_new(SCANS, ("digest", "content", "seen_at"))
SEE_SCANS = "UPDATE scans SET seen_at = :seen_at WHERE scans.digest = :digest"
FORGET_SCANS = "DELETE FROM scans WHERE seen_at < :before"
SCANS_SEEN_DAYS, SCANS_KEPT_DAYS = 7, 90
"""Headers of files that are as they were are noted as seen once a week: each night it would cost what reading
them costs. What no run saw for so long is forgotten: its files are gone, or
changed, or a share is back after a season, whose headers are read anew then."""
LEAVE_PLACES = (
    "UPDATE series SET gone_at = :at WHERE series.place = :place AND gone_at IS NULL "
    "AND NOT (series.digest = :digest AND series.study = :study)"
)
"""What lay at the path before is there no more."""
SUPERSEDE = (
    "UPDATE answers SET superseded_at = CASE WHEN answers.version = :version THEN NULL ELSE :at END "
    "WHERE answers.digest = :digest AND answers.study = :study AND answers.model_id = :model_id "
    "AND (answers.version = :version) = (superseded_at IS NOT NULL)"
)
"""Of the answers of one model to one content, those of the version that was asked last are shown."""


@dataclass(frozen=True)
class RunIds:
    """By which numbers a database knows what is asked, and by whom.

    Parameters
    ----------
    model, run
        Numbers of the model and of the run.
    version
        Of the program.
    has_others
        Whether the model may have answers of other versions.
    points
        Where the model's probabilities become answers.
    """

    model: int
    run: int
    version: str
    has_others: bool
    points: Points = UNKNOWN_POINTS


class Batch:
    """Answers and places that are written together: all of them, or none."""

    def __init__(self) -> None:
        self._answers: list[Values] = []
        self._places: list[Values] = []
        self._scans: list[Values] = []
        self._seen_scans: set[str] = set()
        self._seen_before = format_time(datetime.now(UTC) - timedelta(days=SCANS_SEEN_DAYS))
        self._just_seen: deque[str] = deque()  # by other threads than the one that writes
        self._rows: dict[str, tuple[SeriesResult, ...]] = {}
        self.counts: Counter[Status] = Counter()
        """Rows of the whole run, by status."""

    def __len__(self) -> int:
        return len(self._answers) + len(self._places) + len(self._scans) + len(self._just_seen)

    def find(self, digest: str) -> tuple[SeriesResult, ...] | None:
        """Return the rows of a content that are not written yet."""
        return self._rows.get(digest)

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Take the rows of a content, unless one failed."""
        if any(row.status is Status.FAILED for row in rows):
            return
        self._rows[digest] = tuple(rows)
        self._take(digest, ALONE, rows)

    def settle(
        self,
        digest: str | None,
        rows: Sequence[SeriesResult],
        study: str,
        origin: Origin = NOWHERE,
        *,
        is_known: bool = False,
    ) -> None:
        """Take where a content lies, and the rows that it has in the end where those are others."""
        self.counts.update(row.status for row in rows)
        if digest is None or any(row.status is Status.FAILED for row in rows):
            digest, study, origin = digest_of_unread(rows), ALONE, NOWHERE
            self._take(digest, study, rows)
        elif study and not is_known:
            self._take(digest, study, rows)
        path = escaped(rows[-1].path)
        place = {"digest": digest, "study": study, "place": name_place(path), "path": path, "at": now()}
        self._places.append({**place, "stamp": origin.stamp, "headers": origin.headers})

    def keep_scan(self, stamp: str, content: bytes) -> None:
        """Take what was found in a group of files."""
        self._scans.append({"digest": stamp, "content": content, "seen_at": now()})

    def see_scan(self, stamp: str, noted: str) -> None:
        """Take that files were as they were, in any thread; ``noted`` is when that was written down."""
        if noted < self._seen_before:
            self._just_seen.append(stamp)

    def write(self, execute: Execute, run: RunIds) -> None:
        """Write all of it."""
        write_values(execute, run, answers=self._answers, places=self._places)

    def list_scans(self) -> list[Values]:
        """Return the values of `ADD_SCANS`, in an order that two writers share."""
        return sorted(self._scans, key=lambda scan: str(scan["digest"]))

    def list_seen_scans(self) -> list[Values]:
        """Return the values of `SEE_SCANS`, in the same order."""
        while self._just_seen:
            self._seen_scans.add(self._just_seen.popleft())
        return [{"digest": stamp, "seen_at": now()} for stamp in sorted(self._seen_scans)]

    def clear(self) -> None:
        """Forget what was written."""
        self._answers.clear()
        self._places.clear()
        self._scans.clear()
        self._seen_scans.clear()
        self._rows.clear()

    def _take(self, digest: str, study: str, rows: Sequence[SeriesResult]) -> None:
        shared = {"digest": digest, "study": study, "answered_at": now()}
        self._answers += [{**to_values(row), **shared} for row in rows]


def write_values(
    execute: Execute, run: RunIds, *, answers: Sequence[Values] = (), places: Sequence[Values] = ()
) -> None:
    """Write answers and places, in an order that two writers share: they do not wait in a circle."""
    ids = {"model_id": run.model, "run_id": run.run, "version": run.version}
    if answers:
        ordered = sorted(answers, key=_order)
        execute(ADD_ANSWERS, [{**one, **ids, "look_order": look_order(one, run.points)} for one in ordered])
    if places:
        last = {place["place"]: place for place in places}  # what was answered twice lies there once
        places = sorted(last.values(), key=lambda place: place["path"])
        execute(LEAVE_PLACES, places)
        seen = {"first_seen_run": run.run, "last_seen_run": run.run}
        execute(ADD_PLACES, [{**place, **seen} for place in places])
        if run.has_others:
            execute(SUPERSEDE, [{**place, **ids} for place in places])


def name_place(path: str) -> str:
    """Return the column `place` of a path as the tables hold it."""
    return hashlib.sha256(path.encode()).hexdigest()


def _order(answer: Values) -> tuple[str, str, int]:
    return answer["digest"], answer["study"], answer["volume_index"]

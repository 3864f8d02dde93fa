"""The DICOM series of a study: what their headers say together, and an answer for each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer, StudyPlace, empty_row, keep_going
from gadoscope.classification.series import answer_series
from gadoscope.classification.study.known import SeriesMemory, digest_series
from gadoscope.inference.session import Session
from gadoscope.labels import SeriesResult
from gadoscope.reading.dicom.grouping.batches import unpack
from gadoscope.reading.dicom.grouping.index import SeriesEntry
from gadoscope.reading.series import Facts, ImageSeries
from gadoscope.scans.instances import (
    check_count,
    find_typical_facts,
    open_instances,
    read_source_facts,
)

MAX_STUDY_SERIES = 200
"""A long MR examination has sixty. More under one StudyInstanceUID are several studies made one by whoever
removed the names, and one says nothing of another."""


@dataclass(frozen=True)
class Study:
    """The series of a study, and the header of each, or the row that says why there is none.

    Parameters
    ----------
    entries, facts
        The series and their headers.
    is_part
        Whether these are some of too many, which say nothing of each other.
    """

    entries: Sequence[SeriesEntry]
    facts: Sequence[Facts | SeriesResult]
    is_part: bool = False

    @property
    def is_too_long(self) -> bool:
        """Return whether its series say nothing of each other."""
        return self.is_part or len(self.entries) > MAX_STUDY_SERIES

    @property
    def is_judged_together(self) -> bool:
        """Return whether its series can say something of each other."""
        return len(self.entries) > 1 and not self.is_too_long

    def find_neighbours(self) -> list[Facts]:
        """Return the headers of its MR series, as evidence for each other."""
        if self.is_too_long:
            return []
        return [
            facts
            for entry, facts in zip(self.entries, self.facts, strict=True)
            if entry.modality == "MR" and not isinstance(facts, SeriesResult)
        ]

    def find_neighbour_digests(self) -> list[str]:
        """Return what stands for `find_neighbours` in a digest."""
        return [] if self.is_too_long else list_neighbour_digests(self.entries)

    def list_tasks(self, number: int, read_batches: Callable[[int], list[bytes]]) -> "Iterator[SeriesTask]":
        """Yield its series to answer.

        Parameters
        ----------
        number
            Of the study in this run.
        read_batches
            Gives the packed instances of a series; asked when its task is taken, so that memory stays small.
        """
        neighbours, digests = self.find_neighbours(), self.find_neighbour_digests()
        together = number if self.is_judged_together else None
        for entry, facts in zip(self.entries, self.facts, strict=True):
            yield SeriesTask(entry, read_batches(entry.number), facts, neighbours, digests, together)


def list_neighbour_digests(entries: Sequence[SeriesEntry]) -> list[str]:
    """Return what stands in a digest for the headers of the MR series of a study."""
    return [entry.first_digest for entry in entries if entry.modality == "MR"]


@dataclass(frozen=True)
class SeriesTask:
    """One series to answer: a plain value, which may travel to another process.

    Parameters
    ----------
    entry, batches
        The series and its packed instances.
    facts
        Its header, or the row that says why there is none.
    neighbours, neighbour_digests
        The headers of its study, and what stands for them in a digest.
    study
        Number of the study in this run, if its series are judged together.
    """

    entry: SeriesEntry
    batches: list[bytes]
    facts: Facts | SeriesResult
    neighbours: Sequence[Facts]
    neighbour_digests: Sequence[str]
    study: int | None = None


class StudyReader:
    """Reads and answers the series of studies. For several threads."""

    def __init__(self, session: Session, options: RunOptions) -> None:
        self._session, self._options = session, options
        self.memory = SeriesMemory(options.journal, options)

    def read_study(self, entries: Sequence[SeriesEntry], *, is_part: bool = False) -> Study:
        """Read the header of each series from its first instance."""
        return Study(entries, [self._read_facts(entry) for entry in entries], is_part)

    def answer(self, task: SeriesTask | Answer, known: Answer | None = None) -> Answer:
        """Return the rows of one series; those that are known already, in its place."""
        if isinstance(task, Answer):
            return task
        base, facts = base_row(task.entry, self._session, self._options.row_kind), task.facts
        if isinstance(facts, SeriesResult):
            return Answer((facts,), place=_find_place(task, {}))
        answered = keep_going(lambda: self._answer(task, facts, base, known), base)
        if isinstance(answered, SeriesResult):
            return Answer((answered,), place=_find_place(task, facts))
        return answered

    def recall(
        self, entries: Sequence[SeriesEntry], batches: Sequence[Sequence[bytes]]
    ) -> list[Answer] | None:
        """Return the final answers of a study that is as it was; as `SeriesMemory.recall_study`."""
        study = Study(entries, ())
        return self.memory.recall_study(
            entries, batches, study.find_neighbour_digests(), is_judged=study.is_judged_together
        )

    def _read_facts(self, entry: SeriesEntry) -> Facts | SeriesResult:
        base = base_row(entry, self._session, self._options.row_kind)
        return keep_going(lambda: read_source_facts(entry.first), base)

    def _answer(self, task: SeriesTask, facts: Facts, base: SeriesResult, known: Answer | None) -> Answer:
        check_count(task.entry.n_instances)
        instances = unpack(task.batches)
        facts = find_typical_facts(instances, facts)
        place = _find_place(task, facts)
        entry = task.entry
        origin = self.memory.find_origin(entry, instances, task.neighbour_digests)
        known = known or self.memory.recall(entry, origin)
        if known is not None:
            return replace(known, place=place)
        rows = answer_series(
            lambda: open_instances(instances, facts, entry.regrouped, entry.divided),
            base,
            self._session,
            facts=facts,
            study=task.neighbours,
            quote=self._options.quote,
        )
        digest = None if origin.headers is None else digest_series(origin.headers, rows)
        return Answer(rows, digest, place, origin=origin)


def base_row(entry: SeriesEntry, session: Session, kind: type[SeriesResult]) -> SeriesResult:
    """Return the row of a series before anything is known but where it is and what it is called."""
    return replace(
        empty_row(str(entry.first), session, kind),
        study_instance_uid=entry.study_instance_uid or None,
        series_instance_uid=entry.series_instance_uid or None,
    )


def _find_place(task: SeriesTask, facts: Facts) -> StudyPlace | None:
    """Return the place of a series in its study; ``None`` where it is judged alone."""
    if task.study is None:
        return None
    entry = task.entry
    return StudyPlace(task.study, facts, entry.number, entry.regrouped, entry.divided)


def open_again(place: StudyPlace, batches: Sequence[bytes]) -> ImageSeries:
    """Open a series that was answered once more, from its packed instances."""
    return open_instances(unpack(batches), place.facts, place.regrouped, place.divided)

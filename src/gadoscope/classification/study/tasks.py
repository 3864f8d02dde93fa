"""The DICOM series of a study: what their headers say together, and an answer for each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer, StudyPlace, empty_row, keep_going
from gadoscope.classification.series import answer_series
from gadoscope.errors import RefusedError
from gadoscope.inference.session import Session
from gadoscope.labels import SeriesResult
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.copies import digest_file
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.grouping.batches import Instance, unpack
from gadoscope.reading.dicom.grouping.index import SeriesEntry
from gadoscope.reading.dicom.header import MAGNITUDE
from gadoscope.reading.dicom.series import open_dicom_series
from gadoscope.reading.series import Facts, ImageSeries

MAX_STUDY_SERIES = 200
"""A long MR examination has sixty. More under one StudyInstanceUID are several studies made one by whoever
removed the names, and one says nothing of another."""
MAX_INSTANCES = 50_000
"""Of one series: ten times the longest perfusion series; their headers take about 100 MB."""


@dataclass(frozen=True)
class Study:
    """The series of a study, and the header of each, or the row that says why there is none."""

    entries: Sequence[SeriesEntry]
    facts: Sequence[Facts | SeriesResult]

    @property
    def is_judged_together(self) -> bool:
        """Return whether its series can say something of each other."""
        return 1 < len(self.entries) <= MAX_STUDY_SERIES

    def find_neighbours(self) -> list[Facts]:
        """Return the headers of its MR series, as evidence for each other."""
        if len(self.entries) > MAX_STUDY_SERIES:
            return []
        return [
            facts
            for entry, facts in zip(self.entries, self.facts, strict=True)
            if entry.modality == "MR" and not isinstance(facts, SeriesResult)
        ]

    def find_neighbour_digests(self) -> list[str]:
        """Return what stands for `find_neighbours` in a digest."""
        if len(self.entries) > MAX_STUDY_SERIES:
            return []
        return [entry.first_digest for entry in self.entries if entry.modality == "MR"]


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
        self._session, self._options, self._journal = session, options, options.journal

    def read_study(self, entries: Sequence[SeriesEntry]) -> Study:
        """Read the header of each series from its first instance."""
        return Study(entries, [self._read_facts(entry) for entry in entries])

    def answer(self, task: SeriesTask) -> Answer:
        """Return the rows of one series."""
        base, facts = self._base_row(task.entry), task.facts
        if isinstance(facts, SeriesResult):
            return Answer((facts,), place=_find_place(task, {}))
        answered = keep_going(lambda: self._answer(task, facts, base), base)
        if isinstance(answered, SeriesResult):
            return Answer((answered,), place=_find_place(task, facts))
        return answered

    def _base_row(self, entry: SeriesEntry) -> SeriesResult:
        return replace(
            empty_row(str(entry.first), self._session, is_pictured=self._options.pictures),
            study_instance_uid=entry.study_instance_uid or None,
            series_instance_uid=entry.series_instance_uid or None,
        )

    def _read_facts(self, entry: SeriesEntry) -> Facts | SeriesResult:
        return keep_going(lambda: read_source_facts(entry.first), self._base_row(entry))

    def _answer(self, task: SeriesTask, facts: Facts, base: SeriesResult) -> Answer:
        if task.entry.n_instances > MAX_INSTANCES:
            raise RefusedError(
                "too_many_instances",
                f"{task.entry.n_instances} instances have this SeriesInstanceUID; no series has more than "
                f"{MAX_INSTANCES}: classify its folders one by one.",
            )
        instances = unpack(task.batches)
        facts = find_typical_facts(instances, facts)
        place = _find_place(task, facts)
        entry = task.entry
        told = entry.regrouped + entry.divided
        digest = None if self._journal is None else _digest(instances, told, task.neighbour_digests)
        recalled = self._journal.find(digest) if self._journal is not None and digest is not None else None
        if recalled is not None:
            return Answer(tuple(replace(row, path=base.path) for row in recalled), place=place)

        rows = answer_series(
            lambda: open_instances(instances, facts, entry.regrouped, entry.divided),
            base,
            self._session,
            facts=facts,
            study=task.neighbours,
            quote=self._options.quote,
        )
        return Answer(rows, digest, place)


def _find_place(task: SeriesTask, facts: Facts) -> StudyPlace | None:
    """Return the place of a series in its study; ``None`` where it is judged alone."""
    if task.study is None:
        return None
    entry = task.entry
    return StudyPlace(task.study, facts, entry.number, entry.regrouped, entry.divided)


def open_again(place: StudyPlace, batches: Sequence[bytes]) -> ImageSeries:
    """Open a series that was answered once more, from its packed instances."""
    return open_instances(unpack(batches), place.facts, place.regrouped, place.divided)


def open_instances(
    instances: Sequence[Instance], facts: Facts, regrouped: str = "", divided: str = ""
) -> ImageSeries:
    """Open a series; parameters and errors of `open_dicom_series`."""
    headers, sources = zip(*instances, strict=True)
    return open_dicom_series(headers, sources, facts, regrouped=regrouped, divided=divided)


def find_typical_facts(instances: Sequence[Instance], facts: Facts) -> Facts:
    """Return the header that speaks for a series; ``facts``, those of its first instance, if none does more.

    A report or a phase image may come first by its name; the MR images beside it are what is answered.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    for index, (header, source) in enumerate(instances):
        if header.modality == "MR" and header.frame.component in ("", MAGNITUDE):
            return read_source_facts(source) if index else facts
    return facts


def read_source_facts(source: Source) -> Facts:
    """Return the header of an instance, for those who weigh its words; errors of `read_facts`."""
    with source.open() as file:
        return read_facts(file)


def _digest(instances: Sequence[Instance], told: str, neighbours: Sequence[str]) -> str:
    """Return a digest of all that the rows of a series depend on.

    Mostly pixels are not read for it: DICOM gives changed pixels a new SOPInstanceUID (PS3.3 C.12.4.1),
    which is in the header's digest, as all that stands before the pixels. Where UIDs are missing or repeat,
    they say nothing of the pixels, and those of another series may have the same header.
    """
    digest = hashlib.sha256()
    uids = {header.sop_instance_uid for header, _ in instances if header.series_instance_uid}
    are_pixels_known = len(uids - {""}) == len(instances)
    for header, source in instances:
        digest.update(f"{header.digest} {header.n_bytes}\n".encode())
        if not are_pixels_known:
            digest.update(digest_file(source) or b"")
    digest.update(("\n".join([told, "study", *neighbours])).encode())
    return digest.hexdigest()

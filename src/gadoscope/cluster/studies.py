"""Series are answered by workers, a study a task; what is known already is not sent to be answered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from distributed import Client

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer
from gadoscope.classification.study.tasks import (
    MAX_STUDY_SERIES,
    StudyReader,
    base_row,
    find_digest,
    list_neighbour_digests,
)
from gadoscope.classification.study.whole import StudyTask
from gadoscope.cluster.files import failed_row
from gadoscope.cluster.flight import Course, DiedError, Flight, Ready
from gadoscope.cluster.places import Places
from gadoscope.cluster.tasks import AnswerTask, Setup, answer
from gadoscope.inference.session import Session
from gadoscope.labels import SeriesResult
from gadoscope.parallel import in_groups
from gadoscope.reading.dicom.grouping.batches import unpack
from gadoscope.reading.dicom.grouping.index import SeriesEntry, SeriesIndex

SERIES_OF_A_PART = 8
"""In a task, of series that share a study and say nothing of each other."""


class StudyWork:
    """The studies of one run."""

    def __init__(
        self,
        client: Client,
        setup: Setup,
        session: Session,
        options: RunOptions,
        places: Places,
        n_ahead: int,
    ) -> None:
        self._client, self._setup, self._places, self._n_ahead = client, setup, places, n_ahead
        self._session, self._options, self._journal = session, options, options.journal
        self._may_know = self._journal is not None and self._journal.may_know

    def answer(self, index: SeriesIndex, unpacked: set[str], tick: Callable[[], None]) -> Iterator[Answer]:
        """Yield an answer for each series, as `Workers.answer`.

        Parameters
        ----------
        index
            All series.
        unpacked
            Archives whose series are answered in this process.
        tick
            Called while no answer comes; may raise.
        """
        course = Course(function=answer, alone=self._answer_alone, tick=tick)
        tasks = self._list_tasks(index, unpacked)
        for results in Flight(self._client, self._n_ahead, course).map(tasks):
            for answers in results:
                yield from map(self._places.receive_answer, answers)

    def _list_tasks(
        self, index: SeriesIndex, unpacked: set[str]
    ) -> "Iterator[AnswerTask | Ready[list[Answer]]]":
        """Yield the studies; what cannot travel is answered when its turn comes."""
        some_stay = bool(unpacked or index.held)
        for number, study in enumerate(_iter_parts(index)):
            entries, is_part = study
            batches = [index.read_batches(entry.number) for entry in entries]
            task = StudyTask(number, entries, batches, is_part=is_part)
            if some_stay and any(_stays(packed, unpacked) for packed in batches):
                yield Ready(self._answer_here(task))
                continue
            known, digests = self._find_known(task)
            if len(known) == len(entries) and (len(entries) == 1 or is_part or self._options.series_alone):
                yield Ready(
                    [_recall(entry, known[place], digests[place]) for place, entry in enumerate(entries)]
                )
            else:
                yield AnswerTask(self._setup, replace(task, known=known))

    def _find_known(self, task: StudyTask) -> tuple[dict[int, tuple[SeriesResult, ...]], list[str]]:
        """Return what an earlier run answered, by the place of the series in its study, and their digests."""
        if self._journal is None or not self._may_know:
            return {}, []
        neighbours = [] if task.is_part else list_neighbour_digests(task.entries)
        digests = [
            find_digest(entry, packed, neighbours)
            for entry, packed in zip(task.entries, task.batches, strict=True)
        ]
        found = ((place, self._journal.find(digest)) for place, digest in enumerate(digests))
        return {place: rows for place, rows in found if rows is not None}, digests

    def _answer_here(self, task: StudyTask) -> list[Answer]:
        """Answer in this process; the run judges them."""
        reader = StudyReader(self._session, self._options)
        study = reader.read_study(task.entries, is_part=task.is_part)
        batches = {entry.number: packed for entry, packed in zip(task.entries, task.batches, strict=True)}
        return [reader.answer(one) for one in study.list_tasks(task.number, batches.__getitem__)]

    def _answer_alone(self, task: AnswerTask, run: Callable[[AnswerTask], list[Answer]]) -> list[Answer]:
        """Answer each series of a study whose workers died, one after the other; fail the one they die of."""
        study = task.study
        known = dict(study.known)
        digests: dict[int, str | None] = dict.fromkeys(range(len(study.entries)))
        for place, entry in enumerate(study.entries):
            if place in known:
                continue
            try:
                (one,) = run(replace(task, study=replace(study, only=place)))
                known[place], digests[place] = one.rows, one.digest
            except DiedError:
                base = base_row(entry, self._session, self._options.row_kind)
                known[place] = (failed_row(base),)
        try:
            answers = run(replace(task, study=replace(study, known=known)))
        except DiedError:  # of comparing two of them
            answers = [Answer(known[place], digests[place]) for place in range(len(known))]
        return [replace(one, is_known=place in study.known) for place, one in enumerate(answers)]


def _iter_parts(index: SeriesIndex) -> Iterator[tuple[list[SeriesEntry], bool]]:
    """Yield the series of each study; too many for one study in parts, and whether it is one."""
    for entries in index.iter_studies():
        if len(entries) <= MAX_STUDY_SERIES:
            yield entries, False
        else:
            yield from ((part, True) for part in in_groups(entries, SERIES_OF_A_PART))


def _stays(packed: Sequence[bytes], unpacked: set[str]) -> bool:
    """Return whether a series, or a part of it, can be read in this process only."""
    return any(source.held is not None or str(source.path) in unpacked for _, source in unpack(packed))


def _recall(entry: SeriesEntry, rows: Sequence[SeriesResult], digest: str) -> Answer:
    return Answer(tuple(replace(row, path=str(entry.first)) for row in rows), digest, is_known=True)

"""Series are answered by workers, a study a task; what is known already is not sent to be answered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gadoscope.classification.rows import Answer
from gadoscope.classification.study.known import SeriesMemory
from gadoscope.classification.study.tasks import MAX_STUDY_SERIES, Study, StudyReader, base_row
from gadoscope.classification.study.whole import StudyTask
from gadoscope.cluster.files import failed_row
from gadoscope.cluster.flight import Course, DiedError, Flight, Ready
from gadoscope.cluster.run import ClusterRun
from gadoscope.cluster.tasks import AnswerTask, answer
from gadoscope.parallel import in_groups
from gadoscope.reading.dicom.grouping.batches import unpack
from gadoscope.reading.dicom.grouping.index import SeriesEntry, SeriesIndex
from gadoscope.scans.instances import MAX_INSTANCES

SERIES_OF_A_PART = 8
"""In a task, of series that share a study and say nothing of each other."""


class StudyWork:
    """The studies of one run."""

    def __init__(self, run: ClusterRun) -> None:
        self._run, self._options = run, run.options
        self._memory = SeriesMemory(run.options.journal, run.options)

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
        for results in Flight(self._run.client, self._run.n_ahead, course).map(tasks):
            for answers in results:
                yield from map(self._run.places.receive_answer, answers)

    def _list_tasks(
        self, index: SeriesIndex, unpacked: set[str]
    ) -> "Iterator[AnswerTask | Ready[list[Answer]]]":
        """Yield the studies; what cannot travel is answered when its turn comes."""
        some_stay = bool(unpacked or index.held)
        for number, (entries, is_part) in enumerate(_iter_parts(index)):
            batches = [index.read_batches(entry.number) for entry in entries]
            task = StudyTask(number, entries, batches, is_part=is_part)
            if some_stay and any(_stays(packed, unpacked) for packed in batches):
                yield Ready(self._answer_here(task))
                continue
            named = [replace(one, first=self._run.places.receive_source(one.first)) for one in entries]
            study = Study(named, (), is_part)
            neighbours = study.find_neighbour_digests()
            final = self._memory.recall_study(named, batches, neighbours, is_judged=study.is_judged_together)
            known = self._find_known(replace(task, entries=named), neighbours) if final is None else {}
            if final is not None:
                yield Ready(final)
            elif len(known) == len(entries) and (not study.is_judged_together or self._options.series_alone):
                yield Ready([known[place] for place in range(len(entries))])
            else:
                yield AnswerTask(self._run.setup, replace(task, known=known))

    def _find_known(self, task: StudyTask, neighbours: Sequence[str]) -> dict[int, Answer]:
        """Return what an earlier run answered, by the place of the series in its study."""
        if not self._memory.may_know:
            return {}
        found: dict[int, Answer] = {}
        for place, (entry, packed) in enumerate(zip(task.entries, task.batches, strict=True)):
            if entry.n_instances > MAX_INSTANCES:
                continue
            origin = self._memory.find_origin(entry, unpack(packed), neighbours)
            answer = self._memory.recall(entry, origin)
            if answer is not None:
                found[place] = answer
        return found

    def _answer_here(self, task: StudyTask) -> list[Answer]:
        """Answer in this process; the run judges them."""
        reader = StudyReader(self._run.session, self._options)
        study = reader.read_study(task.entries, is_part=task.is_part)
        batches = {entry.number: packed for entry, packed in zip(task.entries, task.batches, strict=True)}
        return [reader.answer(one) for one in study.list_tasks(task.number, batches.__getitem__)]

    def _answer_alone(self, task: AnswerTask, run: Callable[[AnswerTask], list[Answer]]) -> list[Answer]:
        """Answer each series of a study whose workers died, one after the other; fail the one they die of."""
        study = task.study
        known = dict(study.known)
        for place, entry in enumerate(study.entries):
            if place in known:
                continue
            try:
                (known[place],) = run(replace(task, study=replace(study, only=place)))
            except DiedError:
                base = base_row(entry, self._run.session, self._options.row_kind)
                known[place] = Answer((failed_row(base),))
        try:
            answers = run(replace(task, study=replace(study, known=known)))
        except DiedError:  # of comparing two of them
            answers = [known[place] for place in range(len(known))]
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

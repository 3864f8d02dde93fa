"""A whole study answered in one go, as a process elsewhere does it: its series alone, then together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer, storable_row
from gadoscope.classification.study.reasoning import judge_answers
from gadoscope.classification.study.tasks import StudyReader, open_again
from gadoscope.inference.session import Session
from gadoscope.reading.dicom.grouping.index import SeriesEntry


@dataclass(frozen=True)
class StudyTask:
    """A study to answer: a plain value, which may travel to another process.

    Parameters
    ----------
    number
        Of the study in this run.
    entries, batches
        Its series, and the packed instances of each.
    known
        Answers that are known already, by the place of their series in ``entries``.
    only
        The place of the one series that is answered, as yet without judging; ``None`` for all.
    is_part
        Whether these are some of too many series, which say nothing of each other.
    """

    number: int
    entries: Sequence[SeriesEntry]
    batches: Sequence[list[bytes]]
    known: Mapping[int, Answer] = field(default_factory=dict)
    only: int | None = None
    is_part: bool = False


def answer_study(task: StudyTask, session: Session, options: RunOptions) -> list[Answer]:
    """Return an answer for each series of a study, in their order; judged, if they are judged together."""
    reader = StudyReader(session, options)
    study = reader.read_study(task.entries, is_part=task.is_part)
    batches = {entry.number: packed for entry, packed in zip(task.entries, task.batches, strict=True)}
    answers = []
    for place, one in enumerate(study.list_tasks(task.number, batches.__getitem__)):
        if task.only in (None, place):
            answer = reader.answer(one, task.known.get(place))
            answers.append(replace(answer, rows=tuple(storable_row(row) for row in answer.rows)))
    if options.series_alone or task.only is not None or not study.is_judged_together:
        return answers
    metadata = session.bundle.metadata
    return judge_answers(answers, metadata, lambda place: open_again(place, batches[place.series]))

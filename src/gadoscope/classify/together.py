"""Answers pass by; those of one study are held back until all are there, and judged together."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from gadoscope.classify.rows import Answer, StudyPlace, keep_going
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.labels import SeriesResult


def iter_judged(answers: Iterable[Answer], metadata: BundleMetadata) -> Iterator[SeriesResult]:
    """Yield the rows of all answers, in their order.

    Parameters
    ----------
    answers
        Those of one study follow each other.
    metadata
        Of the bundle that gave them.
    """
    for study, group in groupby(answers, key=lambda answer: answer.place and answer.place.study):
        if study is None:
            for answer in group:
                yield from answer.rows
        else:
            yield from _judge(list(group), metadata)


def _judge(answers: list[Answer], metadata: BundleMetadata) -> Iterator[SeriesResult]:
    # Slice images and NIfTI never come here, and do without all that reads headers.
    from gadoscope.classify.study_reasoning import StudySeries, find_neutral, judge_study  # noqa: PLC0415

    placed = [(one, one.place) for one in answers if one.place is not None]

    def enhances(earlier: int, later: int) -> bool:
        places = (placed[earlier][1], placed[later][1])
        # Both could be read a moment ago; what cannot be compared now has no say.
        said = keep_going(lambda: _is_enhanced(*places, metadata), placed[later][0].rows[-1])
        return said is True

    study = [StudySeries(rows=one.rows, facts=place.facts) for one, place in placed]
    for rows in judge_study(study, lambda row: find_neutral(metadata, row), enhances):
        yield from rows


def _is_enhanced(earlier: StudyPlace, later: StudyPlace, metadata: BundleMetadata) -> bool:
    from gadoscope.imaging.enhancement import find_change  # noqa: PLC0415

    first, second = (place.open_series().volumes[0].open() for place in (earlier, later))
    change = find_change(first, second, metadata.slice_policy)
    return change is not None and change.is_enhancement

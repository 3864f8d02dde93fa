"""The T1 series of one study are judged together: what one of them is says something of the others.

Each series has an answer of its own, from its pixels alone. Series of one plane and sequence are compared
voxel by voxel where that can tell more than their answers do (`gadoscope.imaging.enhancement`). Then the
study is asked when the agent was given (`gadoscope.decision.injection`), and three rules follow:

1. An indeterminate series is settled if the study leaves no more doubt than `CERTAIN`, and no answer of the
   study is contradicted.
2. A contradicted answer is withdrawn unless the study makes it likelier than `DOUBT`. What contradicts an
   answer is post-contrast before pre-contrast, and enhancement between two series of one phase.
3. No answer is ever turned into its opposite, and no probability is changed: it stays that of the pixels.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product

import numpy as np

from gadoscope.classification.dynamic import find_turn
from gadoscope.classification.rows import Answer, StudyPlace, keep_going
from gadoscope.classification.study.known import name_study
from gadoscope.classification.study.order import is_derived, is_same_sequence, order_acquisitions
from gadoscope.decision.calibration import logit_of, sigmoid
from gadoscope.decision.decision import Decision
from gadoscope.decision.injection import Enhancement, Witness, locate_injection
from gadoscope.evidence.reconcile import HeaderState, compare
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.labels import (
    NO_PRE_CONTRAST,
    ONE_PHASE,
    OUT_OF_ORDER,
    Level,
    Phase,
    Plane,
    SeriesResult,
    Status,
)
from gadoscope.reading.series import Facts, ImageSeries

CERTAIN = 0.99
"""Probability from which the study settles a series: one in a hundred is what users of such a table accept
as silent errors. One neighbour at `MAX_PROBABILITY` is enough for it."""
DOUBT = 0.9
"""Probability below which a contradicted answer is withdrawn: of a contradiction one side is wrong, and
only a study that is nine to one for the other side tells which."""

Neutral = Callable[[SeriesResult], float]
"""The probability that says nothing, on the scale of a row."""
Reopen = Callable[[StudyPlace], ImageSeries]
"""Opens a series once more; called in the thread that reads the answers."""
Enhances = Callable[[int, int], bool]
"""Whether the head enhances from one series of a study to another, by their places in it."""


@dataclass(frozen=True, kw_only=True)
class StudySeries:
    """A series of a study after it was judged alone.

    Parameters
    ----------
    rows
        Its rows; the last one is that of the series.
    facts
        Its header.
    """

    rows: tuple[SeriesResult, ...]
    facts: Facts

    @property
    def row(self) -> SeriesResult:
        """Return the row of the series."""
        return self.rows[-1]


@dataclass(frozen=True)
class _Place:
    """Where a series stands in its study, and what the study says of it."""

    number: int
    n_acquisitions: int
    pre: float
    post: float
    contradiction: str


def find_neutral(decision: Decision, row: SeriesResult) -> float:
    """Return the probability at which the pixels say nothing: one half where they are calibrated.

    Of a network that is not, the threshold is the one point that is known to lie between the phases.
    """
    level = Level.SERIES if row.n_slices_used > 1 else Level.SLICE
    decided = decision.at(level)
    return 0.5 if decided.calibration.method != "none" else decided.point.threshold


def judge_study(
    study: Sequence[StudySeries], neutral: Neutral, enhances: Enhances
) -> list[tuple[SeriesResult, ...]]:
    """Return the rows of each series of a study after all have been judged together.

    Parameters
    ----------
    study
        All its series, in any order; those without an answer are left as they are.
    neutral
        What probability says nothing; see `find_neutral`.
    enhances
        Compares two series, the earlier one first; asked as rarely as possible, for it decodes both.
    """
    judged = {index: series for index, series in enumerate(study) if series.row.phase is not None}
    order = order_acquisitions({index: series.facts for index, series in judged.items()})
    enhancements = [pair for pair in _iter_comparable(order, judged) if enhances(*pair)]
    contradictions = _find_contradictions(order, judged, enhancements)
    rows = {index: series.row for index, series in enumerate(study)}
    for index, place in _find_places(order, judged, neutral, enhancements, contradictions).items():
        rows[index] = _reconsider(rows[index], place, is_study_clear=not contradictions)
    for index in _find_without_pre(list(rows.values()), study):
        rows[index] = _warn(rows[index], NO_PRE_CONTRAST)
    return [(*series.rows[:-1], rows[index]) for index, series in enumerate(study)]


def _iter_comparable(
    order: Sequence[Sequence[int]], judged: Mapping[int, StudySeries]
) -> Iterator[tuple[int, int]]:
    """Yield each acquired series with the next one of its plane and sequence, if comparing may help.

    It does not where the earlier one is pre- and the later one post-contrast, or the other way round:
    then the answers say already what the comparison would.
    """
    alone = [members[0] for members in order if len(judged[members[0]].rows) == 1]
    for place, index in enumerate(alone):
        one = judged[index]
        for other_index in alone[place + 1 :]:
            other = judged[other_index]
            is_alike = one.row.plane is other.row.plane is not Plane.UNKNOWN
            if is_alike and is_same_sequence(one.facts, other.facts):
                if {one.row.phase, other.row.phase} != {Phase.PRE_CONTRAST, Phase.POST_CONTRAST}:
                    yield index, other_index
                break


def _find_places(
    order: Sequence[Sequence[int]],
    judged: Mapping[int, StudySeries],
    neutral: Neutral,
    enhancements: Sequence[tuple[int, int]],
    contradictions: Mapping[int, str],
) -> dict[int, _Place]:
    """Ask when the agent was given, and return what that says of each series that has a place in time."""
    number_of = {index: number for number, members in enumerate(order) for index in members}
    if len(number_of) <= 1:
        return {}
    witnesses = [_witness([judged[index] for index in members], neutral) for members in order]
    pairs = [Enhancement(number_of[earlier], number_of[later]) for earlier, later in enhancements]
    pre, post = locate_injection(witnesses, pairs)
    return {
        index: _Place(
            number + 1, len(order), float(pre[number]), float(post[number]), contradictions.get(index, "")
        )
        for index, number in number_of.items()
    }


def _witness(members: Sequence[StudySeries], neutral: Neutral) -> Witness:
    """Return what the series of one acquisition say; as one, for they show the same."""
    for mixed in (one for one in members if one.row.phase is Phase.MIXED):
        turns = find_turn([volume.phase for volume in mixed.rows[:-1]]) is not None
        # Volumes that change back and forth say that the network is at a loss, and no more.
        return Witness.of_mixed() if turns else Witness(pre=0.0, post=0.0, turning=0.0)
    said = [(one.row.probability, neutral(one.row)) for one in members if one.row.probability is not None]
    probability, nothing = (np.array(values) for values in zip(*said, strict=True))
    return Witness.of_probability(float(sigmoid((logit_of(probability) - logit_of(nothing)).mean())))


def _find_contradictions(
    order: Sequence[Sequence[int]],
    judged: Mapping[int, StudySeries],
    enhancements: Sequence[tuple[int, int]],
) -> dict[int, str]:
    """Return the series whose answers cannot all be right, and the warning that says why."""
    phases = {index: series.row.phase for index, series in judged.items()}
    found = {}
    for pair in enhancements:
        if phases[pair[0]] is phases[pair[1]] and phases[pair[0]] is not Phase.INDETERMINATE:
            found.update(dict.fromkeys(pair, ONE_PHASE))
    numbered = [(number, index) for number, members in enumerate(order) for index in members]
    after = [one for one in numbered if phases[one[1]] is Phase.POST_CONTRAST]
    before = [one for one in numbered if phases[one[1]] is Phase.PRE_CONTRAST]
    for (post_number, post), (pre_number, pre) in product(after, before):
        if post_number <= pre_number:
            found.update(dict.fromkeys((post, pre), OUT_OF_ORDER))
    return found


def _reconsider(row: SeriesResult, place: _Place, *, is_study_clear: bool) -> SeriesResult:
    """Apply the rules to one series."""
    together = (
        f"number {place.number} of {place.n_acquisitions} T1 acquisitions of its study in time, with all of "
        f"which P(post-contrast) is {place.post:.3f}"
    )
    if row.phase is Phase.INDETERMINATE:
        if not is_study_clear or max(place.pre, place.post) < CERTAIN:
            return row
        phase = Phase.POST_CONTRAST if place.post > place.pre else Phase.PRE_CONTRAST
        reason = f"resolved_by_study: {row.probability:.3g} alone is no answer, but it is {together}."
        return _answer(row, Status.ANSWERED, phase, reason)
    if not place.contradiction:
        return row
    row = _warn(row, place.contradiction)
    if (place.post if row.phase is Phase.POST_CONTRAST else place.pre) >= DOUBT:
        return row
    reason = f"contradicted_by_study: {row.probability:.3g} alone is {row.phase}, but it is {together}."
    return _answer(row, Status.INDETERMINATE, Phase.INDETERMINATE, reason)


def _answer(row: SeriesResult, status: Status, phase: Phase, reason: str) -> SeriesResult:
    agreement = compare(HeaderState(row.header_state), phase).value
    return replace(row, status=status, phase=phase, reason=reason, agreement=agreement)


def _find_without_pre(rows: Sequence[SeriesResult], study: Sequence[StudySeries]) -> list[int]:
    """Return the post-contrast series of a study that has two and more, and nothing that may be before.

    What failed, or was acquired in a plane that the bundle does not read, may be.
    """
    unread = [row for row in rows if row.status is Status.FAILED or row.reason.startswith(UNREAD_PLANE)]
    phases = {row.phase for row in rows if row.phase is not None}
    after = [index for index, row in enumerate(rows) if row.phase is Phase.POST_CONTRAST]
    n_acquired = sum(not is_derived(study[index].facts) for index in after)
    is_without = phases == {Phase.POST_CONTRAST} and n_acquired > 1 and not unread
    return after if is_without else []


UNREAD_PLANE = "plane_not_supported:"


def _warn(row: SeriesResult, warning: str) -> SeriesResult:
    return replace(row, warnings=tuple(dict.fromkeys((*row.warnings, warning))))


def iter_judged(answers: Iterable[Answer], metadata: BundleMetadata, reopen: Reopen) -> Iterator[Answer]:
    """Yield all answers, in their order, with the rows that they have after their study was judged.

    Parameters
    ----------
    answers
        Those of one study follow each other.
    metadata
        Of the bundle that gave them.
    reopen
        Opens one of their series once more, to compare it with another.
    """
    for study, group in groupby(answers, key=lambda answer: answer.place and answer.place.study):
        if study is None:
            yield from group
        else:
            for answer in judge_answers(list(group), metadata, reopen):
                yield replace(answer, rows=answer.judged or answer.rows)


def judge_answers(answers: list[Answer], metadata: BundleMetadata, reopen: Reopen) -> list[Answer]:
    """Return the answers of one study as `judged`; nothing is done where they are already."""
    if all(one.judged is not None for one in answers):
        return answers
    placed = [(one, one.place) for one in answers if one.place is not None]

    def enhances(earlier: int, later: int) -> bool:
        places = (placed[earlier][1], placed[later][1])
        # Both could be read a moment ago; what cannot be compared now has no say.
        said = keep_going(
            lambda: _is_enhanced(reopen(places[0]), reopen(places[1]), metadata), placed[later][0].rows[-1]
        )
        return said is True

    study = [StudySeries(rows=one.rows, facts=place.facts) for one, place in placed]
    together = name_study([one.digest for one, _ in placed])
    judged = judge_study(study, lambda row: find_neutral(metadata.decision, row), enhances)
    return [replace(one, judged=rows, study=together) for (one, _), rows in zip(placed, judged, strict=True)]


def _is_enhanced(earlier: ImageSeries, later: ImageSeries, metadata: BundleMetadata) -> bool:
    from gadoscope.imaging.enhancement import find_change  # noqa: PLC0415

    first, second = (series.volumes[0].open() for series in (earlier, later))
    change = find_change(first, second, metadata.slice_policy)
    return change is not None and change.is_enhancement

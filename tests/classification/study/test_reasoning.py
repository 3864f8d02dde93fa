"""Series judged together: what is settled, what is withdrawn, what is only said, and what is left alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gadoscope.classification.study.reasoning import StudySeries, judge_study
from gadoscope.labels import NO_PRE_CONTRAST, ONE_PHASE, OUT_OF_ORDER, Phase, Plane, SeriesResult, Status

PRE, POST, DOUBTFUL = Phase.PRE_CONTRAST, Phase.POST_CONTRAST, Phase.INDETERMINATE
SEQUENCE = {"ScanningSequence": "SE", "RepetitionTime": "500", "EchoTime": "10"}
LOWER, UPPER = 0.2, 0.8


def _series(probability: float, minute: int, plane: Plane = Plane.AXIAL, **facts: Any) -> StudySeries:
    """Return a series as it is judged alone with the band [0.2, 0.8)."""
    phase = POST if probability >= UPPER else PRE if probability < LOWER else DOUBTFUL
    is_doubtful = phase is DOUBTFUL
    row = SeriesResult(
        path=f"{minute}",
        plane=plane,
        status=Status.INDETERMINATE if is_doubtful else Status.ANSWERED,
        phase=phase,
        probability=probability,
        reason="inside_abstention_band: so." if is_doubtful else "",
    )
    return StudySeries(rows=(row,), facts={**SEQUENCE, "AcquisitionTime": f"09{minute:02d}00", **facts})


def _judge(study: Sequence[StudySeries], *enhancing: tuple[int, int]) -> list[SeriesResult]:
    judged = judge_study(study, lambda _: 0.5, lambda *pair: pair in enhancing)
    assert [rows[-1].probability for rows in judged] == [one.row.probability for one in study]
    return [rows[-1] for rows in judged]


def _phases(rows: Sequence[SeriesResult]) -> list[Phase | None]:
    return [row.phase for row in rows]


def test_what_is_later_than_a_sure_post_is_post_and_what_is_earlier_than_a_sure_pre_is_pre() -> None:
    rows = _judge([_series(0.5, 20), _series(0.999, 10)])
    assert _phases(rows) == [POST, POST]
    assert (rows[0].status, rows[0].reason.partition(":")[0]) == (Status.ANSWERED, "resolved_by_study")
    assert "number 2 of 2 T1 acquisitions" in rows[0].reason
    assert _phases(_judge([_series(0.5, 10), _series(0.001, 20)])) == [PRE, PRE]


def test_what_may_be_either_stays_indeterminate() -> None:
    assert _phases(_judge([_series(0.001, 10), _series(0.5, 20)])) == [PRE, DOUBTFUL]
    assert _phases(_judge([_series(0.5, 10), _series(0.999, 20)])) == [DOUBTFUL, POST]
    assert _phases(_judge([_series(0.85, 10), _series(0.5, 20)])) == [POST, DOUBTFUL]


def test_of_a_contradiction_the_side_that_the_study_doubts_is_withdrawn_and_both_are_told() -> None:
    rows = _judge([_series(0.01, 5), _series(0.999, 10), _series(0.19, 20), _series(0.999, 30)])
    assert _phases(rows) == [PRE, POST, DOUBTFUL, POST]
    assert rows[2].status is Status.INDETERMINATE
    assert rows[2].reason.startswith("contradicted_by_study: 0.19 alone is PRE_CONTRAST")
    assert [OUT_OF_ORDER in row.warnings for row in rows] == [False, True, True, False]


def test_where_nobody_knows_which_side_is_wrong_both_are_withdrawn() -> None:
    assert _phases(_judge([_series(0.99, 10), _series(0.01, 20)])) == [DOUBTFUL, DOUBTFUL]


def test_no_answer_is_turned_into_its_opposite_however_sure_the_study_is() -> None:
    study = [_series(0.19, 30), *(_series(0.999, minute) for minute in (5, 10, 15, 20))]
    assert _judge(study)[0].phase is DOUBTFUL


def test_a_study_that_contradicts_itself_settles_nothing() -> None:
    study = [_series(0.999, 10), _series(0.5, 20), _series(0.001, 30)]
    assert _judge(study)[1].phase is DOUBTFUL


def test_enhancement_between_two_series_settles_them_without_the_network() -> None:
    assert _phases(_judge([_series(0.4, 10), _series(0.6, 20)], (0, 1))) == [PRE, POST]


def test_enhancement_between_two_series_of_one_phase_withdraws_the_answer_that_it_denies() -> None:
    rows = _judge([_series(0.01, 10), _series(0.15, 20)], (0, 1))
    assert _phases(rows) == [PRE, DOUBTFUL]
    assert all(ONE_PHASE in row.warnings for row in rows)


@pytest.mark.parametrize(
    "other",
    [
        _series(0.6, 20, Plane.CORONAL),
        _series(0.6, 20, EchoTime="14"),
        _series(0.6, 20, EchoTime=None),
    ],
    ids=["another plane", "another echo time", "no echo time"],
)
def test_only_series_of_one_plane_and_sequence_are_compared(other: StudySeries) -> None:
    assert _phases(_judge([_series(0.4, 10), other], (0, 1))) == [DOUBTFUL, DOUBTFUL]


def test_what_the_answers_say_already_is_not_compared() -> None:
    asked: list[tuple[int, int]] = []

    def enhances(*pair: int) -> bool:
        asked.append((pair[0], pair[1]))
        return False

    judge_study([_series(0.01, 10), _series(0.99, 20), _series(0.99, 30)], lambda _: 0.5, enhances)
    assert asked == [(1, 2)]


def test_post_without_pre_is_reported_unless_what_is_before_may_be_unread() -> None:
    two = [_series(0.99, 10), _series(0.99, 20, Plane.SAGITTAL)]
    assert all(NO_PRE_CONTRAST in row.warnings for row in _judge(two))
    refused = SeriesResult(path="r", status=Status.REFUSED, reason="plane_not_supported: sagittal only.")
    failed = SeriesResult(path="f", status=Status.FAILED, reason="truncated: so.")
    doubtful = _series(0.5, 5, Plane.CORONAL)
    for other in (*(StudySeries(rows=(row,), facts={}) for row in (refused, failed)), doubtful):
        assert not any(NO_PRE_CONTRAST in row.warnings for row in _judge([*two, other]))
    derived = _series(0.99, 10, ImageType=["DERIVED", "PRIMARY", "MPR"])
    assert not any(row.warnings for row in _judge([two[0], derived]))


def test_without_an_order_every_answer_is_left_as_it_is() -> None:
    study = [_series(0.999, 10), _series(0.01, 10), _series(0.5, 10)]
    assert _judge(study, (0, 1)) == [one.row for one in study]


def test_the_point_that_says_nothing_is_that_of_the_bundle() -> None:
    study = [_series(0.85, 10), _series(0.5, 20)]
    judged = judge_study(study, lambda _: 0.01, lambda *_: False)
    assert [rows[-1].phase for rows in judged] == [POST, POST]


def test_volumes_of_a_dynamic_series_keep_their_rows_and_its_turn_parts_the_others() -> None:
    mixed = SeriesResult(
        path="10", status=Status.ANSWERED, phase=Phase.MIXED, reason="mixed: post-contrast from volume 3 on."
    )
    volumes = tuple(
        SeriesResult(path="10", volume_index=index, status=Status.ANSWERED, phase=phase)
        for index, phase in enumerate([PRE, PRE, PRE, POST, POST, POST])
    )
    dynamic = StudySeries(rows=(*volumes, mixed), facts={"AcquisitionTime": "091000"})
    judged = judge_study([_series(0.5, 5), dynamic, _series(0.5, 20)], lambda _: 0.5, lambda *_: False)
    assert judged[1] == dynamic.rows
    assert (judged[0][-1].phase, judged[2][-1].phase) == (PRE, POST)
    at_a_loss = replace(dynamic, rows=(*volumes[::3], *volumes[:4:3], mixed))
    judged = judge_study([_series(0.5, 5), at_a_loss, _series(0.5, 20)], lambda _: 0.5, lambda *_: False)
    assert (judged[0][-1].phase, judged[2][-1].phase) == (DOUBTFUL, DOUBTFUL)

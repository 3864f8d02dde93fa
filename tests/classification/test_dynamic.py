"""A series of several volumes: one row for each, one for all, and where it turns."""

from pathlib import Path

import pytest

from gadoscope.classification.dynamic import find_turn, summarise_volumes
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.results.ledger import Ledger
from tests.support.bundles import with_band, write_tiny_bundle

PRE, POST, UNSURE = Phase.PRE_CONTRAST, Phase.POST_CONTRAST, Phase.INDETERMINATE
LOGIT = {PRE: -2.0, POST: 3.0, UNSURE: 0.1}
BASE = SeriesResult(path="x", status=Status.FAILED)
P, Q = [PRE], [POST]


@pytest.mark.parametrize(
    ("phases", "turn"),
    [
        (P * 5 + Q * 35, 5),
        (P + Q, 1),
        (P * 2 + [UNSURE, None] + Q * 4, 4),
        (P * 10 + Q + P * 9 + Q * 20, 20),  # one early outlier
        (P * 10 + Q * 20 + P + Q * 9, 10),  # one late outlier
        (Q + P, None),
        (Q * 5 + P * 35, None),
        ((P + Q) * 10, None),
        (P * 39 + Q, 39),
        (P * 20 + Q + P * 19, None),
        (P * 4, None),
        (Q * 4, None),
        ([None, UNSURE], None),
    ],
)
def test_a_turn_is_where_almost_all_before_are_pre_and_almost_all_from_there_on_post(
    phases: list[Phase | None], turn: int | None
) -> None:
    assert find_turn(phases) == turn


def volumes(*phases: Phase | None) -> list[SeriesResult]:
    return [
        SeriesResult(
            path="x",
            volume_index=index,
            plane=Plane.AXIAL if phase else Plane.UNKNOWN,
            n_slices=20 if phase else 0,
            n_slices_used=5 if phase else 0,
            status=Status.FAILED if phase is None else Status.ANSWERED,
            phase=phase,
            probability=None if phase is None else 0.5,
            reason="truncated: it ends." if phase is None else "",
            warnings=("odd",) if phase is POST else (),
        )
        for index, phase in enumerate(phases)
    ]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(write_tiny_bundle(tmp_path / "band.onnx", with_band(0.4, 0.6)))


def summarise(session: Session, *phases: Phase | None) -> SeriesResult:
    logits = [LOGIT[phase] for phase in phases if phase is not None]
    return summarise_volumes(volumes(*phases), logits, BASE, session)


def test_some_before_and_some_after_is_mixed_and_says_where_it_turns(session: Session) -> None:
    row = summarise(session, *P * 5, *Q * 35)
    assert (row.status, row.phase, row.probability) == (Status.ANSWERED, Phase.MIXED, None)
    assert row.reason == "mixed: post-contrast from volume 5 on, of 40."
    assert (row.plane, row.n_slices, row.n_slices_used, row.volume_index) == (Plane.AXIAL, 800, 200, None)
    assert row.warnings == ("odd",)


def test_some_after_and_some_before_has_no_clear_turn(session: Session) -> None:
    row = summarise(session, *Q * 3, *P * 2)
    assert row.phase is Phase.MIXED
    assert row.reason == "mixed: no clear turn; 2 volumes are pre-contrast and 3 post-contrast, of 5."


@pytest.mark.parametrize("phase", [PRE, POST])
def test_volumes_of_one_phase_are_that_phase_by_their_mean_logit(session: Session, phase: Phase) -> None:
    row = summarise(session, phase, UNSURE, phase)
    assert (row.status, row.phase, row.reason) == (Status.ANSWERED, phase, "")
    assert row.probability is not None


def test_volumes_that_are_all_unsure_are_indeterminate(session: Session) -> None:
    row = summarise(session, UNSURE, UNSURE)
    assert (row.status, row.phase) == (Status.INDETERMINATE, UNSURE)
    assert row.reason.startswith("inside_abstention_band: ")


def test_volumes_without_an_answer_are_counted_in_a_warning(session: Session) -> None:
    row = summarise(session, None, PRE, None, PRE)
    assert row.phase is PRE
    assert row.warnings == ("2 of 4 volumes have no answer",)


def test_a_series_without_any_answer_says_what_its_first_volume_says(session: Session) -> None:
    row = summarise(session, None, None)
    assert (row.status, row.phase, row.reason) == (Status.FAILED, None, "truncated: it ends.")


def test_the_ledger_counts_a_mixed_series_as_answered_with_its_reason(session: Session) -> None:
    ledger = Ledger()
    for row in (*volumes(*P, *Q), summarise(session, *P, *Q)):
        ledger.add(row)
    assert str(ledger) == "inputs 3 = answered 3 + indeterminate 0 + refused 0 + failed 0"
    assert ledger.reasons() == ["answered: mixed 1"]

"""The benchmark of bright things before contrast, and of stacks that hold a part of the head."""

import numpy as np
import pytest

from benchmarks.hard_phantoms import (
    KINDS,
    STACKS,
    Kind,
    Stack,
    classify_stacks,
    format_bright,
    format_stack,
    iter_bright,
    iter_heads,
    put_bright,
)
from benchmarks.hospitals import REFUSED, Answer
from gadoscope.classification.classifier import Classifier
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.phantom.forms.cohort import PHASES

PRE, POST = PHASES


def test_a_thing_as_bright_lies_at_the_same_place_before_and_after_contrast() -> None:
    shown = list(iter_bright(Plane.AXIAL, 1, matrix=64))
    assert [phase for phase, _ in shown] == [PRE] * 3 + [POST] * 3
    head = np.full((64, 64), 100, np.uint8)
    head[:8] = head[-8:] = head[:, :8] = head[:, -8:] = 0
    once, again = (put_bright(head, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert once.max() > 120
    assert (once != head).mean() < 0.2


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_slice_of_a_kind_of_head_is_shown_before_and_after_contrast(kind: Kind) -> None:
    shown = list(iter_heads(kind, Plane.CORONAL, 1, matrix=32))
    assert [phase for phase, _ in shown] == [PRE] * 3 + [POST] * 3
    assert all(pixels.shape == (32, 32) and pixels.std() > 10 for _, pixels in shown)


def answer(label: str, outcome: str, probability: float) -> Answer:
    return Answer(
        path="", source="", subject="", plane="", label=label, logit=0, probability=probability, t1_brain=0,
        outcome=outcome,
    )  # fmt: skip


def test_a_refused_slice_is_wrong_and_an_undecided_one_is_called_at_even_odds() -> None:
    answers = [
        answer("pre", "PRE_CONTRAST", 0.1),
        answer("pre", "INDETERMINATE", 0.6),
        answer("pre", REFUSED, 0.1),
        answer("pre", "POST_CONTRAST", 0.9),
        answer("post", "POST_CONTRAST", 0.9),
        answer("post", "INDETERMINATE", 0.6),
        answer("post", "POST_CONTRAST", 0.9),
        answer("post", REFUSED, 0.9),
    ]
    assert format_bright(Plane.AXIAL, answers) == "| axial | 4 | 25.0% | 75.0% | 1 | 2 | 2 |"


def test_a_row_of_stacks_tells_right_silent_refused_and_wrong_apart() -> None:
    def row(status: Status, phase: Phase) -> SeriesResult:
        return SeriesResult(path="stack.nii.gz", status=status, phase=phase)

    rows = [
        (PRE, row(Status.ANSWERED, PRE)),
        (POST, row(Status.ANSWERED, PRE)),
        (PRE, row(Status.INDETERMINATE, Phase.INDETERMINATE)),
        (PRE, row(Status.REFUSED, Phase.INDETERMINATE)),
        (POST, row(Status.ANSWERED, POST)),
    ]
    assert format_stack(STACKS[0], rows) == f"| {STACKS[0].name} | 5 | 2 | 1 | 1 | 1 |"


@pytest.mark.parametrize("stack", STACKS[::3], ids=lambda stack: stack.name)
def test_each_head_gives_a_stack_before_and_one_after_contrast(stack: Stack) -> None:
    with Classifier() as classifier:
        rows = classify_stacks(classifier, stack, 1, matrix=96)
    assert [phase for phase, _ in rows] == [PRE, POST]
    assert {row.plane for _, row in rows} == {stack.plane}
    assert {row.n_slices for _, row in rows} == {stack.n_slices}

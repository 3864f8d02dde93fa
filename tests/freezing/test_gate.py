"""Where the gate's threshold is frozen."""

import numpy as np
import pytest

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.gate import Gate, check_t1_brain
from gadoscope.errors import ManifestError
from gadoscope.freezing.gate import freeze_gate

HIGHEST = 48 / 66
"""The threshold at most."""


def freeze(
    is_t1: Bools, logit: Floats, group: np.ndarray | None = None, *, max_refused: float = 0.005
) -> Gate:
    group = np.arange(logit.size) if group is None else group
    return freeze_gate(is_t1, logit, group, max_refused=max_refused, highest=HIGHEST)


def _freeze(t1: list[float], other: list[float], max_refused: float) -> float:
    logit = np.array([*t1, *other])
    is_t1 = np.arange(logit.size) < len(t1)
    return freeze(is_t1, logit, max_refused=max_refused).threshold


def test_the_threshold_is_the_highest_that_refuses_few_enough() -> None:
    t1 = [-3.0, -2.0, -1.0, *[4.0] * 7]
    assert np.isclose(_freeze(t1, [], 0.0), sigmoid(np.array(-3.0)), atol=1e-3)
    assert np.isclose(_freeze(t1, [], 0.1), sigmoid(np.array(-2.5)))
    assert np.isclose(_freeze(t1, [], 0.29), sigmoid(np.array(-1.5)))


def test_the_threshold_does_not_depend_on_the_other_images() -> None:
    assert _freeze([-3.0, 2.0], [], 0.0) == _freeze([-3.0, 2.0], [-2.0, 5.0], 0.0)


def test_where_all_are_sure_the_threshold_stays_where_the_next_hospital_may_pass() -> None:
    assert np.isclose(_freeze([9.0, 8.0, 12.0], [-9.0], 0.3), HIGHEST)


def test_every_t1_brain_of_validation_passes_where_none_may_be_refused() -> None:
    logit = np.array([-0.731, 3.0, 5.0])
    gate = freeze(np.ones(3, bool), logit, max_refused=0.0)
    for one in logit.astype(np.float32).astype(np.float64):
        check_t1_brain(np.array([one]), gate)
    assert gate.reached == "It refuses 0 of 3 T1 brains."


def test_a_subject_with_many_images_counts_once() -> None:
    # Nine bad images of one subject of ten: by images 50 % would be refused, by subjects 10 %.
    logit = np.array([*[-2.0] * 9, *[0.0] * 9])
    group = np.array([*["a"] * 9, *"bcdefghij"])
    gate = freeze(np.ones(18, bool), logit, group, max_refused=0.1)
    assert np.isclose(gate.threshold, sigmoid(np.array(-1.0)))
    assert gate.reached == "It refuses 9 of 18 T1 brains."


def test_what_was_reached_is_said_of_both_kinds() -> None:
    is_t1, logit = np.array([True, True, False, False]), np.array([3.0, 2.0, -1.0, 1.5])
    gate = freeze(is_t1, logit)
    assert gate.chosen_on == "validation: 2 images of T1 brains, 2 other images"
    assert gate.reached == "It refuses 0 of 2 T1 brains and 1 of 2 other images."


def test_no_t1_brain_or_no_number_gives_no_threshold() -> None:
    with pytest.raises(ManifestError, match="validation holds no T1 brain"):
        freeze(np.zeros(2, bool), np.zeros(2))
    with pytest.raises(ManifestError, match="not a finite number"):
        freeze(np.ones(2, bool), np.array([1.0, np.nan]))

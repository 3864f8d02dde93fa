"""What a bundle froze, applied: logits to one logit, a probability, a phase; and what the gate refuses."""

import dataclasses
import math

import numpy as np
import pytest

from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.errors import RefusedError
from gadoscope.labels import Level, Phase


def level(threshold: float, temperature: float) -> LevelDecision:
    point = OperatingPoint(
        threshold=threshold, lower=threshold, upper=threshold, rule="by hand", chosen_on="nothing"
    )
    return LevelDecision(point=point, calibration=Calibration("temperature", {"temperature": temperature}))


PLAIN = Decision(of_slice=LevelDecision(point=level(0.5, 1.0).point))
BOTH = Decision(of_slice=level(0.5, 2.0), of_series=level(0.3, 4.0), aggregation=Aggregation("max"))
GATED = dataclasses.replace(PLAIN, gate=Gate(threshold=0.5, max_refused=0.01, chosen_on="nothing"))


def test_without_calibration_a_probability_is_the_sigmoid_of_the_logit() -> None:
    logits = np.linspace(-30, 30, 601)
    expected = [1 / (1 + math.exp(-logit)) for logit in logits]
    np.testing.assert_allclose(PLAIN.probability(logits), expected, rtol=1e-15)


def test_slices_and_series_each_have_their_own_calibration() -> None:
    logit = np.array(4.0)
    assert BOTH.probability(logit) == pytest.approx(1 / (1 + math.exp(-2)))
    assert BOTH.probability(logit, Level.SERIES) == pytest.approx(1 / (1 + math.exp(-1)))


def test_slices_and_series_each_have_their_own_threshold() -> None:
    assert BOTH.decide(0.4) is Phase.PRE_CONTRAST
    assert BOTH.decide(0.4, Level.SERIES) is Phase.POST_CONTRAST


def test_a_series_has_a_scale_and_a_point_of_its_own_or_those_of_a_slice() -> None:
    assert BOTH.at(Level.SERIES).point.threshold == 0.3
    assert BOTH.at(Level.SLICE).point.threshold == 0.5
    assert BOTH.at(Level.SUBJECT) is BOTH.at(Level.SERIES)
    alone = dataclasses.replace(BOTH, of_series=None)
    assert alone.at(Level.SERIES) is BOTH.of_slice


def test_slices_become_one_logit_as_the_aggregation_says_and_one_slice_stays_as_it_is() -> None:
    assert BOTH.pool(np.array([1.0, 7.0, 3.0])) == 7.0
    odd = dataclasses.replace(BOTH, aggregation=Aggregation("log_mean_exp", {"sharpness": 0.3}))
    assert odd.pool(np.array([0.1])) == 0.1


def test_the_gate_refuses_each_slice_alone_or_the_slices_of_a_volume_together() -> None:
    logits = np.array([-3.0, 0.0, 5.0])
    assert GATED.refuses(logits).tolist() == [True, False, False]
    GATED.check_t1_brain(logits)  # their mean is above 0
    with pytest.raises(RefusedError):
        GATED.check_t1_brain(logits - 3)


def test_without_a_gate_nothing_is_refused() -> None:
    logits = np.full(3, -9.0)
    assert not PLAIN.refuses(logits).any()
    PLAIN.check_t1_brain(logits)
    GATED.check_t1_brain(None)  # of a network without a second output


def test_a_decision_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PLAIN.of_series = PLAIN.of_slice  # type: ignore[misc]  # that is the test

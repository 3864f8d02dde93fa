"""A fine-tuned network that takes over a decision: the same places on the scale, and no promise."""

from dataclasses import replace

import numpy as np
import pytest

from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint, Promise
from gadoscope.errors import ConfigError
from gadoscope.freezing.gate import measure_gate
from gadoscope.freezing.inherited import inherit, measure_inherited
from gadoscope.labels import OtherKind
from gadoscope.training.config import read_config
from gadoscope.training.freeze import find_inherited
from tests.support.tables import make_predictions

PROMISE = Promise(max_risk=0.08, confidence=0.95, is_promised=True, coverage=0.9, sentence="At most 8 %.")
POINT = OperatingPoint(
    threshold=0.4,
    lower=0.3,
    upper=0.6,
    rule="balanced_accuracy",
    chosen_on="out of fold: 9 images",
    promise=PROMISE,
)
LEVEL = LevelDecision(point=POINT, calibration=Calibration("temperature", {"temperature": 2.0}))
GATE = Gate(
    threshold=0.7,
    max_refused=0.005,
    chosen_on="validation: 9 images",
    reached="It refuses 0 of 9 T1 brains.",
    kinds=(OtherKind.T2,),
)
DECISION = Decision(of_slice=LEVEL, of_series=LEVEL, aggregation=Aggregation("median"), gate=GATE)


def test_threshold_calibration_aggregation_and_band_stay_and_the_promise_goes() -> None:
    kept = inherit(DECISION, "default@1")
    for level in (kept.of_slice, kept.of_series):
        assert level is not None
        assert level.calibration == LEVEL.calibration
        assert level.point == replace(
            POINT,
            promise=None,
            chosen_on="kept from default@1, for which it was chosen on out of fold: 9 images",
        )
    assert kept.aggregation == DECISION.aggregation


def test_the_gate_stays_where_it_is_and_is_measured_anew() -> None:
    """Chosen anew on fourteen images, one of them odd, it let pass two thirds of what it had refused."""
    gate = inherit(DECISION, "default@1").gate
    assert gate == Gate(
        threshold=0.7,
        max_refused=0.005,
        chosen_on="kept from default@1, for which it was chosen on validation: 9 images",
    )
    odd = np.array([5.0, 4.0, -6.0, 0.5, -3.0])
    measured = measure_gate(gate, np.array([True, True, True, False, False]), odd)
    assert measured.threshold == 0.7
    assert measured.reached == "It refuses 1 of 3 T1 brains and 2 of 2 other images."
    assert inherit(replace(DECISION, gate=None), "default@1").gate is None


def test_what_it_reaches_is_measured_at_that_threshold() -> None:
    table = make_predictions([0, 0, 1, 1], [0.2, 0.5, 0.45, 0.9])
    plain = Decision(of_slice=LevelDecision(point=POINT))
    measured = measure_inherited(plain, table)
    assert measured["accuracy"] == 0.75  # one before contrast lies above 0.4
    assert measured["auc"] == 0.75
    assert measured["n_images"] == 4


def test_a_run_without_a_beginning_has_nothing_to_inherit() -> None:
    with pytest.raises(
        ConfigError, match=r"operating_point\.inherit is true and the run starts from no bundle"
    ):
        find_inherited(read_config("finetune"), None)
    assert find_inherited(read_config("lesson"), None) is None

"""The gate lets T1 brains pass and says why it refuses the rest."""

import numpy as np
import pytest

from gadoscope.decision.gate import Gate, check_t1_brain
from gadoscope.errors import ReadError, RefusedError
from gadoscope.labels import Status

GATE = Gate(threshold=0.4, max_refused=0.005, chosen_on="nothing: for tests")
AT_THRESHOLD = float(np.log(0.4 / 0.6))


def test_what_reaches_the_threshold_passes() -> None:
    check_t1_brain(np.array([AT_THRESHOLD + 1e-9]), GATE)
    check_t1_brain(np.array([50.0]), GATE)


def test_what_does_not_is_refused_with_both_numbers() -> None:
    with pytest.raises(
        RefusedError, match=r"not_t1_brain: .* \(0\.119; this model answers from 0\.4 on\)"
    ) as caught:
        check_t1_brain(np.array([-2.0]), GATE)
    assert caught.value.status is Status.REFUSED


def test_of_a_volume_the_mean_counts_so_one_odd_slice_refuses_nothing() -> None:
    check_t1_brain(np.array([4.0, 4.0, -5.0]), GATE)
    with pytest.raises(RefusedError):
        check_t1_brain(np.array([-4.0, -4.0, 5.0]), GATE)


def test_a_logit_that_is_no_number_is_a_failure_not_a_refusal() -> None:
    with pytest.raises(ReadError, match="no_number"):
        check_t1_brain(np.array([1.0, np.nan]), GATE)


@pytest.mark.parametrize("wrong", [{"threshold": -0.1}, {"threshold": float("nan")}, {"max_refused": 1.1}])
def test_a_threshold_that_is_no_probability_is_refused(wrong: dict[str, float]) -> None:
    values = {"threshold": 0.5, "max_refused": 0.0, **wrong}
    with pytest.raises(ValueError, match=f"gate must hold {next(iter(wrong))} from 0 to 1"):
        Gate(threshold=values["threshold"], max_refused=values["max_refused"], chosen_on="nothing")

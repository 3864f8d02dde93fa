import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.special import logit as scipy_logit

from gadoscope.decision.calibration import MIN_SLOPE, PROBABILITY_LIMIT, Calibration, logit_of, sigmoid
from gadoscope.records import from_plain, to_plain

BETA = Calibration("beta", {"slope_post": 0.7, "slope_pre": 1.4, "intercept": -0.3})
COOL = Calibration("temperature", {"temperature": 1.7})


def test_the_sigmoid_equals_scipys() -> None:
    logits = np.array([-800.0, -30.0, -1.0, 0.0, 1e-9, 2.5, 40.0, 900.0])

    assert sigmoid(logits) == pytest.approx(expit(logits), rel=1e-15)


def test_the_logit_undoes_the_sigmoid_and_is_finite_at_both_ends() -> None:
    probability = np.array([PROBABILITY_LIMIT, 0.2, 0.5, 0.99])

    assert logit_of(probability) == pytest.approx(scipy_logit(probability), rel=1e-12)
    assert np.isfinite(logit_of(np.array([0.0, 1.0]))).all()


def test_no_calibration_is_the_plain_sigmoid() -> None:
    logits = np.array([-3.0, 0.0, 2.0])

    assert Calibration().apply(logits) == pytest.approx(expit(logits))


def test_a_temperature_divides_the_logit() -> None:
    assert COOL.apply(np.array([3.4])) == pytest.approx(expit(2.0))


def test_beta_calibration_equals_its_formula_in_probabilities() -> None:
    p = np.array([0.01, 0.3, 0.5, 0.97])
    # Kull et al. 2017: 1 / (1 + 1 / (e^c p^a / (1 - p)^b)).
    expected = 1 / (1 + 1 / (np.exp(-0.3) * p**0.7 / (1 - p) ** 1.4))

    assert BETA.apply(scipy_logit(p)) == pytest.approx(expected)


def test_beta_with_equal_slopes_is_a_temperature() -> None:
    beta = Calibration("beta", {"slope_post": 0.5, "slope_pre": 0.5, "intercept": 0.0})
    logits = np.linspace(-40, 40, 81)

    assert beta.apply_logit(logits) == pytest.approx(logits / 2)


@given(
    st.sampled_from([Calibration(), COOL, BETA]),
    st.lists(st.floats(-700, 700), min_size=2, max_size=3),
)
def test_the_order_of_scores_never_changes(calibration: Calibration, logits: list[float]) -> None:
    ordered = np.sort(np.array(logits))

    assert (np.diff(calibration.apply_logit(ordered)) >= 0).all()
    assert (np.diff(calibration.apply(ordered)) >= 0).all()


def test_logits_far_out_stay_finite() -> None:
    for calibration in (Calibration(), COOL, BETA):
        assert np.isfinite(calibration.apply(np.array([-1e300, 1e300]))).all()


@pytest.mark.parametrize("calibration", [Calibration(), COOL, BETA])
def test_a_calibration_survives_json(calibration: Calibration) -> None:
    document = json.loads(json.dumps(to_plain(calibration)))

    assert from_plain(Calibration, document) == calibration


def test_the_form_that_bundles_have_held_so_far_is_read() -> None:
    assert from_plain(Calibration, {"method": "none"}) == Calibration()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"method": "isotonic"}, "the method 'isotonic'; this Gadoscope knows none, temperature, beta"),
        ({}, "lacks method"),
        ({"method": "temperature"}, "by temperature needs temperature, but it has none"),
        ({"method": "none", "temperature": 2.0}, "by none needs no parameter, but it has temperature"),
        ({"method": "temperature", "temperature": 0.0}, f"temperature 0.0; .* at least {MIN_SLOPE}"),
        ({"method": "temperature", "temperature": float("nan")}, "temperature nan"),
        ({"method": "temperature", "temperature": "2"}, "temperature is '2'; expected a number"),
        ({"method": "temperature", "temperature": True}, "temperature is True; expected a number"),
        ({"method": "beta", "slope_post": 1, "slope_pre": -1, "intercept": 0}, "slope_pre -1"),
        ({"method": "beta", "slope_post": 1, "slope_pre": 1, "intercept": float("inf")}, "intercept inf"),
    ],
)
def test_a_calibration_that_does_not_fit_is_refused(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_plain(Calibration, document)

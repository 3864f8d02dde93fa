import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from gadoscope.statistics.intervals import bound_risk, risk_p_value, wilson_of_share


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [(562, 571, 97.03, 99.17), (111, 117, 89.3, 97.6), (451, 454, 98.1, 99.8)],
)
def test_wilson_gives_the_intervals_known_for_the_lesson(
    successes: int, n: int, lower: float, upper: float
) -> None:
    interval = wilson_of_share(successes / n, n)

    assert 100 * interval.lower == pytest.approx(lower, abs=0.05)
    assert 100 * interval.upper == pytest.approx(upper, abs=0.05)


def test_wilson_equals_its_formula() -> None:
    z, n, p = 1.959963984540054, 40, 0.9
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))

    interval = wilson_of_share(0.9, 40)

    assert (interval.lower, interval.upper) == pytest.approx(
        ((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    )


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (3, 17), (571, 571)])
def test_wilson_equals_scipys_also_at_the_ends(successes: int, n: int) -> None:
    reference = binomtest(successes, n).proportion_ci(0.95, method="wilson")

    interval = wilson_of_share(successes / n, n)

    assert (interval.lower, interval.upper) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= interval.lower <= successes / n <= interval.upper <= 1


def test_a_share_of_no_whole_number_of_images_lies_between_its_neighbours() -> None:
    few, between, many = (wilson_of_share(0.8, n) for n in (10, 12.5, 15))

    assert few.lower < between.lower < many.lower
    assert many.upper < between.upper < few.upper


def test_one_image_a_subject_is_tested_by_the_binomial() -> None:
    losses = np.array([1.0] * 3 + [0.0] * 197)

    p_value = risk_p_value(losses, 0.05, is_binary=True)

    assert p_value == pytest.approx(binomtest(3, 200, 0.05, alternative="less").pvalue)
    upper = binomtest(3, 200).proportion_ci(0.9, method="exact").high
    assert bound_risk(losses, 0.95, is_binary=True) == pytest.approx(upper)


@pytest.mark.parametrize(("n", "risk"), [(59, 0.05), (149, 0.02), (598, 0.005)])
def test_without_an_error_both_tests_ask_for_the_same_number_of_subjects(n: int, risk: float) -> None:
    for is_binary in (True, False):
        assert risk_p_value(np.zeros(n), risk, is_binary=is_binary) <= 0.05
        assert risk_p_value(np.zeros(n - 1), risk, is_binary=is_binary) > 0.05


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.01, 0.3))
def test_the_test_for_shares_never_claims_more_than_hoeffding_and_bentkus_allow(
    losses: list[float], risk: float
) -> None:
    values = np.array(losses)

    p_value = risk_p_value(values, risk, is_binary=False)

    assert 0 <= p_value <= 1
    if values.mean() >= risk:
        assert p_value > 0.3
    # More errors never look better.
    assert risk_p_value(np.minimum(1, values + 0.1), risk, is_binary=False) >= p_value - 1e-12


@pytest.mark.parametrize("is_binary", [True, False])
def test_the_bound_is_the_least_risk_that_passes(is_binary: bool) -> None:
    losses = np.array([1.0, 1.0] + [0.0] * 98)

    bound = bound_risk(losses, 0.95, is_binary=is_binary)

    assert risk_p_value(losses, bound + 1e-6, is_binary=is_binary) <= 0.05
    assert risk_p_value(losses, bound - 1e-6, is_binary=is_binary) > 0.05


def test_nothing_but_errors_leaves_every_risk_possible() -> None:
    assert bound_risk(np.ones(10), 0.95, is_binary=True) == 1

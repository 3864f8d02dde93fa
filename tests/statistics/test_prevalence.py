import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadoscope.statistics.prevalence import PREVALENCES, estimate_predictive_values
from gadoscope.statistics.shares import Rates, estimate_rates


def rates_of(true_post: int, n_post: int, true_pre: int, n_pre: int) -> Rates:
    is_post = np.arange(n_post + n_pre) < n_post
    called = np.concatenate([np.arange(n_post) < true_post, np.arange(n_pre) >= true_pre])
    return estimate_rates(is_post, called, np.arange(n_post + n_pre))


@pytest.mark.parametrize("prevalence", PREVALENCES)
def test_predictive_values_follow_from_bayes(prevalence: float) -> None:
    positive, negative = estimate_predictive_values(rates_of(45, 50, 95, 100), prevalence)

    assert positive.value == pytest.approx(0.9 * prevalence / (0.9 * prevalence + 0.05 * (1 - prevalence)))
    assert negative.value == pytest.approx(
        0.95 * (1 - prevalence) / (0.95 * (1 - prevalence) + 0.1 * prevalence)
    )


def test_at_the_prevalence_of_the_data_it_is_the_share_of_right_answers() -> None:
    positive, negative = estimate_predictive_values(rates_of(111, 117, 451, 454), 117 / 571)

    assert positive.value == pytest.approx(111 / 114)
    assert negative.value == pytest.approx(451 / 457)


def test_the_interval_resembles_that_of_the_logit_method() -> None:
    # Mercaldo, Lau and Zhou 2007: the delta method on the logit scale.
    se, sp, n_post, n_pre, prevalence = 0.8, 0.9, 200, 300, 0.3
    odds = np.log(prevalence * se / ((1 - prevalence) * (1 - sp)))
    error = np.sqrt((1 - se) / se / n_post + sp / (1 - sp) / n_pre)
    expected = 1 / (1 + np.exp(-(odds + np.array([-1.96, 1.96]) * error)))

    positive, _ = estimate_predictive_values(rates_of(160, 200, 270, 300), prevalence)

    assert (positive.lower, positive.upper) == pytest.approx(tuple(expected), abs=0.012)


def test_perfect_answers_are_worth_less_than_one_in_the_interval() -> None:
    positive, negative = estimate_predictive_values(rates_of(30, 30, 30, 30), 0.1)

    assert positive.value == negative.value == 1
    assert positive.upper == negative.upper == 1
    assert positive.lower is not None
    assert negative.lower is not None
    assert 0.3 < positive.lower < 0.6  # 27 to 1 odds at most against 9 to 1 the other way
    assert negative.lower > 0.95


def test_an_answer_that_is_never_given_has_no_value() -> None:
    positive, negative = estimate_predictive_values(rates_of(0, 20, 20, 20), 0.3)

    assert positive.value is None
    assert negative.value == pytest.approx(0.7)


def test_a_missing_class_leaves_both_open() -> None:
    assert [v.value for v in estimate_predictive_values(rates_of(5, 5, 0, 0), 0.3)] == [None, None]


def test_a_prevalence_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, but this one is 30"):
        estimate_predictive_values(rates_of(5, 5, 5, 5), 30)


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0.001, 0.999))
def test_limits_enclose_the_value(true_post: int, true_pre: int, prevalence: float) -> None:
    for estimate in estimate_predictive_values(rates_of(true_post, 12, true_pre, 12), prevalence):
        if estimate.value is not None:
            assert estimate.lower is not None
            assert estimate.upper is not None
            assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1

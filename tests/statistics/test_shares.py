import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadoscope.errors import ManifestError
from gadoscope.statistics.intervals import Estimate, wilson_of_share
from gadoscope.statistics.shares import (
    effective_images,
    estimate_balanced_accuracy,
    estimate_rates,
    estimate_share,
)
from tests.support.shapes import unchecked_shapes


def limits(estimate: Estimate) -> tuple[float, float]:
    assert estimate.lower is not None
    assert estimate.upper is not None
    return estimate.lower, estimate.upper


def test_with_one_image_a_subject_the_interval_is_wilsons() -> None:
    is_right = np.arange(40) < 36
    reference = wilson_of_share(0.9, 40)

    assert limits(estimate_share(is_right, np.arange(40))) == pytest.approx(
        (reference.lower, reference.upper), abs=1e-12
    )


def test_images_that_repeat_their_subject_count_once() -> None:
    is_right = np.arange(40) < 30
    alone = estimate_share(is_right, np.arange(40))

    repeated = estimate_share(np.repeat(is_right, 10), np.repeat(np.arange(40), 10))

    assert repeated.n == 400
    assert repeated.n_subjects == 40
    assert limits(repeated) == pytest.approx(limits(alone), abs=0.003)


def test_images_that_know_nothing_of_their_subject_nearly_all_count() -> None:
    is_right = np.random.default_rng(0).random(4000) < 0.9

    assert effective_images(is_right, np.arange(4000) // 10) > 3000


@pytest.mark.parametrize("is_right", [True, False])
def test_without_any_error_the_subjects_count_and_not_their_images(is_right: bool) -> None:
    reference = wilson_of_share(float(is_right), 20)

    estimate = estimate_share(np.full(200, is_right), np.repeat(np.arange(20), 10))

    assert estimate.value == is_right
    assert limits(estimate) == pytest.approx((reference.lower, reference.upper), abs=1e-12)


def test_one_subject_counts_as_one_image() -> None:
    reference = wilson_of_share(1.0, 1)

    assert limits(estimate_share(np.ones(50, dtype=bool), np.zeros(50))) == pytest.approx(
        (reference.lower, reference.upper)
    )
    half = estimate_share(np.arange(50) < 25, np.zeros(50))
    assert limits(half)[1] - limits(half)[0] > 0.75


def test_a_share_of_nothing_is_none() -> None:
    estimate = estimate_share(np.zeros(0, dtype=bool), np.zeros(0))

    assert (estimate.value, estimate.lower, estimate.upper, estimate.n) == (None, None, None, 0)


def test_each_image_needs_a_subject() -> None:
    with unchecked_shapes(), pytest.raises(ManifestError, match="3 images, but 2 subjects"):
        estimate_share(np.ones(3, dtype=bool), np.zeros(2))


def test_balanced_accuracy_joins_the_errors_of_both_classes() -> None:
    is_post = np.arange(80) < 40
    called = np.where(is_post, np.arange(80) % 10 < 9, np.arange(80) % 10 < 2)
    rates = estimate_rates(is_post, called, np.arange(80))

    estimate = estimate_balanced_accuracy(rates)

    # Zou and Donner 2008, by hand.
    post, pre = wilson_of_share(0.9, 40), wilson_of_share(0.8, 40)
    assert estimate.value == pytest.approx(0.85)
    assert estimate.lower == pytest.approx(0.85 - np.hypot(0.9 - post.lower, 0.8 - pre.lower) / 2)
    assert estimate.upper == pytest.approx(0.85 + np.hypot(post.upper - 0.9, pre.upper - 0.8) / 2)


def test_errors_that_cancel_within_subjects_narrow_the_balanced_accuracy() -> None:
    is_post = np.tile([True, False], 60)
    group = np.repeat(np.arange(60), 2)
    always_one = np.repeat(np.arange(60) % 2 == 0, 2)  # each subject: everything post, or everything pre
    independent = np.where(is_post, np.arange(120) % 4 < 2, np.arange(120) // 2 % 4 < 2)

    rates = estimate_rates(is_post, always_one, group)
    narrow = estimate_balanced_accuracy(rates)
    wide = estimate_balanced_accuracy(estimate_rates(is_post, independent, np.arange(120)))

    assert rates.correlation == pytest.approx(-1)
    assert np.ptp(limits(narrow)) < 0.1 * np.ptp(limits(wide))


def test_a_missing_class_leaves_its_rate_and_the_balance_open() -> None:
    rates = estimate_rates(np.ones(5, dtype=bool), np.ones(5, dtype=bool), np.arange(5))

    assert rates.sensitivity.value == 1
    assert rates.specificity.value is None
    assert estimate_balanced_accuracy(rates).value is None


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4)), min_size=1, max_size=25),
)
def test_no_table_gives_a_number_that_is_not_one(rows: list[tuple[bool, bool, int]]) -> None:
    is_post, called, group = (np.array(column) for column in zip(*rows, strict=True))
    rates = estimate_rates(is_post, called, group)

    for estimate in (rates.sensitivity, rates.specificity, estimate_balanced_accuracy(rates)):
        if estimate.value is not None:
            lower, upper = limits(estimate)
            assert 0 <= lower <= estimate.value + 1e-12
            assert estimate.value - 1e-12 <= upper <= 1

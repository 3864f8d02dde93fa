import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gadoscope.errors import ManifestError, UsageError
from gadoscope.freezing.threshold import LIMIT, choose_threshold


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def test_perfect_separation_is_cut_half_way_on_the_logit_scale() -> None:
    threshold = choose_threshold(np.array([False, False, True, True]), np.array([0.001, 0.02, 0.9, 0.999]))

    assert logit(threshold) == pytest.approx((logit(0.02) + logit(0.9)) / 2)


def test_among_equally_good_cuts_the_widest_gap_wins() -> None:
    # Cutting at 0.2|0.3 misses nothing and calls one pre image post; 0.45|0.9 is as good the other way round.
    is_post = np.array([False, True, False, True])
    probability = np.array([0.20, 0.30, 0.45, 0.90])

    threshold = choose_threshold(is_post, probability)

    assert logit(threshold) == pytest.approx((logit(0.45) + logit(0.90)) / 2)


def test_balanced_accuracy_does_not_sacrifice_the_rare_class() -> None:
    is_post = np.array([False] * 96 + [True] * 4)
    probability = np.array([0.1] * 86 + [0.6] * 10 + [0.7] * 2 + [0.4] * 2)

    rates = {}
    for rule in ("balanced_accuracy", "accuracy"):
        called = probability >= choose_threshold(is_post, probability, rule)
        rates[rule] = called[is_post].mean()

    assert rates == {"balanced_accuracy": 1.0, "accuracy": 0.5}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(1e-5, 1 - 1e-5)), min_size=2, max_size=30).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    ),
    st.sampled_from(["balanced_accuracy", "accuracy"]),
)
def test_no_threshold_at_all_does_better(rows: list[tuple[bool, float]], rule: str) -> None:
    is_post = np.array([label for label, _ in rows])
    probability = np.array([score for _, score in rows])

    def quality(threshold: float) -> float:
        right = (probability >= threshold) == is_post
        if rule == "accuracy":
            return float(right.mean())
        return float(right[is_post].mean() + right[~is_post].mean()) / 2

    chosen = choose_threshold(is_post, probability, rule)

    assert quality(chosen) >= max(quality(t) for t in [0.0, *probability, 1.0]) - 1e-12
    assert LIMIT <= chosen <= 1 - LIMIT


def test_a_saturated_network_still_gets_a_threshold_inside_the_limits() -> None:
    assert choose_threshold(np.array([False, True]), np.array([0.0, 1.0])) == pytest.approx(0.5)


def test_a_network_that_always_says_the_same_does_not_crash() -> None:
    threshold = choose_threshold(np.array([False, True]), np.array([0.5, 0.5]))

    assert 0 < threshold < 1


def test_a_missing_class_is_named() -> None:
    with pytest.raises(ManifestError, match="no post-contrast image among the 2"):
        choose_threshold(np.array([False, False]), np.array([0.1, 0.2]))


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ManifestError, match="1 of 2 probabilities are not numbers"):
        choose_threshold(np.array([False, True]), np.array([0.1, np.nan]))


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'best' is unknown; choose one of balanced_accuracy, accuracy"):
        choose_threshold(np.array([False, True]), np.array([0.1, 0.9]), "best")

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gadoscope.errors import ManifestError, UsageError
from gadoscope.freezing.rules import POINT_RULES, PointRule, choose_point
from gadoscope.freezing.threshold import choose_threshold
from gadoscope.records import to_plain
from gadoscope.statistics.shares import estimate_share
from tests.support.simulation import Population

TABLE = Population(separation=2.5, n_subjects=120, images_per_subject=3).draw(np.random.default_rng(1))


@pytest.mark.parametrize("name", ["balanced_accuracy", "accuracy"])
def test_a_rule_without_a_number_is_the_plain_threshold(name: str) -> None:
    point = choose_point(TABLE.is_post, TABLE.probability, TABLE.group, PointRule(name=name))

    assert point.threshold == choose_threshold(TABLE.is_post, TABLE.probability, name)
    assert point.is_met


@pytest.mark.parametrize("rate", ["sensitivity", "specificity"])
def test_the_bare_target_is_reached_with_the_most_of_the_other_rate(rate: str) -> None:
    rule = PointRule(name=f"target_{rate}", target=0.95, bound="point")
    rows = TABLE.is_post if rate == "sensitivity" else ~TABLE.is_post

    point = choose_point(TABLE.is_post, TABLE.probability, TABLE.group, rule)

    def rates(threshold: float) -> tuple[float, float]:
        right = (TABLE.probability >= threshold) == TABLE.is_post
        return float(right[rows].mean()), float(right[~rows].mean())

    reached, other = rates(point.threshold)
    every = [rates(threshold) for threshold in [*TABLE.probability, 1.0]]
    assert point.is_met
    assert reached >= 0.95
    assert other == max(second for first, second in every if first >= 0.95)


@pytest.mark.parametrize("rate", ["sensitivity", "specificity"])
def test_a_target_for_the_lower_bound_is_more_careful(rate: str) -> None:
    rule = PointRule(name=f"target_{rate}", target=0.9)

    point = choose_point(TABLE.is_post, TABLE.probability, TABLE.group, rule)

    rows = TABLE.is_post if rate == "sensitivity" else ~TABLE.is_post
    right = (TABLE.probability >= point.threshold) == TABLE.is_post
    lower = estimate_share(right[rows], TABLE.group[rows], confidence=0.9).lower
    assert point.is_met
    assert lower is not None
    assert lower >= 0.9
    assert (getattr(point, rate).value or 0) > 0.93
    assert f"a {rate} of 90.0\N{NO-BREAK SPACE}% with 95\N{NO-BREAK SPACE}% confidence" in point.sentence


def test_a_target_out_of_reach_is_said_and_the_nearest_is_taken() -> None:
    is_post, probability = np.arange(20) >= 10, np.linspace(0.1, 0.9, 20)

    point = choose_point(
        is_post, probability, np.arange(20), PointRule(name="target_sensitivity", target=0.99)
    )

    assert not point.is_met
    assert point.sensitivity.value == 1
    assert point.specificity.value == 1  # the cut with no miss that costs least
    assert point.sentence.startswith("No threshold reaches a sensitivity of 99.0")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.999)), min_size=2, max_size=25).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    ),
    st.floats(0.1, 20),
    st.one_of(st.none(), st.floats(0.05, 0.95)),
)
def test_no_threshold_costs_less(
    rows: list[tuple[bool, float]], cost: float, prevalence: float | None
) -> None:
    is_post = np.array([label for label, _ in rows])
    probability = np.array([score for _, score in rows])
    share = prevalence or is_post.mean()

    def price(threshold: float) -> float:
        called = probability >= threshold
        return float(share * cost * (~called)[is_post].mean() + (1 - share) * called[~is_post].mean())

    rule = PointRule(name="cost", cost_of_missed_post=cost, prevalence=prevalence)
    point = choose_point(is_post, probability, np.arange(is_post.size), rule)

    assert price(point.threshold) <= min(price(t) for t in [0.0, *probability, 1.0]) + 1e-9


def test_dear_misses_lower_the_threshold() -> None:
    thresholds = [
        choose_point(
            TABLE.is_post,
            TABLE.probability,
            TABLE.group,
            PointRule(name="cost", cost_of_missed_post=cost),
        ).threshold
        for cost in (0.1, 1.0, 10.0)
    ]

    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[2]


def test_a_chosen_point_is_json() -> None:
    point = choose_point(TABLE.is_post, TABLE.probability, TABLE.group, PointRule())

    document = json.loads(json.dumps(to_plain(point), allow_nan=False))

    assert document["rule"]["name"] == "balanced_accuracy"
    assert document["sensitivity"]["n_subjects"] <= 120


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "best"}, f"'best' is unknown; choose one of {', '.join(POINT_RULES)}"),
        ({"name": "target_sensitivity"}, "target_sensitivity needs target"),
        ({"name": "target_specificity", "target": 95}, "target of .* is 95; .* between 0 and 1"),
        ({"name": "accuracy", "target": 0.9}, "accuracy has no use for target 0.9: leave it out"),
        ({"name": "cost"}, "cost needs cost_of_missed_post"),
        ({"name": "cost", "cost_of_missed_post": -1}, "is -1; expected a number above 0"),
        ({"name": "cost", "cost_of_missed_post": 2, "prevalence": 1}, "prevalence of .* is 1;"),
        ({"name": "target_sensitivity", "target": 0.9, "prevalence": 0.1}, "no use for prevalence 0.1"),
        ({"name": "target_sensitivity", "target": 0.9, "bound": "upper"}, "'upper' is unknown"),
        ({"name": "target_sensitivity", "target": float("nan")}, "target of .* is nan"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PointRule(**arguments)


def test_a_missing_class_is_named() -> None:
    with pytest.raises(ManifestError, match="no post-contrast image among the 2"):
        choose_point(
            np.zeros(2, dtype=bool),
            np.array([0.1, 0.2]),
            np.arange(2),
            PointRule(name="target_sensitivity", target=0.9),
        )

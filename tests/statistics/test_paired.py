from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, balanced_accuracy_score

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.delong import compare_auc
from gadoscope.statistics.intervals import Difference, wilson_of_share
from gadoscope.statistics.paired import compare_models, compare_shares
from tests.support.simulation import Population, Table


class Answers(NamedTuple):
    """What one model says of all images."""

    score: Floats
    called_post: Bools


def compare(is_post: Bools, first: Answers, second: Answers, group: np.ndarray) -> dict[str, Difference]:
    score, called_post = (first.score, second.score), (first.called_post, second.called_post)
    return compare_models(is_post, score, called_post, group)


def two_models(seed: int = 1) -> tuple[Table, Answers, Answers]:
    """Return a table, a model, and a worse one whose errors are partly the same."""
    population = Population(separation=2.0, n_subjects=60, images_per_subject=4, mixed=True)
    generator = np.random.default_rng(seed)
    table = population.draw(generator)
    worse = table.logit + generator.normal(size=table.logit.size) * 2
    return (
        table,
        Answers(score=table.logit, called_post=table.logit >= 0),
        Answers(score=worse, called_post=worse >= 0),
    )


def test_each_figure_is_the_difference_of_the_two() -> None:
    table, better, worse = two_models()

    differences = compare(table.is_post, better, worse, table.group)

    def accuracy(model: Answers, rows: np.ndarray) -> float:
        return float((model.called_post == table.is_post)[rows].mean())

    for name, rows in (
        ("accuracy", np.ones_like(table.is_post)),
        ("sensitivity", table.is_post),
        ("specificity", ~table.is_post),
    ):
        assert differences[name].value == pytest.approx(accuracy(better, rows) - accuracy(worse, rows))
    assert differences["balanced_accuracy"].value == pytest.approx(
        balanced_accuracy_score(table.is_post, better.called_post)
        - balanced_accuracy_score(table.is_post, worse.called_post)
    )
    assert differences["average_precision"].value == pytest.approx(
        average_precision_score(table.is_post, better.score)
        - average_precision_score(table.is_post, worse.score)
    )
    assert differences["auc"] == compare_auc(table.is_post, better.score, worse.score, table.group)
    for difference in differences.values():
        assert difference.lower is not None
        assert difference.upper is not None
        assert difference.value is not None
        assert difference.lower < difference.value < difference.upper


def test_swapping_the_models_turns_the_sign() -> None:
    table, better, worse = two_models()

    one = compare(table.is_post, better, worse, table.group)
    other = compare(table.is_post, worse, better, table.group)

    for name in ("auc", "accuracy", "sensitivity", "specificity", "balanced_accuracy"):
        assert one[name].value == pytest.approx(-(other[name].value or 0))
        assert one[name].lower == pytest.approx(-(other[name].upper or 0))
        assert one[name].p_value == pytest.approx(other[name].p_value)


def test_with_one_image_a_subject_the_interval_is_newcombes() -> None:
    first = np.array([True] * 48 + [False] * 2)
    second = np.array([True] * 36 + [False] * 12 + [True] * 2)
    # Newcombe 1998, method 10: Wilson's limits and the correlation of the fourfold table.
    one, other = wilson_of_share(48 / 50, 50), wilson_of_share(38 / 50, 50)
    phi = np.corrcoef(first, second)[0, 1]
    low, high = 0.96 - one.lower, other.upper - 0.76
    below = np.sqrt(low**2 - 2 * phi * low * high + high**2)
    low, high = one.upper - 0.96, 0.76 - other.lower
    above = np.sqrt(low**2 - 2 * phi * low * high + high**2)

    difference = compare_shares(first, second, np.arange(50))

    assert difference.value == pytest.approx(0.2)
    assert (difference.lower, difference.upper) == pytest.approx((0.2 - below, 0.2 + above))


def test_with_one_image_a_subject_the_p_value_is_mcnemars() -> None:
    first = np.array([True] * 48 + [False] * 2)
    second = np.array([True] * 36 + [False] * 12 + [True] * 2)

    assert compare_shares(first, second, np.arange(50)).p_value == pytest.approx(
        2 * norm.sf((12 - 2) / np.sqrt(12 + 2))
    )


def test_images_that_repeat_their_subject_add_no_certainty() -> None:
    first, second = np.arange(60) % 5 > 0, np.arange(60) % 3 > 0
    alone = compare_shares(first, second, np.arange(60))

    repeated = compare_shares(np.repeat(first, 9), np.repeat(second, 9), np.repeat(np.arange(60), 9))

    assert repeated.p_value == pytest.approx(alone.p_value)
    assert (repeated.lower, repeated.upper) == pytest.approx((alone.lower, alone.upper), abs=0.01)


def test_shared_errors_narrow_the_difference() -> None:
    generator = np.random.default_rng(2)
    first = generator.random(200) < 0.8
    same = first ^ (generator.random(200) < 0.02)
    other = generator.permutation(same)

    narrow = compare_shares(first, same, np.arange(200))
    wide = compare_shares(first, other, np.arange(200))

    assert (narrow.upper or 0) - (narrow.lower or 0) < 0.6 * ((wide.upper or 0) - (wide.lower or 0))


def test_two_models_without_an_error_do_not_differ_but_may() -> None:
    is_post = np.arange(20) >= 10
    perfect = Answers(score=np.arange(20.0), called_post=is_post)

    differences = compare(is_post, perfect, perfect, np.arange(20))

    for name in ("auc", "accuracy", "sensitivity", "specificity", "balanced_accuracy"):
        difference = differences[name]
        assert (difference.value, difference.p_value) == (0, 1)
        assert difference.lower is not None
        assert difference.upper is not None
        assert difference.lower < 0 < difference.upper
    assert differences["average_precision"].value == 0
    assert differences["average_precision"].lower is None


def test_one_class_leaves_open_what_needs_two() -> None:
    answers = Answers(score=np.arange(6.0), called_post=np.arange(6) > 2)

    differences = compare(np.ones(6, dtype=bool), answers, answers, np.arange(6))

    assert {name for name, row in differences.items() if row.value is None} == {
        "auc",
        "specificity",
        "balanced_accuracy",
        "average_precision",
    }

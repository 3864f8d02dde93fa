"""Slices' logits become the volume's: the mean, in any order, to the last bit."""

import itertools
import math

import numpy as np
import pytest

from gadoscope.decision.aggregation import METHODS, Aggregation, aggregate_logits
from gadoscope.decision.calibration import sigmoid
from tests.support.shapes import unchecked_shapes


def aggregations() -> list[Aggregation]:
    """Return one of each method."""
    return [Aggregation(name, {"sharpness": 2.0} if name == "log_mean_exp" else {}) for name in METHODS]


@pytest.mark.parametrize("aggregation", aggregations())
def test_the_logit_of_one_slice_is_that_of_the_volume(aggregation: Aggregation) -> None:
    assert aggregate_logits(np.array([0.1]), aggregation) == 0.1


def test_the_answer_is_that_of_the_geometric_mean_of_the_odds() -> None:
    logits = np.array([2.0, -1.0, 0.5])
    odds = sigmoid(logits) / (1 - sigmoid(logits))
    geometric_mean = np.prod(odds) ** (1 / 3)
    np.testing.assert_allclose(
        sigmoid(np.array(aggregate_logits(logits))), geometric_mean / (1 + geometric_mean)
    )


@pytest.mark.parametrize("aggregation", aggregations())
def test_the_order_of_the_slices_makes_no_difference_in_the_last_bit(aggregation: Aggregation) -> None:
    logits = (0.1, 0.2, 0.3, 1e16, -1e16)
    orders = itertools.permutations(logits)
    assert len({aggregate_logits(np.array(order), aggregation) for order in orders}) == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_logit_that_is_no_number_makes_the_answer_none(bad: float) -> None:
    assert math.isnan(aggregate_logits(np.array([1.0, bad, -math.inf])))


@pytest.mark.parametrize("shape", [(0,), (), (2, 1)])
def test_no_logit_at_all_is_an_error(shape: tuple[int, ...]) -> None:
    with unchecked_shapes(), pytest.raises(ValueError, match=r"logits must have the shape \(n,\)"):
        aggregate_logits(np.zeros(shape))

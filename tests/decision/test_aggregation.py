import json

import numpy as np
import pytest
from scipy.stats import trim_mean

from gadoscope.decision.aggregation import METHODS, Aggregation
from gadoscope.records import from_plain, to_plain

SLICES = np.array([-3.0, 0.5, 1.0, 2.0, 9.0])
SHARP = Aggregation("log_mean_exp", {"sharpness": 2.0})


@pytest.mark.parametrize(
    ("method", "expected"),
    [("mean", 1.9), ("median", 1.0), ("trimmed_mean", 3.5 / 3), ("max", 9.0)],
)
def test_each_way_gives_what_its_name_says(method: str, expected: float) -> None:
    assert Aggregation(method).apply(SLICES) == pytest.approx(expected)


def test_the_trimmed_mean_equals_scipys() -> None:
    logits = np.random.default_rng(1).normal(size=23)

    assert Aggregation("trimmed_mean").apply(logits) == pytest.approx(trim_mean(logits, 0.2))


def test_log_mean_exp_lies_between_mean_and_maximum() -> None:
    nearly_mean = Aggregation("log_mean_exp", {"sharpness": 1e-6}).apply(SLICES)
    nearly_max = Aggregation("log_mean_exp", {"sharpness": 1e4}).apply(SLICES)

    assert nearly_mean == pytest.approx(1.9, abs=1e-4)
    assert nearly_mean < SHARP.apply(SLICES) < nearly_max
    assert nearly_max == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize("aggregation", [*(Aggregation(name) for name in METHODS[:-1]), SHARP])
def test_the_order_of_slices_does_not_count_and_one_slice_speaks_for_itself(aggregation: Aggregation) -> None:
    assert aggregation.apply(SLICES[::-1]) == pytest.approx(aggregation.apply(SLICES))
    assert aggregation.apply(SLICES[:1]) == pytest.approx(-3.0)


@pytest.mark.parametrize("aggregation", [Aggregation(), SHARP])
def test_an_aggregation_survives_json(aggregation: Aggregation) -> None:
    assert from_plain(Aggregation, json.loads(json.dumps(to_plain(aggregation)))) == aggregation


def test_a_series_without_slices_is_refused() -> None:
    with pytest.raises(ValueError, match="without slices has no logit"):
        Aggregation().apply(np.array([]))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"method": "vote"}, "the method 'vote'; this Gadoscope knows mean, median"),
        ({"method": "log_mean_exp"}, "needs sharpness, but it has none"),
        ({"method": "mean", "sharpness": 1.0}, "needs no parameter, but it has sharpness"),
        (
            {"method": "log_mean_exp", "sharpness": 0.0},
            "sharpness 0.0; expected a finite number of at least 1e-06",
        ),
    ],
)
def test_an_aggregation_that_does_not_fit_is_refused(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_plain(Aggregation, document)

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.decision.aggregation import METHODS, Aggregation, aggregate_logits
from gadoscope.errors import ManifestError
from gadoscope.freezing.aggregation import choose_aggregation, pool_series
from gadoscope.records import from_plain, to_plain
from gadoscope.statistics.levels import gather_cases
from tests.support.tables import DECISION, make_predictions

Columns = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def draw_slices(kind: str, n_series: int = 240, n_slices: int = 9) -> Columns:
    """Return label, logit, series and subject of slices: two series a subject.

    ``even``: each slice says the same with noise; ``outlier``: one slice in three is nonsense;
    ``rare``: only one slice of a post-contrast series shows it.
    """
    generator = np.random.default_rng(3)
    label = generator.random(n_series) < 0.5
    series = np.repeat(np.arange(n_series), n_slices)
    logit = generator.normal(size=series.size) - 1.0
    post = label[series]
    if kind == "rare":
        logit[post & (np.arange(series.size) % n_slices == 4)] += 5
    else:
        logit += 1.0 * post + 0.5 * generator.normal(size=n_series)[series]
    if kind == "outlier":
        bad = generator.random(series.size) < 0.15
        logit[bad] += generator.choice([-30.0, 30.0], size=int(bad.sum()))
    return post, logit, series, series // 2


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("even", {"mean"}), ("outlier", {"median", "trimmed_mean"}), ("rare", {"max", "log_mean_exp"})],
)
def test_the_way_that_suits_the_slices_is_found(kind: str, expected: set[str]) -> None:
    choice = choose_aggregation(*draw_slices(kind))

    assert choice.aggregation.method in expected
    assert [row.name for row in choice.candidates] == list(METHODS)
    chosen = next(row for row in choice.candidates if row.name == choice.aggregation.method)
    assert chosen.worse_by <= chosen.standard_error


def test_series_are_calibrated_after_they_are_pooled() -> None:
    is_post, logit, series, subject = draw_slices("even")

    choice = choose_aggregation(is_post, logit, series, subject)

    pooled = pool_series(choice.aggregation, logit, series)
    probability = choice.calibration.apply(pooled)
    label = is_post[np.unique(series, return_index=True)[1]]
    assert probability.mean() == pytest.approx(label.mean(), abs=0.02)


def test_pooling_takes_each_series_slices_in_any_order() -> None:
    logit = np.array([1.0, 5.0, 3.0, -1.0])
    series = np.array(["b", "a", "b", "a"])

    assert pool_series(Aggregation(), logit, series).tolist() == [2.0, 2.0]
    assert pool_series(Aggregation("max"), logit, series).tolist() == [5.0, 3.0]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_chosen_judged_and_applied_is_one_number_to_the_last_bit(method: str) -> None:
    way = Aggregation(method, {"sharpness": 0.25} if method == "log_mean_exp" else {})
    logit = np.random.default_rng(6).normal(size=(40, 9))
    rows, case = logit.ravel()[8:], np.repeat(np.arange(40), 9)[8:]  # the first series has one slice
    table = make_predictions(np.ones(rows.size, np.bool_), np.full(rows.size, 0.5))
    table = replace(table, logit=rows)

    chosen = pool_series(way, rows, case)
    judged = gather_cases(table, case, replace(DECISION, aggregation=way)).logit
    applied = [aggregate_logits(rows[case == number][::-1], way) for number in range(40)]

    assert chosen.tolist() == judged.tolist() == applied


def test_too_few_subjects_take_the_mean() -> None:
    is_post, logit = np.array([True, True, False, False]), np.array([1.0, 2.0, -1.0, 0.0])

    choice = choose_aggregation(is_post, logit, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))

    assert (choice.aggregation.method, choice.calibration.method, choice.candidates) == ("mean", "none", ())


def test_a_series_with_two_labels_or_subjects_is_refused() -> None:
    is_post, logit = np.array([True, False, False]), np.zeros(3)

    with pytest.raises(ManifestError, match="in 1 of 2 series the slices differ in their label"):
        choose_aggregation(is_post, logit, np.array([0, 0, 1]), np.zeros(3))
    with pytest.raises(ManifestError, match="in 1 of 2 series the slices differ in their subject"):
        choose_aggregation(is_post, logit, np.array([0, 1, 1]), np.array([0, 1, 2]))


def test_a_choice_is_json() -> None:
    document = json.loads(json.dumps(to_plain(choose_aggregation(*draw_slices("rare", 60))), allow_nan=False))

    assert from_plain(Aggregation, document["aggregation"]).method in METHODS

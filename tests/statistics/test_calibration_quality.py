import json

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from gadoscope.errors import ManifestError
from gadoscope.records import to_plain
from gadoscope.statistics.calibration_quality import equal_mass_bins, measure_calibration
from tests.support.simulation import Population

CALIBRATED = Population(separation=2.0, n_subjects=100, images_per_subject=4)
OVERCONFIDENT = Population(separation=2.0, n_subjects=100, images_per_subject=4, overconfidence=3.0)


def test_brier_score_and_log_loss_equal_scikit_learns() -> None:
    table = CALIBRATED.draw(np.random.default_rng(1))

    quality = measure_calibration(table.is_post, table.probability, table.group)

    assert quality.brier.value == pytest.approx(brier_score_loss(table.is_post, table.probability))
    assert quality.log_loss.value == pytest.approx(log_loss(table.is_post, table.probability))


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(2))
    quality = measure_calibration(table.is_post, table.probability, table.group)

    # Naeini et al. 2015 by hand, with ten bins of equal numbers.
    parts = np.array_split(np.argsort(table.probability, kind="stable"), 10)
    gaps = [abs(table.probability[rows].mean() - table.is_post[rows].mean()) for rows in parts]
    sizes = [rows.size for rows in parts]

    assert quality.ece.value == pytest.approx(np.average(gaps, weights=sizes), abs=0.005)
    assert sum(point.observed.n for point in quality.points) == table.is_post.size
    assert quality.ece.value == pytest.approx(
        sum(
            abs(point.mean_probability - (point.observed.value or 0)) * point.observed.n
            for point in quality.points
        )
        / table.is_post.size
    )


def test_right_probabilities_have_an_error_that_chance_explains() -> None:
    table = CALIBRATED.draw(np.random.default_rng(3))

    quality = measure_calibration(table.is_post, table.probability, table.group)

    assert quality.ece.value is not None
    assert quality.ece.value > 0
    assert quality.ece.lower == 0
    assert quality.ece_by_chance == pytest.approx(quality.ece.value, rel=0.5)


def test_overconfidence_is_more_than_chance() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(4))

    quality = measure_calibration(table.is_post, table.probability, table.group)

    assert quality.ece.lower is not None
    assert quality.ece.lower > 0.02
    assert (quality.ece.value or 0) > 2 * quality.ece_by_chance


def test_bins_hold_equal_numbers_and_equal_probabilities_share_one() -> None:
    bins = equal_mass_bins(np.random.default_rng(5).random(1000), 200)
    tied = equal_mass_bins(np.repeat([0.1, 0.9], [700, 300]), 200)

    assert np.bincount(bins).tolist() == [100] * 10
    assert np.bincount(tied).tolist() == [700, 300]


def test_few_subjects_get_few_bins() -> None:
    assert equal_mass_bins(np.linspace(0, 1, 100), 12).max() == 1
    assert equal_mass_bins(np.linspace(0, 1, 100), 3).max() == 0


def test_one_subject_has_figures_without_limits() -> None:
    quality = measure_calibration(np.array([True, False]), np.array([0.8, 0.3]), np.zeros(2))

    assert quality.brier.value == pytest.approx((0.04 + 0.09) / 2)
    assert (quality.brier.lower, quality.ece.lower) == (None, None)
    json.dumps(to_plain(quality), allow_nan=False)


def test_certain_and_wrong_is_a_large_but_finite_loss() -> None:
    quality = measure_calibration(np.array([True] * 6), np.zeros(6), np.arange(6))

    assert quality.log_loss.value == pytest.approx(-np.log(1e-6), rel=1e-6)
    json.dumps(to_plain(quality), allow_nan=False)


def test_a_probability_that_is_no_number_is_refused() -> None:
    with pytest.raises(ManifestError, match="1 of 2 scores are not numbers"):
        measure_calibration(np.array([True, False]), np.array([0.5, np.nan]), np.arange(2))

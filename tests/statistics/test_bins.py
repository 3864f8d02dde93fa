"""Numbers cut into bins before a boosted forest sees them: it answers as if it had cut them itself."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils import compute_sample_weight

from gadoscope.statistics.bins import cut_into_bins

N, N_BINS = 300, 30
GENERATOR = np.random.default_rng(8)
IS_POST = GENERATOR.random(N) < 0.3
SMOOTH = GENERATOR.normal(size=N) + IS_POST
KINDS: dict[str, NDArray[np.float64]] = {
    "a curve": SMOOTH,
    "ties": np.round(SMOOTH, 1),
    "few values": np.round(SMOOTH),
    "most of them the largest": np.minimum(SMOOTH, 0.2),
    "most of them the smallest": np.maximum(SMOOTH, 0.5),
    "some unknown": np.where(GENERATOR.random(N) < 0.2, np.nan, SMOOTH),
    "some infinite": np.where(GENERATOR.random(N) < 0.1, np.inf, SMOOTH),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_forest_answers_as_if_it_had_cut_the_numbers_itself(kind: str) -> None:
    values = np.column_stack([KINDS[kind], GENERATOR.normal(size=N)])
    train, test = np.arange(N) < 200, np.arange(N) >= 200
    forest = HistGradientBoostingClassifier(
        max_iter=10, max_depth=3, min_samples_leaf=8, max_bins=N_BINS, class_weight="balanced",
        early_stopping=False, random_state=0,
    )  # fmt: skip
    plain = forest.fit(values[train], IS_POST[train]).decision_function(values[test])
    weight = compute_sample_weight("balanced", IS_POST[train])
    given, asked = cut_into_bins(values[train], weight, values[test], N_BINS)
    np.testing.assert_array_equal(forest.fit(given, IS_POST[train]).decision_function(asked), plain)
    assert np.unique(given[~np.isnan(given[:, 0]), 0]).size <= N_BINS

"""Percentiles and medians are those of NumPy, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gadoscope.imaging.order_statistics import find_existing_percentiles, find_grey_percentiles, find_median
from gadoscope.imaging.window import HIGH_PERCENTILE, LOW_PERCENTILE
from tests.support.unhurried import UNHURRIED

PERCENTS = st.floats(0, 100)


@UNHURRIED
@given(arrays(np.uint8, st.integers(1, 300)), PERCENTS, PERCENTS)
def test_percentiles_of_greys_are_numpys(greys: np.ndarray, low: float, high: float) -> None:
    assert find_grey_percentiles(greys, (low, high)) == np.percentile(greys, (low, high)).tolist()


@pytest.mark.parametrize("size", [1, 2, 3, 199, 200, 201, 402, 65_537, 131_072, 262_141])
def test_percentiles_that_exist_are_numpys_whatever_the_number_of_values(size: int) -> None:
    values = np.random.default_rng(size).normal(size=size).astype(np.float32)
    expected = (
        float(np.percentile(values, LOW_PERCENTILE, method="lower")),
        float(np.percentile(values, HIGH_PERCENTILE, method="higher")),
    )
    assert find_existing_percentiles(values, LOW_PERCENTILE, HIGH_PERCENTILE) == expected


@UNHURRIED
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=30))
def test_a_median_is_numpys(values: list[float]) -> None:
    assert find_median(values) == float(np.median(values))

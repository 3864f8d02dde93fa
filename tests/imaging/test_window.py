"""Black, white and the line between: exact on 8 bits, robust where the file says nothing or nonsense."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.window import find_limits, replace_not_finite, to_grey
from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics import acquire

BACKGROUND = np.zeros((64, 64), dtype=np.float32)


def _head() -> NDArray[np.float32]:
    """Return a disc of values 100 to 900 on a dark background: a third of the picture."""
    head = BACKGROUND.copy()
    rows, columns = np.mgrid[-32:32, -32:32]
    inside = rows**2 + columns**2 < 20**2
    head[inside] = np.linspace(100, 900, np.count_nonzero(inside), dtype=np.float32)
    return head


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_0_to_255_is_the_identity_on_8_bit_values(dtype: type[np.number]) -> None:
    values = np.arange(256).astype(dtype)
    grey = to_grey(values.astype(np.float32), 0, 255)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, values)


@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-3, 1e6),
    parts=st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=20),
)
def test_greys_are_the_rounded_straight_line(low: float, width: float, parts: list[float]) -> None:
    voxels = np.array([low + width * part for part in parts], dtype=np.float32)
    line = np.clip((voxels.astype(np.float64) - low) / (low + width - low) * 255, 0, 255)
    assert np.abs(to_grey(voxels, low, low + width) - line).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1.0, 1e30, 1e36])
def test_greys_do_not_depend_on_the_unit_of_the_values(scale: float) -> None:
    voxels = np.array([[-300.0, 0.0, 100.2, 200.3, 300.0]]) * scale
    np.testing.assert_array_equal(to_grey(voxels.astype(np.float32), 0, 300 * scale), [[0, 0, 85, 170, 255]])


def test_the_largest_range_of_float32_is_shown() -> None:
    largest = float(np.finfo(np.float32).max)
    voxels = np.array([-largest, 0, largest], dtype=np.float32)
    limits = find_limits(voxels, None)
    assert limits == (-largest, largest)
    np.testing.assert_array_equal(to_grey(voxels, *limits), [0, 128, 255])


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_white_that_is_not_above_black_is_an_error(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="black must lie below white"):
        to_grey(BACKGROUND, low, high)


@pytest.mark.parametrize("window", [(0.0, 900.0), (-50.0, 700.0), (0.0, 5000.0), (99.5, 850.25)])
def test_a_window_that_fits_is_obeyed(window: tuple[float, float]) -> None:
    assert find_limits(_head(), window) == window


@pytest.mark.parametrize(
    "window",
    [
        None,
        (math.nan, 900.0),
        (0.0, math.inf),
        (900.0, 0.0),
        (500.0, 500.0),
        (-0.5, 0.5),  # a head all white
        (0.0, 300.0),  # most of it white
        (890.0, 5000.0),  # all but a few pixels black
        (2000.0, 3000.0),
        (-3000.0, -2000.0),
    ],
)
def test_without_a_window_that_fits_nearly_all_values_are_shown(window: tuple[float, float] | None) -> None:
    low, high = find_limits(_head(), window)
    assert low == 0
    assert 880 < high < 900


def test_an_image_of_the_phantom_has_the_window_of_its_picture() -> None:
    scanned = scan(Cohort(subjects=1, seed=5, slices=3, matrix=64), 1, (Phase.POST_CONTRAST,))
    signal, scanner = scanned.series[0].signal, scanned.scanner
    top = float(np.percentile(signal, scanner.window_percentile)) * scanner.window_taste
    np.testing.assert_array_equal(
        to_grey(signal, *find_limits(signal, (0.0, top))), acquire.window(signal, scanner)
    )


def test_values_that_are_nearly_all_equal_are_shown_from_the_smallest_to_the_largest() -> None:
    voxels = BACKGROUND.copy()
    voxels[3, 3], voxels[5, 5] = -7, 12
    assert find_limits(voxels, None) == (-7, 12)


def test_a_spike_does_not_leave_the_rest_dark() -> None:
    voxels = _head()
    voxels[0, 0] = 1e6
    assert find_limits(voxels, None)[1] < 900


def test_percentiles_of_a_large_series_are_nearly_those_of_all_its_values() -> None:
    voxels = np.random.default_rng(0).gamma(2, 100, (40, 250, 256)).astype(np.float32)
    expected = np.percentile(voxels, [0.5, 99.5])
    np.testing.assert_allclose(find_limits(voxels, None), expected, atol=0.01 * expected[1])


def test_finite_values_are_passed_on_as_they_are() -> None:
    voxels = _head()
    assert replace_not_finite(voxels)[0] is voxels
    assert replace_not_finite(voxels)[1] is False


def test_what_is_no_number_becomes_as_dark_as_the_darkest_number() -> None:
    voxels = np.array([[np.nan, 5, -3, np.inf, -np.inf]], dtype=np.float32)
    replaced, any_replaced = replace_not_finite(voxels)
    np.testing.assert_array_equal(replaced, [[-3, 5, -3, -3, -3]])
    assert any_replaced is True
    assert np.isnan(voxels[0, 0])  # the reader's array is its own


def test_no_number_at_all_is_blank() -> None:
    with pytest.raises(RefusedError, match="blank: not one value is a number"):
        replace_not_finite(np.full((2, 4, 4), np.nan, dtype=np.float32))

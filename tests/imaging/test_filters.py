"""The filters of a base installation are scipy's."""

import numpy as np
import pytest
from scipy import ndimage

from gadoscope.imaging.filters import gaussian_filter, maximum_filter, uniform_filter

IMAGE = np.random.default_rng(0).normal(size=(5, 40, 31))


@pytest.mark.parametrize("sigma", [0.7, 3.0, 19.0])
def test_a_gaussian_is_scipy_s_also_where_it_is_wider_than_the_image(sigma: float) -> None:
    np.testing.assert_allclose(
        gaussian_filter(IMAGE, sigma), ndimage.gaussian_filter(IMAGE, sigma), atol=1e-12
    )


@pytest.mark.parametrize("sides", [(1, 3, 3), (1, 1, 1), (3, 9, 5)])
def test_means_and_maxima_of_boxes_are_scipy_s(sides: tuple[int, int, int]) -> None:
    np.testing.assert_allclose(uniform_filter(IMAGE, sides), ndimage.uniform_filter(IMAGE, sides), atol=1e-12)
    np.testing.assert_array_equal(maximum_filter(IMAGE, sides), ndimage.maximum_filter(IMAGE, sides))

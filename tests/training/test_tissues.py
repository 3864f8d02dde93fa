"""Where the tissues of a T1 slice are found among its greys."""

import numpy as np
import pytest

from gadoscope.training.tissues import LEAST_STEP, find_tissues, place_tissues


def test_three_greys_are_found_where_they_are() -> None:
    brain = np.repeat(np.array([38, 107, 153], np.uint8), [100, 200, 600])
    assert find_tissues(brain) == pytest.approx([38, 107, 153])


def test_tissues_that_are_apart_are_placed_where_they_were_found() -> None:
    places = place_tissues(np.array([38.0, 107.0, 153.0]), np.random.default_rng(0))
    assert places[:4] == pytest.approx([0, 38, 107, 153])
    assert places[-1] == 255


def test_tissues_of_one_grey_are_placed_a_step_apart() -> None:
    places = place_tissues(np.array([100.0, 100.0, 100.0]), np.random.default_rng(0))
    assert (np.diff(places) >= LEAST_STEP).all()
    assert places[:3] == pytest.approx([0, 100, 100 + LEAST_STEP])

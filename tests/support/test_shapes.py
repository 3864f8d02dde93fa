"""Stated shapes are checked in tests, and in tests alone."""

import subprocess
import sys

import numpy as np
import pytest

from gadoscope.imaging.geometry import find_closest_plane
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.session import Session
from gadoscope.statistics.delong import estimate_auc
from gadoscope.statistics.metrics import accuracy_sweep
from tests.support.shapes import ShapeError


def test_an_array_of_another_shape_than_stated_fails() -> None:
    with pytest.raises(ShapeError, match=r"find_closest_plane: normal is \(1, 3\); stated is .*'3'"):
        find_closest_plane(np.zeros((1, 3)))


def test_a_transposed_batch_fails_where_a_method_states_that_its_slices_are_square() -> None:
    batch = np.zeros((5, 32, 32), np.uint8)
    assert ImagePath(size=32).scale(batch).shape == (5, 1, 32, 32)
    with pytest.raises(ShapeError, match=r"scale: batch is \(32, 32, 5\)"):
        ImagePath(size=32).scale(batch.transpose(1, 2, 0))


def test_arrays_whose_lengths_have_one_name_have_one_length() -> None:
    is_post, score = np.array([True, False, True]), np.array([0.9, 0.1, 0.8])
    edges, accuracy = accuracy_sweep(is_post, score)
    assert len(edges) == len(accuracy) + 1
    with pytest.raises(ShapeError, match=r"estimate_auc: group is \(2,\); stated is .*'n'"):
        estimate_auc(is_post, score, np.array(["a", "b"]))


def test_what_fitted_before_is_told_from_what_never_did() -> None:
    is_post, score = np.array([True, False, True]), np.array([0.9, 0.1, 0.8])
    for _ in range(2):
        assert estimate_auc(is_post, score, np.array(["a", "b", "c"]))
        with pytest.raises(ShapeError, match=r"estimate_auc: score is \(3, 1\)"):
            estimate_auc(is_post, score[:, np.newaxis], np.array(["a", "b", "c"]))
        with pytest.raises(ShapeError, match=r"estimate_auc: group is \(2,\)"):
            estimate_auc(is_post, score, np.array(["a", "b"]))


def test_what_a_program_loads_knows_nothing_of_the_checks() -> None:
    program = (
        "import sys; from gadoscope.imaging.geometry import find_upright; "
        "print(hasattr(find_upright, '__wrapped__'), 'jaxtyping' in sys.modules, 'beartype' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "False", "False"]
    assert hasattr(estimate_auc, "__wrapped__")
    assert hasattr(Session.slice_logits, "__wrapped__")

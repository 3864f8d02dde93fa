"""A bundle that teaches: its answers become half of each target, on the very images that are learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import ConfigError
from gadoscope.training.teacher import Teacher
from tests.support.bundles import TINY_METADATA, TINY_SIZE, TINY_SLOPE, write_tiny_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle whose logit is a straight line in the mean brightness."""
    return write_tiny_bundle(tmp_path / "teacher.onnx", TINY_METADATA)


def test_a_target_lies_half_way_from_the_label_to_the_teachers_answer(bundle: Path) -> None:
    images = np.linspace(0, 1, 4, dtype=np.float32)[:, None, None, None] * np.ones(
        (1, TINY_SIZE, TINY_SIZE), np.float32
    )
    labels = np.array([0, 1, 0, 1], np.float32)
    softened = Teacher(bundle, TINY_METADATA.image_path).soften(labels, images)
    answers = 1 / (1 + np.exp(-TINY_SLOPE * (np.linspace(0, 1, 4) - 0.5)))
    np.testing.assert_allclose(softened, (labels + answers) / 2, atol=1e-6)
    assert softened.dtype == np.float32


def test_a_teacher_that_prepares_images_in_another_way_is_refused(bundle: Path) -> None:
    other = replace(TINY_METADATA.image_path, size=2 * TINY_SIZE)
    with pytest.raises(ConfigError, match=r"prepares images as .*size=32.* this run as .*size=64"):
        Teacher(bundle, other)

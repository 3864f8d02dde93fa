"""The limits that stand beside the figures: operations are counted right, and parts are timed alone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.limits import count_default, count_lesson, describe_classification


def test_the_lessons_network_multiplies_and_adds_123_million_times_an_image() -> None:
    forward, backward = count_lesson()
    first = 2 * 329**2 * 16 * 9
    assert forward / 2e6 == pytest.approx(123.5, abs=0.1)
    assert backward == 2 * forward - first


def test_the_default_network_does_so_124_million_times() -> None:
    forward, backward = count_default()
    stages = 160**2 * 16 * 1 + 80**2 * 32 * 16 + 40**2 * 48 * 32 + 20**2 * 96 * 48 + 10**2 * 128 * 96
    blocks = 2 * (20**2 * 48**2 + 10**2 * 96**2 + 5**2 * 128**2)
    assert forward == 2 * 9 * (stages + blocks)
    assert backward == 2 * forward - 2 * 9 * 160**2 * 16


def test_decoding_and_the_network_are_timed_alone(tiny_bundle: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20)).save(path)
    words = describe_classification(tiny_bundle, paths)
    assert words.startswith("decoding alone ")
    assert ", network alone " in words

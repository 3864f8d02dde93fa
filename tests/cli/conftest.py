"""Shared by the tests of the commands."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Return a folder of ten slices."""
    folder = tmp_path / "slices"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for index in range(10):
        noise = generator.integers(20 * index, 20 * index + 50, (40, 40), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{index}.png")
    return folder

"""A folder in the lesson's layout whose classes differ by a bright band, and a config that learns it fast."""

from pathlib import Path

import numpy as np
from PIL import Image

from gadoscope.training.config import TrainingConfig, parse_config

N_TRAIN = 10
N_TEST = 3


def write_slices(folder: Path) -> Path:
    """Write ``folder/{Train,Test}/{no_gad,with_gad}`` of small seeded images and return ``folder``."""
    generator = np.random.default_rng(7)
    for side, count in (("Train", N_TRAIN), ("Test", N_TEST)):
        for name, brightness in (("no_gad", 0), ("with_gad", 120)):
            (folder / side / name).mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(20, 120, (44, 36))
                pixels[10:20] += brightness
                Image.fromarray(pixels.astype(np.uint8)).save(folder / side / name / f"{index:02d}.png")
    return folder


def small_config(**values: object) -> TrainingConfig:
    """Return the lesson's config with few epochs, small batches and one thread."""
    table = {"epochs": 2, "batch_size": 8, "threads": 1, "split": {"method": "keras"}}
    return parse_config({**table, **values})


QUICK = {"network": "compact", "image": {"size": 32}}
"""Trained in a tenth of the lesson's time: for what is true of a run, whatever it trains."""


def quick_config(**values: object) -> TrainingConfig:
    """Return the small config with another network and smaller images."""
    return small_config(**{**QUICK, **values})


SMALL_SETTINGS = ("epochs=2", "batch_size=8", "threads=1")
"""The same changes for the command line."""
QUICK_SETTINGS = (*SMALL_SETTINGS, "network=compact", "image.size=32")

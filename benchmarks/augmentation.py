"""What strong augmentation costs: a batch of 48 slices, 208 to 160 pixels, on one thread.

    python -m benchmarks.augmentation

Prints processor time (other processes on the machine do not count) of the whole recipe, and of each effect:
when all 48 slices meet it, and as often as the recipe has it.
"""

import time
from dataclasses import fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from gadoscope.training.augmentation.strong.distort import distort_batch
from gadoscope.training.augmentation.strong.draws import EFFECTS
from gadoscope.training.augmentation.strong.settings import StrongAugmentation

N_SLICES, CANVAS, SIZE = 48, 208, 160
REPEATS = 10
SMOOTH = 26
"""Pixels of the noise that is enlarged to a canvas: the content hardly matters, but JPEG needs some."""

RECIPE = StrongAugmentation(strength=1)
NONE = replace(
    RECIPE, **{entry.name: 0.0 for entry in fields(RECIPE) if entry.name.endswith(("_chance", "_range"))}
)
RESAMPLED = replace(NONE, translation_chance=1.0)
"""A translation by nothing: only what every distorted batch costs."""


def main() -> None:
    """Print the table."""
    canvases = draw_canvases()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        base = _time_batch(canvases, RESAMPLED)
        print(f"plain resize             {_time_batch(canvases, StrongAugmentation()):6.1f} ms")
        print(f"resampling and no effect {base:6.1f} ms")
        print(f"the recipe               {_time_batch(canvases, RECIPE):6.1f} ms")
        print(f"{'':16s} {'all slices':>12s} {'as in the recipe':>18s}")
        for effect in EFFECTS:
            ranges = {name: getattr(RECIPE, name) for name in (f"{effect}_range",) if hasattr(RECIPE, name)}
            cost = _time_batch(canvases, replace(NONE, **{f"{effect}_chance": 1.0}, **ranges)) - base
            print(f"{effect:16s} {cost:9.1f} ms {cost * RECIPE.chance(effect):15.1f} ms")


def draw_canvases() -> NDArray[np.uint8]:
    """Return smooth noise, shape (N_SLICES, CANVAS, CANVAS)."""
    noise = np.random.default_rng(0).integers(0, 256, (N_SLICES, SMOOTH, SMOOTH), np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((CANVAS, CANVAS))) for each in noise])


def _time_batch(canvases: NDArray[np.uint8], augmentation: StrongAugmentation) -> float:
    """Return the median processor time of a batch, ms; the first batch warms up."""
    times = []
    for step in range(REPEATS + 1):
        start = time.process_time()
        distort_batch(canvases, size=SIZE, augmentation=augmentation, seed=(0, step))
        times.append(1e3 * (time.process_time() - start))
    return float(np.median(times[1:]))


if __name__ == "__main__":
    main()

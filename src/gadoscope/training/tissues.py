"""Where the tissues of a T1 slice lie among its greys: roughly, and fast enough for every training image.

What gives tissues other greys, as another weighting would, has to know which greys they have now.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS

AIR_GREY = 18
"""Of a slice after the image path: what is darker all around is air (or bone, which is black as well)."""
AIR_BLUR = 0.02
"""Of the side: how far around a pixel it has to be dark to be air."""
RIND = 0.07
"""Of the side: scalp and bone, inside which the brain lies."""
LEAST_CORE = 0.02
"""Of the picture: a smaller core says little of the brain's greys."""
FIRST_QUANTILES = (0.08, 0.36, 0.72)
"""Of the brain's greys on T1: where CSF, grey and white matter are first looked for."""
N_ROUNDS = 10
FAT_PLACE = (1.15, 1.6)
"""Of white matter's grey: where fat begins."""
LEAST_STEP = 6
"""Greys between one tissue and the next, so that a curve through them is one."""


def find_air(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much each pixel belongs to the air around (or to dark cavities), 0 to 1."""
    near = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(AIR_BLUR * pixels.shape[0]))
    air: NDArray[np.float32] = np.clip(2 - np.asarray(near, np.float32) / np.float32(AIR_GREY), 0, 1)
    return air


def find_near_air(air: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the share of air around each pixel, 0 to 1; 0 lies deep in the head."""
    outside = Image.fromarray((air * MAX_GREY).astype(np.uint8))
    near = outside.filter(ImageFilter.BoxBlur(RIND * air.shape[0]))
    return np.asarray(near, np.float32) / np.float32(MAX_GREY)


def take_brain(
    pixels: NDArray[np.uint8], air: NDArray[np.float32], near_air: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Return the greys of what lies deep in the head, shape (n,); of all of the head where nothing does.

    Without a head there are none.
    """
    for core in (near_air == 0, near_air < 1 / 2, air < 1 / 2):
        if core.mean() > LEAST_CORE:
            break
    return pixels[core]


def find_tissues(brain: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean greys of CSF, grey and white matter, shape (3,), by k-means on the histogram.

    Parameters
    ----------
    brain
        Greys of the brain on T1, shape (n,), n at least 1.
    """
    histogram = np.bincount(brain, minlength=N_GREYS)
    # Python's own numbers: for three means they are faster than arrays.
    n_below = [0, *np.cumsum(histogram).tolist()]
    sum_below = [0, *np.cumsum(histogram * np.arange(N_GREYS)).tolist()]
    means = np.searchsorted(n_below[1:], np.array(FIRST_QUANTILES) * brain.size).tolist()
    for _ in range(N_ROUNDS):
        middles = [(low + high) / 2 for low, high in pairwise(means)]
        ends = [0, *(math.floor(middle) + 1 for middle in middles), N_GREYS]
        moved = [
            (sum_below[stop] - sum_below[start]) / n if (n := n_below[stop] - n_below[start]) else mean
            for mean, (start, stop) in zip(means, pairwise(ends), strict=True)
        ]
        if moved == means:
            break
        means = moved
    return np.array(means, np.float64)


def place_tissues(tissues: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return black, CSF, grey matter, white matter, fat and white, each above the one before, shape (6,).

    Parameters
    ----------
    tissues
        From `find_tissues`. Where fat begins is drawn: k-means does not find it.
    """
    fat = min(tissues[-1] * generator.uniform(*FAT_PLACE), MAX_GREY)
    steps = LEAST_STEP * np.arange(len(tissues) + 3)
    places: NDArray[np.float64] = np.maximum.accumulate([0, *tissues, fat, MAX_GREY] - steps) + steps
    return places

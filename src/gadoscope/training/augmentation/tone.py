"""Tone curves: what another contrast setting, coil or display window makes of the grey values.

All of them rise: brighter stays brighter, so what enhances still does. A slice's curves are drawn as one
table of the 256 grey values, so the slice itself is looked up once.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS
from gadoscope.training.augmentation.draws import Draws

WARP_PIECES = 6
"""Straight pieces of a warped tone curve: enough to part white matter, grey matter and fluid."""

Curve = NDArray[np.float32]


def draw_tone_curve(draws: Draws) -> Curve:
    """Return the grey value 0..255 that each of the 256 becomes, float32, never falling."""
    curve = np.linspace(0, 1, N_GREYS, dtype=np.float32)
    for effect, bend in TONES.items():
        if draws.meets(effect):
            curve = bend(curve, draws.reach(effect), draws.generator(effect))
    greys: Curve = np.clip(curve, 0, 1) * np.float32(MAX_GREY)
    return greys


def _bend_by_gamma(curve: Curve, reach: float, generator: np.random.Generator) -> Curve:
    bent: Curve = curve ** np.float32(math.exp(generator.uniform(-reach, reach)))
    return bent


def _warp(curve: Curve, reach: float, generator: np.random.Generator) -> Curve:
    rises = np.exp(generator.uniform(-reach, reach, WARP_PIECES))
    heights = np.concatenate([[0.0], np.cumsum(rises) / rises.sum()])
    warped: Curve = np.interp(curve, np.linspace(0, 1, WARP_PIECES + 1), heights).astype(np.float32)
    return warped


def _gain(curve: Curve, reach: float, generator: np.random.Generator) -> Curve:
    return curve * np.float32(1 + generator.uniform(-reach, reach))


def _offset(curve: Curve, reach: float, generator: np.random.Generator) -> Curve:
    return curve + np.float32(generator.uniform(-reach, reach))


TONES: dict[str, Callable[[Curve, float, np.random.Generator], Curve]] = {
    "gamma": _bend_by_gamma,
    "warp": _warp,
    "gain": _gain,
    "offset": _offset,
}
"""In the order in which they are applied, to grey values in [0, 1]."""

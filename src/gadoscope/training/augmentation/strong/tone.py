"""Tone curves: what another weighting, contrast setting, coil or display window makes of the grey values.

All of them rise: brighter stays brighter, so what enhances still does. A slice's curves are drawn as one
table of the 256 grey values, so the slice itself is looked up once.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS
from gadoscope.training.augmentation.strong.draws import Draws
from gadoscope.training.tissues import find_air, find_near_air, find_tissues, place_tissues, take_brain

WARP_PIECES = 6
"""Straight pieces of a warped tone curve: enough to part white matter, grey matter and fluid."""

TISSUE_STEPS = ((0.04, 0.25), (0.15, 0.35), (0.06, 0.3), (0.0, 0.35))
"""On the scale of greys: black to CSF, on to grey matter, to white matter, to fat. From a spin echo, which
hardly parts grey from white, to a prepared gradient echo, on which fat is no brighter than white matter."""
MAX_FLUID = 0.55
"""Of white matter's grey: what is brighter is no CSF, and the tissues of this slice are not known."""

SKIP = 2
"""Of four pixels one is enough to find the tissues, and four times as fast."""

Curve = NDArray[np.float32]


def draw_tone_curve(draws: Draws, canvas: NDArray[np.uint8]) -> Curve:
    """Return the grey value 0..255 that each of the 256 of ``canvas`` becomes, float32, never falling."""
    curve = np.linspace(0, 1, N_GREYS, dtype=np.float32)
    if draws.meets("reweight"):
        curve = _reweight(canvas, draws.reach("reweight"), draws.generator("reweight"))
    for effect, bend in TONES.items():
        if draws.meets(effect):
            curve = bend(curve, draws.reach(effect), draws.generator(effect))
    greys: Curve = np.clip(curve, 0, 1) * np.float32(MAX_GREY)
    return greys


def _reweight(canvas: NDArray[np.uint8], reach: float, generator: np.random.Generator) -> Curve:
    """Return the curve that takes the tissues of a slice to greys of another T1 weighting, 0 to 1."""
    same = np.linspace(0, 1, N_GREYS, dtype=np.float32)
    small = np.ascontiguousarray(canvas[::SKIP, ::SKIP])
    air = find_air(small)
    brain = take_brain(small, air, find_near_air(air))
    tissues = find_tissues(brain) if brain.size else np.ones(3)
    if tissues[0] > MAX_FLUID * tissues[-1]:
        return same
    places = place_tissues(tissues, generator)
    steps = np.array([generator.uniform(*step) for step in TISSUE_STEPS])
    heights = np.minimum(np.concatenate([[0.0], np.cumsum(steps), [1.0]]), 1)
    other: Curve = np.interp(np.arange(N_GREYS), places, heights).astype(np.float32)
    return same + np.float32(reach * generator.random()) * (other - same)


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


def _window(curve: Curve, reach: float, generator: np.random.Generator) -> Curve:
    return curve / np.float32(1 - reach * generator.random())


TONES: dict[str, Callable[[Curve, float, np.random.Generator], Curve]] = {
    "gamma": _bend_by_gamma,
    "warp": _warp,
    "gain": _gain,
    "offset": _offset,
    "window": _window,
}
"""In the order in which they are applied, to grey values in [0, 1]."""

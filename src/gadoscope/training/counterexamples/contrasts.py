"""T1 slices turned into other contrasts: T2, FLAIR, proton density, a negative.

The tissues are found among the greys and take those of the other contrast. Real images of these contrasts are
few under a free licence, and of some planes there are none; the heads that training has can be turned into
as many as it takes.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS
from gadoscope.training.augmentation.strong.head import find_fat
from gadoscope.training.tissues import find_air, find_near_air, find_tissues, place_tissues, take_brain

Slices = NDArray[np.uint8]
Contrast = Callable[[np.random.Generator], list[float]]
"""Draws the tones of bone, CSF, grey matter, white matter and fat, 0 to 1."""

TISSUE_JITTER = 0.15
"""Of the step between grey and white matter: to where the place of each may be off."""
MAX_LIKENESS = 0.85
"""Correlation with T1 in the brain, from which the turned slice may pass for T1: it is drawn anew."""
MAX_DRAWS = 4
SUPPRESSED = 0.4
"""How often fat is suppressed as well: FLAIR and diffusion mostly are scanned so, T2 often."""
LEAST_RANGE = 0.1
"""Of the turned greys, 0 to 1: a head that is all in one grey is not stretched to noise."""
STRETCH_PERCENTILES = (1.0, 99.7)
"""Of the turned head: black and white, as the image path of a new picture would choose them."""


class Weighting(NamedTuple):
    """From where to where the tones of the tissues are drawn, 0 to 1; white matter's below grey matter's."""

    bone: tuple[float, float]
    csf: tuple[float, float]
    grey: tuple[float, float]
    white_below_grey: tuple[float, float]
    fat: tuple[float, float]
    is_csf_below_grey: bool = False
    """Whether ``csf`` is counted down from grey matter's."""


T2 = Weighting(bone=(0, 1), csf=(0.85, 1), grey=(0.4, 0.75), white_below_grey=(0.12, 0.35), fat=(0.1, 0.9))
"""Water bright, T1 upside down."""
FLAIR = Weighting(bone=(0, 0.1), csf=(0.05, 0.25), grey=(0.6, 0.9), white_below_grey=(0.08, 0.3), fat=(0, 1))
"""CSF dark, and grey matter a little brighter than white; with dark fat as diffusion."""
PROTON_DENSITY = Weighting(
    bone=(0, 0.2),
    csf=(-0.1, 0.3),
    grey=(0.75, 1),
    white_below_grey=(0.12, 0.3),
    fat=(0.2, 1),
    is_csf_below_grey=True,
)
"""Everything bright but white matter and bone."""


def turn_tones(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Give the tissues of a slice the greys of another contrast, wherever its own tissues lie."""
    pixels = pick(slices, generator)
    air = find_air(pixels)
    if (air > 1 / 2).all():
        return to_grey(np.float32(MAX_GREY) - pixels)
    near_air = find_near_air(air)
    turned = _draw_tones(take_brain(pixels, air, near_air), generator)[pixels]
    if generator.random() < SUPPRESSED:
        fat = find_fat(pixels.astype(np.float32), near_air)
        turned *= 1 - np.float32(generator.uniform(1 / 2, 1)) * fat
    low, high = np.percentile(turned[air < 1 / 2], STRETCH_PERCENTILES)
    stretched = (turned - low) * np.float32(MAX_GREY / max(high - low, LEAST_RANGE))
    return to_grey(np.clip(stretched, 0, MAX_GREY) * (1 - air))


def _draw_tones(brain: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float32]:
    """Draw what each grey of a head on T1 becomes in another contrast that is not too like T1."""
    places = draw_places(brain, generator)
    contrasts = [CONTRASTS[int(index)] for index in generator.integers(len(CONTRASTS), size=MAX_DRAWS)]
    for contrast in (*contrasts, _draw_negative):
        curve = draw_curve(places, contrast, generator)
        if brain.std() == 0 or _find_likeness(curve[brain], brain) < MAX_LIKENESS:
            break
    return curve


def draw_places(brain: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return about where black, CSF, grey matter, white matter, fat and white lie on T1, shape (6,), rising.

    Parameters
    ----------
    brain
        The brain's greys, shape (n,), n at least 1.
    """
    tissues = find_tissues(brain)
    step = tissues[2] - tissues[1]
    return place_tissues(tissues + step * TISSUE_JITTER * generator.uniform(-1, 1, 3), generator)


def draw_curve(
    places: NDArray[np.float64], contrast: Contrast, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Draw what each grey on T1 becomes in ``contrast``, shape (256,), 0 to 1."""
    tones = np.clip([*contrast(generator), generator.uniform(0, 1)], 0, 1)
    curve: NDArray[np.float32] = np.interp(np.arange(N_GREYS), places, tones).astype(np.float32)
    return curve


def _find_likeness(turned: NDArray[np.float32], brain: NDArray[np.uint8]) -> float:
    """Return the correlation of two renderings of the same pixels."""
    return float(np.corrcoef(turned, brain)[0, 1]) if turned.std() > 0 else 0.0


def _draw_weighted(weighting: Weighting, generator: np.random.Generator) -> list[float]:
    """Draw the tones of bone, CSF, grey matter, white matter and fat."""
    grey = generator.uniform(*weighting.grey)
    bone, csf = generator.uniform(*weighting.bone), generator.uniform(*weighting.csf)
    white = grey - generator.uniform(*weighting.white_below_grey)
    return [
        bone,
        grey - csf if weighting.is_csf_below_grey else csf,
        grey,
        white,
        generator.uniform(*weighting.fat),
    ]


def _draw_negative(generator: np.random.Generator) -> list[float]:
    """Draw them falling from bone to fat: T1 as a negative."""
    return sorted(generator.uniform(0, 1, 5).tolist(), reverse=True)


draw_t2, draw_flair, _draw_proton_density = (
    partial(_draw_weighted, weighting) for weighting in (T2, FLAIR, PROTON_DENSITY)
)
CONTRASTS = (draw_t2, draw_t2, draw_flair, draw_flair, _draw_proton_density, _draw_negative)
"""As often as archives hold them, roughly."""


def pick(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return one of ``slices``, shape (row, column)."""
    chosen: NDArray[np.uint8] = slices[int(generator.integers(len(slices)))]
    return chosen


def to_grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return whole greys; what is off the scale is cut off."""
    greys: NDArray[np.uint8] = np.clip(values, 0, MAX_GREY).astype(np.uint8)
    return greys

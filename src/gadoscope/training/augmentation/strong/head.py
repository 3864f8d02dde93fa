"""What differs between heads and the sequences they are seen with: bright or suppressed fat, fluid, blood.

All are placed by the head that the canvas shows, and all change slices before and after contrast alike.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.training.augmentation.strong.draws import Draws
from gadoscope.training.tissues import find_air, find_near_air

ALL_RIM = 0.15
"""Share of air around a pixel from which on it is skin, fat or bone."""
FAT = (0.7, 1.2)
"""Of the brain's middle grey: muscle is darker than the first, fat brighter than the second."""
BRIGHTEST = 99.8
"""Percentile of the greys that stays as bright as it was."""
SKIP = 2
"""Of four pixels one is enough for a percentile, and four times as fast."""
SMALLEST_CYST = 0.03
"""Radius, of the side: a ventricle is no smaller."""
FLUID = (0.1, 0.5)
"""Of the brain's middle grey."""
SMALLEST_LESION = 0.015
"""Radius, of the side."""
BRIGHT = (1.15, 2.2)
"""Of the brain's middle grey: blood, protein, melanin, fat, as bright on T1 before contrast as after."""
WITH_BRIGHT_FAT = (0.55, 1.0)
"""Of its grey: so dark the rest of the head becomes where fat is white."""
MIRRORED = 0.4
"""How often there is a second one across the midline, as ventricles are: heads stand in the middle."""
SOFTNESS = 0.25
"""Of the radius: how wide the edge of the fluid is."""
WAVES = ((2, 0.2), (3, 0.15), (5, 0.07))
"""How often the radius rises around the edge, and by how much of itself at most."""

Pixels = NDArray[np.float32]
Canvas = NDArray[np.uint8]


def alter_head(image: Pixels, canvas: Canvas, draws: Draws) -> Pixels:
    """Return ``image``, a canvas in its new tones, with what its head meets; both (row, column), 0..255."""
    met = [effect for effect in HEAD_EFFECTS if draws.meets(effect)]
    if met:
        near_air = find_near_air(find_air(canvas))
        for effect in met:
            change = HEAD_EFFECTS[effect]
            image = change(image, near_air, draws.reach(effect), draws.generator(effect))
    return image


def suppress_fat(image: Pixels, near_air: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Darken the fat around the head by half of ``reach`` to all of it."""
    return darken_fat(image, near_air, reach * generator.uniform(1 / 2, 1))


def darken_fat(image: Pixels, near_air: Pixels, amount: float) -> Pixels:
    """Return ``image`` with what is as bright as fat, in the rim of the head, darker by ``amount``, 0 to 1.

    The rest becomes as bright as the whole was: so scanners scale what they see.
    """
    suppressed: Pixels = image * (1 - np.float32(amount) * find_fat(image, near_air))
    before, after = (float(np.percentile(greys[::SKIP, ::SKIP], BRIGHTEST)) for greys in (image, suppressed))
    suppressed *= np.float32(before / max(after, 1))
    return suppressed


def find_fat(image: Pixels, near_air: Pixels) -> Pixels:
    """Return how much each pixel of a T1 slice is fat, 0 to 1: as bright as fat, in the rim of the head."""
    brain = image[near_air == 0]
    if brain.size == 0:
        return np.zeros_like(image)
    low, high = (np.float32(times * max(float(np.median(brain)), 1)) for times in FAT)
    fat: Pixels = np.clip((image - low) / (high - low), 0, 1) * np.minimum(near_air / np.float32(ALL_RIM), 1)
    return fat


def brighten_fat(image: Pixels, near_air: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Let the fat around the head shine, and the rest be as dark beside it as a display then shows it."""
    fat = np.float32(reach * generator.uniform(1 / 2, 1)) * find_fat(image, near_air)
    rest = image * np.float32(generator.uniform(*WITH_BRIGHT_FAT))
    brighter: Pixels = rest + fat * (MAX_GREY - rest)
    return brighter


def put_cyst(image: Pixels, near_air: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Fill a lobed ellipse of the brain with fluid: a cyst, a cavity; or two of them, wide ventricles."""
    return _fill_brain(image, near_air, (SMALLEST_CYST, reach), FLUID, generator)


def put_bright_lesion(
    image: Pixels, near_air: Pixels, reach: float, generator: np.random.Generator
) -> Pixels:
    """Fill one with what is bright on T1 without any contrast agent; or two, such as basal ganglia."""
    return _fill_brain(image, near_air, (SMALLEST_LESION, reach), BRIGHT, generator)


def _fill_brain(
    image: Pixels,
    near_air: Pixels,
    radius: tuple[float, float],
    greys: tuple[float, float],
    generator: np.random.Generator,
) -> Pixels:
    """Fill a lobed ellipse, or two, with one grey, as many times the brain's middle one as ``greys`` say."""
    size = len(image)
    rows, columns = np.nonzero(near_air == 0)
    radii = size * generator.uniform(radius[0], max(radius), 2)
    turn, *phases = generator.uniform(0, 2 * math.pi, 1 + len(WAVES)).tolist()
    heights, times, place = generator.random(len(WAVES)), generator.uniform(*greys), generator.random()
    mirrored = generator.random() < MIRRORED
    if rows.size == 0:
        return image
    centre = int(place * rows.size)
    lobes = [
        (n, height * drawn, phase)
        for (n, height), drawn, phase in zip(WAVES, heights.tolist(), phases, strict=True)
    ]
    share = fill_lobes(size, (int(rows[centre]), int(columns[centre])), radii.tolist(), turn, lobes)
    if mirrored:
        share = np.maximum(share, share[:, ::-1])
    share *= near_air < ALL_RIM
    grey = np.float32(min(times * float(np.median(image[rows, columns])), MAX_GREY))
    filled: Pixels = image + share * (grey - image)
    return filled


def fill_lobes(
    size: int,
    centre: tuple[int, int],
    radii: Sequence[float],
    turn: float,
    lobes: Sequence[tuple[int, float, float]],
) -> Pixels:
    """Return how much of each pixel a turned ellipse with a wavy edge fills, 0 to 1, shape (size, size).

    Parameters
    ----------
    centre
        (row, column).
    lobes
        Of each wave around the edge: how often it rises, by how much of the radius, and its phase.

    Notes
    -----
    Only the rows and columns that the ellipse can reach are computed.
    """
    cos, sin = math.cos(turn), math.sin(turn)
    furthest = (1 + SOFTNESS / 2) / math.prod(1 - height for _, height, _ in lobes)
    box = []
    for place, (first, second) in zip(centre, ((sin, cos), (cos, sin)), strict=True):
        reach = math.ceil(furthest * math.hypot(radii[0] * first, radii[1] * second)) + 1
        box.append(slice(max(0, place - reach), min(size, place + reach + 1)))
    down, right = (
        np.arange(size, dtype=np.float32)[part] - place for part, place in zip(box, centre, strict=True)
    )
    along = (right * cos + down[:, None] * sin) / np.float32(radii[0])
    across = (down[:, None] * cos - right * sin) / np.float32(radii[1])
    angle, distance = np.arctan2(across, along), np.hypot(along, across)
    for n_lobes, height, phase in lobes:
        distance = distance * (1 + np.float32(height) * np.cos(n_lobes * angle + np.float32(phase)))
    share = np.zeros((size, size), np.float32)
    share[tuple(box)] = np.clip((1 + SOFTNESS / 2 - distance) / np.float32(SOFTNESS), 0, 1)
    return share


HEAD_EFFECTS: dict[str, Callable[[Pixels, Pixels, float, np.random.Generator], Pixels]] = {
    "cyst": put_cyst,
    "bright_lesion": put_bright_lesion,
    "fat_suppression": suppress_fat,
    "bright_fat": brighten_fat,
}
"""The patient, then the sequence."""

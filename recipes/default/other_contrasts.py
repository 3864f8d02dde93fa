"""Slices of FLAIR and T2 that nobody scanned: T1 slices of any plane, for the gate to refuse.

Inside the brain the greys of a T1 slice tell the tissue, and with it the grey on T2 or FLAIR
(`gadoscope.training.counterexamples.contrasts`). Around it they do not: bone is as black as fluid, and fat as
bright as white matter. A small U-Net learns the surroundings from FLAIR slices and the T1 slices of the same
patients at the same places. Of the brain it makes one grey, so there the tissues decide.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from torch import nn

from gadoscope.imaging.foreground import find_foreground
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.augmentation.strong.head import ALL_RIM, find_fat
from gadoscope.training.counterexamples.contrasts import draw_curve, draw_flair, draw_places, draw_t2
from gadoscope.training.sampling import find_place
from gadoscope.training.tissues import find_air, find_near_air, take_brain
from recipes.default.pairs import BRIGHTEST, Picture, cut_head, read_on_one_grid, to_grey
from recipes.default.unet import N_STEPS, Patch, UNet, draw_place, iter_seen, train_unet, write_simulated

GAMMA, GAIN, NOISE = (0.6, 1.6), (0.7, 1.15), (0.0, 0.04)
"""Drawn for each patch of T1: other hospitals have other tones. Its FLAIR stays as it is."""
CONTRASTS: Final = {"flair": draw_flair, "t2": draw_t2}
"""Fast spin echoes both: skin, fat, muscle and bone look alike."""
SUPPRESSED: Final = 0.5
"""How often fat is dark."""
LEAST_SUPPRESSED: Final = 0.6
FAT: Final = (0.4, 1.1)
"""Of white, where it is not: on fast spin echoes as bright as on T1."""
SKULLS: Final = {Plane.SAGITTAL: (0.36, 0.5, 0.46), Plane.CORONAL: (0.36, 0.5, 0.46)}
"""Row, column and radius of what holds the brain, of the side of the head's square: face and neck lie
outside. An axial slice may hold brain everywhere."""
SKULL_JITTER: Final = 0.04
SKULL_EDGE: Final = 0.05
"""Of the side: how wide its border is."""
MUSCLE: Final = (0.1, 0.8)
"""Of the grey that face and neck would have by their grey on T1 alone, where they look like grey matter."""
LEAST_GREY = 0.05
"""Of white: the brain is made no darker than this before it is compared."""

FlairPair = tuple[Picture, Picture]
"""T1 and FLAIR."""


def read_flair_pairs(t1_items: Sequence[Item], flair_items: Sequence[Item]) -> list[FlairPair]:
    """Return the slices of T1, of either phase, with the FLAIR slice of the same patient and place."""
    flairs = {(item.subject_id, find_place(item)): item for item in flair_items}
    pairs = []
    for item in t1_items:
        flair = flairs.get((item.subject_id, find_place(item)))
        both = None if flair is None else read_on_one_grid(item, flair)
        if both is not None:
            box = find_foreground(both[0]).box
            pairs.append((cut_head(both[0], box), cut_head(both[1], box)))
    return pairs


def train_flair(pairs: Sequence[FlairPair], *, seed: int, n_steps: int = N_STEPS) -> UNet:
    """Learn from ``pairs`` what FLAIR shows where T1 shows something."""
    return train_unet(pairs, _draw_patch, F.l1_loss, seed=seed, n_steps=n_steps)


def _draw_patch(pair: FlairPair, generator: np.random.Generator) -> Patch:
    t1, flair = map(draw_place(len(pair[0]), generator), pair)
    gamma, gain, noise = (generator.uniform(*limits) for limits in (GAMMA, GAIN, NOISE))
    shown = gain * t1**gamma + generator.normal(0, noise, t1.shape)
    return shown.astype(np.float32), flair.astype(np.float32)


def simulate_others(
    network: nn.Module, items: Sequence[Item], *, folder: Path, source: str, seed: int
) -> list[Item]:
    """Write each T1 slice as FLAIR or as T2, in turn, and return the rows, labelled other.

    The rows are of ``source`` and the contrast, such as simulated-flair: batches draw from each source alike.
    """
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (item, head, flair) in enumerate(iter_seen(network, items)):
        contrast = list(CONTRASTS)[number % len(CONTRASTS)]
        picture = turn_slice(head, flair, contrast, item.plane, generator)
        named = f"{source}-{contrast}"
        rows.append(write_simulated(item, picture, folder, label=Label.OTHER, source=named, kind=contrast))
    return rows


def turn_slice(
    head: Picture, flair: Picture, contrast: str, plane: Plane, generator: np.random.Generator
) -> Picture:
    """Return a T1 slice in another contrast.

    Parameters
    ----------
    head
        On T1.
    flair
        What the network makes of it.
    contrast
        One of `CONTRASTS`.
    plane
        Where face and neck are to be looked for depends on it.
    """
    pixels = to_grey(head)
    air = find_air(pixels)
    near_air = find_near_air(air)
    inside = np.clip(1 - near_air / np.float32(ALL_RIM), 0, 1)
    deep = inside == 1
    if not deep.any():
        return flair
    places = draw_places(take_brain(pixels, air, near_air), generator)
    brain = draw_curve(places, CONTRASTS[contrast], generator)[pixels]
    gain = max(float(np.median(brain[deep])), LEAST_GREY) / max(float(np.median(flair[deep])), LEAST_GREY)
    fat = find_fat(pixels.astype(np.float32), near_air)
    around = gain * flair
    if generator.random() < SUPPRESSED:
        around = around * (1 - np.float32(generator.uniform(LEAST_SUPPRESSED, 1)) * fat)
    else:
        around = around + fat * (np.float32(generator.uniform(*FAT)) - around)
    turned: Picture = (
        (inside * brain + (1 - inside) * around) * _draw_muscle(fat, plane, generator) * (1 - air)
    )
    return turned / max(float(np.percentile(turned, BRIGHTEST)), LEAST_GREY)


def _draw_muscle(fat: Picture, plane: Plane, generator: np.random.Generator) -> Picture:
    """Draw how much darker each pixel is for lying outside the skull, 0 to 1; fat is not."""
    if plane not in SKULLS:
        return np.ones_like(fat)
    row, column, radius = SKULLS[plane] + generator.uniform(-SKULL_JITTER, SKULL_JITTER, 3)
    muscle = generator.uniform(*MUSCLE)
    places = np.linspace(0, 1, len(fat), dtype=np.float32)
    distance = np.hypot(places[:, None] - np.float32(row), places - np.float32(column))
    outside = np.clip((distance - np.float32(radius)) / np.float32(SKULL_EDGE), 0, 1)
    darker: Picture = 1 - np.float32(1 - muscle) * outside * (1 - fat)
    return darker

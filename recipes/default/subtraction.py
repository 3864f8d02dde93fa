"""Slices before contrast that nobody scanned: post-contrast slices with their enhancement taken away.

Where a hospital has post-contrast images alone, a network learns the hospital. A small U-Net learns from the
pairs of other hospitals what the agent brightens, as a subtraction image shows it, and takes it out of the
images of the one that has no pairs. Subtracting leaves traces, and traces must not mean pre-contrast: every
slice is also given with a little of another patient's enhancement, mirrored, taken from it: from places that
are mostly wrong. It stays post-contrast. The skin and fat around the head lose their enhancement in every
second slice alone: bright fat, as on a spin echo before contrast, must not mean post-contrast.

References
----------
Koenker and Bassett, Regression quantiles, 1978: the loss
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter
from torch import Tensor, nn

from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.training.augmentation.strong.head import ALL_RIM
from gadoscope.training.tissues import AIR_GREY, find_air, find_near_air
from recipes.default.pairs import Pair, Picture, to_grey
from recipes.default.unet import N_STEPS, Patch, UNet, draw_place, iter_seen, train_unet, write_pair

QUANTILE = 0.6
"""The median would miss what enhances in every second patient only."""
STRONG, STRONG_WEIGHT = 0.12, 5.0
"""Of white: an enhancement so strong counts so many times; it fills a small part of the head."""
DARKEST = -0.2
"""What is darker afterwards is no enhancement; how much darker does not matter."""
GAMMA, GAIN, NOISE = (0.7, 1.4), (0.6, 1.15), (0.0, 0.03)
"""Drawn for each patch: other hospitals have other tones."""

KEPT: Final = (0.02, 0.08)
"""Of white: so much enhancement is left everywhere, or the texture of the brain would go with it."""
AMOUNT: Final = (1.0, 1.25)
MISPLACED: Final = (0.1, 0.35)
"""How much of another patient's enhancement is taken, mirrored."""
FAT_KEPT: Final = 0.5
"""How often the rim of the head stays as bright as it was."""
AIR_WIDTH, DEEP, SOFT_EDGE = 4, 29, 3
"""Pixels: around which it has to be dark to be air; what has no air so near lies deep in the head."""
MOST_AIR = 0.5
"""Share of air within that distance from which on nothing is capped."""
LEAST_DEEP, LEAST_BRAIN = 0.9, 500
"""How deep the brain's greys are looked for, and the pixels it takes."""
BRIGHTER, CAP_PERCENTILE, CAP = 0.02, 80, 0.75
"""Of the brain's greys: what is still brighter than most of the brain by so much loses so much of that. A
tumour that is filled evenly has no rim that would give it away."""


def train_subtraction(pairs: Sequence[Pair], *, seed: int, n_steps: int = N_STEPS) -> UNet:
    """Learn from ``pairs`` to see the enhancement in the slice after contrast alone."""
    return train_unet(pairs, _draw_patch, _find_loss, seed=seed, n_steps=n_steps)


def _find_loss(wanted: Tensor, found: Tensor) -> Tensor:
    error = wanted - found
    loss = torch.maximum(QUANTILE * error, (QUANTILE - 1) * error)
    return torch.where(wanted > STRONG, STRONG_WEIGHT * loss, loss).mean()


def _draw_patch(pair: Pair, generator: np.random.Generator) -> Patch:
    """Return a patch after contrast and its enhancement, turned, mirrored, and in other tones."""
    cut = draw_place(len(pair.after), generator)
    gamma, gain, noise = (generator.uniform(*limits) for limits in (GAMMA, GAIN, NOISE))
    after, before = (gain * cut(picture) ** gamma for picture in (pair.after, pair.before))
    wanted = np.clip(after - before, DARKEST, 1)
    noisy = after + generator.normal(0, noise, after.shape)
    return noisy.astype(np.float32), wanted.astype(np.float32)


def simulate_pairs(
    network: nn.Module, items: Sequence[Item], *, folder: Path, source: str, seed: int
) -> list[Item]:
    """Write each post-contrast slice without its enhancement, and with traces of subtraction only.

    Returns
    -------
    Their rows, of ``source`` and the same patient: the first labelled pre, the second post. The two files of
    a slice end in the same number, so they are a pair.
    """
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Item] = []
    for item, head, enhancement, elsewhere in _iter_misplaced(iter_seen(network, items)):
        kept, amount, misplaced = (generator.uniform(*limits) for limits in (KEPT, AMOUNT, MISPLACED))
        spared = spare_rim(head) if generator.random() < FAT_KEPT else np.float32(1)
        traces = misplaced * amount * np.maximum(spared * elsewhere[:, ::-1] - kept, 0)
        simulated = {
            Label.PRE: cap_brain(head - amount * np.maximum(spared * enhancement - kept, 0)),
            Label.POST: head - traces,
        }
        rows += write_pair(item, simulated, folder, source=source)
    return rows


def _iter_misplaced(
    enhancements: Iterable[tuple[Item, Picture, Picture]],
) -> Iterator[tuple[Item, Picture, Picture, Picture]]:
    """Yield with each slice what enhanced in the last one of the patient before; the first have their own."""
    before: Picture | None = None
    last: tuple[Item, Picture] | None = None
    for item, head, enhancement in enhancements:
        if last is not None and last[0].subject_id != item.subject_id:
            before = last[1]
        yield item, head, enhancement, enhancement if before is None else before
        last = item, enhancement


def spare_rim(head: Picture) -> Picture:
    """Return 1 for what lies deep in a head, falling to 0 in the skin, fat and bone around it."""
    deep: Picture = 1 - np.minimum(find_near_air(find_air(to_grey(head))) / np.float32(ALL_RIM), 1)
    return deep


def cap_brain(picture: Picture) -> Picture:
    """Darken what is brighter than most of the brain, deep in the head: a tumour that is still there."""
    air = np.clip(2 - gaussian_filter(picture, AIR_WIDTH) * MAX_GREY / AIR_GREY, 0, 1)
    deep = np.clip(1 - uniform_filter(air, DEEP) / MOST_AIR, 0, 1)
    brain: NDArray[np.bool_] = deep > LEAST_DEEP
    if brain.sum() < LEAST_BRAIN:
        return picture
    ceiling = np.percentile(picture[brain], CAP_PERCENTILE) + BRIGHTER
    excess = np.maximum(picture - ceiling, 0)
    capped: Picture = (picture - CAP * excess * gaussian_filter(deep, SOFT_EDGE)).astype(np.float32)
    return capped

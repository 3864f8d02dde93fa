"""Slices before contrast that nobody scanned: post-contrast slices with their enhancement taken away.

Where a hospital has post-contrast images alone, a network learns the hospital. A small U-Net learns from the
pairs of other hospitals what the agent brightens, as a subtraction image shows it, and takes it out of the
images of the one that has no pairs. Subtracting leaves traces, and traces must not mean pre-contrast: every
slice is also given with a little of another patient's enhancement, mirrored, taken from it: from places that
are mostly wrong. It stays post-contrast.

References
----------
Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, 2015
Koenker and Bassett, Regression quantiles, 1978: the loss
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter
from torch import Tensor, nn

from benchmarks.contrast_pairs import Pair, Picture, cut_head
from gadoscope.imaging.foreground import find_foreground
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.reading.images import read_slice
from gadoscope.training.tissues import AIR_GREY

CHANNELS = (12, 24, 48, 64)
NORM_GROUPS = 4
PATCH_SIDE = 128
BATCH_SIZE = 16
N_STEPS = 600
LEARNING_RATE = 2e-3
WARMUP = 50
WEIGHT_DECAY = 1e-3
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
AIR_WIDTH, DEEP, SOFT_EDGE = 4, 29, 3
"""Pixels: around which it has to be dark to be air; what has no air so near lies deep in the head."""
MOST_AIR = 0.5
"""Share of air within that distance from which on nothing is capped."""
LEAST_DEEP, LEAST_BRAIN = 0.9, 500
"""How deep the brain's greys are looked for, and the pixels it takes."""
BRIGHTER, CAP_PERCENTILE, CAP = 0.02, 80, 0.75
"""Of the brain's greys: what is still brighter than most of the brain by so much loses so much of that. A
tumour that is filled evenly has no rim that would give it away."""
NOTE = "simulated"


class Stage(nn.Module):
    """Twice: 3 x 3 convolution, group norm, ReLU."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(NORM_GROUPS, n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(NORM_GROUPS, n_out)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same height and width."""
        maps = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(self.norm2(self.conv2(maps)))


class Subtraction(nn.Module):
    """Slices after contrast in, what enhances in them out, both (n, 1, rows, columns), multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [Stage(n_in, n_out) for n_in, n_out in zip((1, *CHANNELS), CHANNELS, strict=False)]
        )
        self.up = nn.ModuleList([Stage(fine + coarse, fine) for fine, coarse in pairwise(CHANNELS)])
        self.last = nn.Conv2d(CHANNELS[0], 1, 1)
        nn.init.zeros_(self.last.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def forward(self, slices: Tensor) -> Tensor:
        """Return the enhancement; negative where there is none."""
        maps = slices
        kept: list[Tensor] = []
        for stage in self.down:
            maps = stage(F.max_pool2d(maps, 2) if kept else maps)
            kept.append(maps)
        maps = kept.pop()
        for stage in reversed(self.up):
            larger = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
            maps = stage(torch.cat([kept.pop(), larger], dim=1))
        enhancement: Tensor = self.last(maps)
        return enhancement


def train_subtraction(pairs: Sequence[Pair], *, seed: int, n_steps: int = N_STEPS) -> Subtraction:
    """Learn from ``pairs`` to see the enhancement in the slice after contrast alone."""
    generator = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Subtraction()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / WARMUP) * (1 + np.cos(np.pi * step / n_steps)) / 2
    )
    for _ in range(n_steps):
        chosen = generator.integers(len(pairs), size=BATCH_SIZE)
        patches = [_draw_patch(pairs[int(index)], generator) for index in chosen]
        after, wanted = (_to_tensor(part) for part in zip(*patches, strict=True))
        error = wanted - _look(network, after)
        loss = torch.maximum(QUANTILE * error, (QUANTILE - 1) * error)
        optimiser.zero_grad()
        torch.where(wanted > STRONG, STRONG_WEIGHT * loss, loss).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def _draw_patch(pair: Pair, generator: np.random.Generator) -> tuple[Picture, Picture]:
    """Return a patch after contrast and its enhancement, turned, mirrored, and in other tones."""
    top, left = generator.integers(0, pair.after.shape[0] - PATCH_SIDE + 1, size=2)
    place = np.s_[top : top + PATCH_SIDE, left : left + PATCH_SIDE]
    n_turns, step = int(generator.integers(4)), int(generator.choice([-1, 1]))
    gamma, gain, noise = (generator.uniform(*limits) for limits in (GAMMA, GAIN, NOISE))
    after, before = (
        gain * np.rot90(picture[place], n_turns)[:, ::step] ** gamma for picture in (pair.after, pair.before)
    )
    wanted = np.clip(after - before, DARKEST, 1)
    noisy = after + generator.normal(0, noise, after.shape)
    return noisy.astype(np.float32), wanted.astype(np.float32)


def _to_tensor(pictures: Sequence[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures))[:, None]


def _look(network: nn.Module, after: Tensor) -> Tensor:
    with torch.autocast(after.device.type, torch.bfloat16):
        enhancement: Tensor = network(after.to(memory_format=torch.channels_last))
    return enhancement.float()


@torch.inference_mode()
def find_enhancement(network: nn.Module, slices: Sequence[Picture]) -> list[Picture]:
    """Return what enhances in each slice, 0 where nothing does."""
    found = np.clip(_look(network, _to_tensor(slices))[:, 0].numpy(), 0, 1)
    return list(found)


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
    rows = []
    for item, head, enhancement, elsewhere in _iter_misplaced(_iter_enhancements(network, items)):
        kept, amount, misplaced = (generator.uniform(*limits) for limits in (KEPT, AMOUNT, MISPLACED))
        traces = misplaced * amount * np.maximum(elsewhere[:, ::-1] - kept, 0)
        simulated = {
            Label.PRE: cap_brain(head - amount * np.maximum(enhancement - kept, 0)),
            Label.POST: head - traces,
        }
        for label, picture in simulated.items():
            path = folder / f"{item.plane.value}_{label.value}_{item.path.stem}.png"
            Image.fromarray((np.clip(picture, 0, 1) * MAX_GREY).round().astype(np.uint8)).save(path)
            rows.append(
                replace(
                    item,
                    path=path,
                    label=label,
                    source=source,
                    split=None,
                    extra={**item.extra, "note": NOTE},
                )
            )
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


def _iter_enhancements(network: nn.Module, items: Sequence[Item]) -> Iterator[tuple[Item, Picture, Picture]]:
    for start in range(0, len(items), BATCH_SIZE):
        chosen = items[start : start + BATCH_SIZE]
        slices = [read_slice(item.path).pixels for item in chosen]
        heads = [cut_head(pixels, find_foreground(pixels).box) for pixels in slices]
        yield from zip(chosen, heads, find_enhancement(network, heads), strict=True)


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

"""A small U-Net from one slice to another, and how it is taught: enough for what a few hundred slices show.

It makes training data (`recipes.default.subtraction`, `recipes.default.other_contrasts`) and does not ship.

References
----------
Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, 2015
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gadoscope.labels import Label
from gadoscope.models.blocked import computes_bf16
from gadoscope.preparation.items import Item
from recipes.default.pairs import Picture, read_head, to_grey

CHANNELS = (12, 24, 48, 64)
NORM_GROUPS = 4
PATCH_SIDE = 128
BATCH_SIZE = 16
N_STEPS = 600
LEARNING_RATE = 2e-3
WARMUP = 50
WEIGHT_DECAY = 1e-3
NOTE = "simulated"
"""In the rows of what was made."""

Patch = tuple[Picture, Picture]
"""What is shown and what is wanted, each shape (PATCH_SIDE, PATCH_SIDE)."""
P = TypeVar("P")
"""Of whatever a patch is drawn from."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""Of what was wanted and what was found, each (n, 1, row, column): one number."""


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


class UNet(nn.Module):
    """Slices in, slices out, both (n, 1, rows, columns), multiples of 8."""

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
        """Return what it makes of ``slices``."""
        maps = slices
        kept: list[Tensor] = []
        for stage in self.down:
            maps = stage(F.max_pool2d(maps, 2) if kept else maps)
            kept.append(maps)
        maps = kept.pop()
        for stage in reversed(self.up):
            larger = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
            maps = stage(torch.cat([kept.pop(), larger], dim=1))
        made: Tensor = self.last(maps)
        return made


def train_unet(
    pairs: Sequence[P],
    draw_patch: Callable[[P, np.random.Generator], Patch],
    find_loss: Loss,
    *,
    seed: int,
    n_steps: int = N_STEPS,
) -> UNet:
    """Teach a network, by batches of patches of ``pairs``."""
    generator = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = UNet()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / WARMUP) * (1 + np.cos(np.pi * step / n_steps)) / 2
    )
    for _ in range(n_steps):
        chosen = generator.integers(len(pairs), size=BATCH_SIZE)
        patches = [draw_patch(pairs[int(index)], generator) for index in chosen]
        shown, wanted = (_to_tensor(part) for part in zip(*patches, strict=True))
        loss = find_loss(wanted, _look(network, shown))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def keep_network(path: Path | None, train: Callable[[], UNet]) -> UNet:
    """Return the network in a file, or a new one, kept there: several builds of the data can share it."""
    if path is None:
        return train()
    if path.exists():
        network = UNet()
        network.load_state_dict(load_file(path))
        return network.eval()
    network = train()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return network


def draw_place(side: int, generator: np.random.Generator) -> Callable[[Picture], Picture]:
    """Draw how a patch is cut from pictures of ``side``: its place, its turn, and whether it is mirrored."""
    top, left = generator.integers(0, side - PATCH_SIDE + 1, size=2)
    place = np.s_[top : top + PATCH_SIDE, left : left + PATCH_SIDE]
    n_turns, step = int(generator.integers(4)), int(generator.choice([-1, 1]))
    return lambda picture: np.rot90(picture[place], n_turns)[:, ::step]


@torch.inference_mode()
def look(network: nn.Module, slices: Sequence[Picture]) -> list[Picture]:
    """Return what the network makes of each slice, cut off at 0 and 1."""
    return list(np.clip(_look(network, _to_tensor(slices))[:, 0].numpy(), 0, 1))


def iter_seen(network: nn.Module, items: Sequence[Item]) -> Iterator[tuple[Item, Picture, Picture]]:
    """Yield with each image its head and what the network makes of that."""
    for start in range(0, len(items), BATCH_SIZE):
        chosen = items[start : start + BATCH_SIZE]
        heads = [read_head(item) for item in chosen]
        yield from zip(chosen, heads, look(network, heads), strict=True)


def write_simulated(
    item: Item, picture: Picture, folder: Path, *, label: Label, source: str, kind: str
) -> Item:
    """Write what was made of an image, named by its plane, ``kind`` and file, and return its row."""
    path = folder / f"{item.plane.value}_{kind}_{item.path.stem}.png"
    Image.fromarray(to_grey(picture)).save(path)
    extra = {**item.extra, "note": NOTE}
    return replace(item, path=path, label=label, source=source, split=None, extra=extra)


def write_pair(item: Item, simulated: Mapping[Label, Picture], folder: Path, *, source: str) -> list[Item]:
    """Write what was made of an image for each label, and return the rows in this order: a pair."""
    return [
        write_simulated(item, picture, folder, label=label, source=source, kind=label.value)
        for label, picture in simulated.items()
    ]


def _to_tensor(pictures: Sequence[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures))[:, None]


def _look(network: nn.Module, slices: Tensor) -> Tensor:
    with torch.autocast(slices.device.type, torch.bfloat16, enabled=computes_bf16()):
        made: Tensor = network(slices.to(memory_format=torch.channels_last))
    return made.float()

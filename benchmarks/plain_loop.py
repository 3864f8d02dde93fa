"""The peer of `default_speed`: the default network and its augmentation as one writes them in an afternoon.

    python -m benchmarks.plain_loop RUN EPOCHS

``torch.nn`` modules in NCHW, fp32, a `DataLoader` whose workers augment image by image. It reads the slices
that a run of `gadoscope train` has prepared, so that no decoding counts against it. Prints JSON.
"""

import json
import math
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from gadoscope.labels import Label, Split
from gadoscope.models.compact import CHANNELS, DROPOUT_RATE, N_RESIDUAL
from gadoscope.preparation.manifest import read_manifest
from gadoscope.training.augmentation.strong.distort import distort_batch
from gadoscope.training.config import TrainingConfig, read_config


class Slices(Dataset[tuple[Tensor, Tensor]]):
    """As many augmented slices as an epoch has, drawn with replacement."""

    def __init__(self, canvases: np.ndarray, labels: np.ndarray, config: TrainingConfig) -> None:
        self.canvases, self.labels, self.config = canvases, labels, config

    def __len__(self) -> int:
        return self.config.sampling.steps_per_epoch * self.config.batch_size

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = index % len(self.labels)
        seed = [int(torch.randint(2**31, ()))]
        image = distort_batch(
            self.canvases[row : row + 1],
            size=self.config.image.size,
            augmentation=self.config.distort,
            seed=seed,
        )
        return torch.from_numpy(image / 255), torch.tensor(float(self.labels[row]))


class Block(nn.Module):
    """A residual block."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(n, n, 3, padding=1, bias=False),
            nn.BatchNorm2d(n),
            nn.ReLU(),
            nn.Conv2d(n, n, 3, padding=1, bias=False),
            nn.BatchNorm2d(n),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps and what the block adds."""
        return torch.relu(maps + self.inner(maps))


class Plain(nn.Module):
    """The default network."""

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for index, (n_in, n_out) in enumerate(zip((1, *CHANNELS), CHANNELS, strict=False)):
            stages += [
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
                nn.MaxPool2d(2),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
            if index >= len(CHANNELS) - N_RESIDUAL:
                stages.append(Block(n_out))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.Dropout(DROPOUT_RATE), nn.Linear(2 * CHANNELS[-1], 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n,)."""
        maps = self.stages(images)
        logits: Tensor = self.head(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1))
        return logits.squeeze(1)


def main() -> None:
    """Train and print the seconds of the median epoch."""
    run, n_epochs = Path(sys.argv[1]), int(sys.argv[2])
    config = read_config(run / "config.toml")
    manifest = read_manifest(run / "manifest.csv")
    data = {}
    for split in (Split.TRAIN, Split.VALIDATION):
        labels = [item.label is Label.POST for item in manifest.with_split(split)]
        data[split] = (
            np.load(run.parent / "prepared" / split.value / "images.npy"),
            np.array(labels, np.float32),
        )
    loader = DataLoader(
        Slices(*data[Split.TRAIN], config), config.batch_size, shuffle=True, num_workers=os.cpu_count() or 1
    )
    network, settings = Plain(), config.optimiser
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_epochs * len(loader))
    seconds = [
        _run_epoch(network, optimiser, schedule, loader, data[Split.VALIDATION]) for _ in range(n_epochs)
    ]
    print(json.dumps({"median_epoch_s": statistics.median(seconds), "seconds": seconds}))


def _run_epoch(
    network: Plain,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    loader: DataLoader[tuple[Tensor, Tensor]],
    validation: tuple[np.ndarray, np.ndarray],
) -> float:
    start = time.perf_counter()
    loss_of = nn.BCEWithLogitsLoss()
    network.train()
    for images, targets in loader:
        optimiser.zero_grad()
        loss = loss_of(network(images), targets)
        loss.backward()
        optimiser.step()
        schedule.step()
        if not math.isfinite(loss.item()):
            raise SystemExit("the loss is no number")
    network.eval()
    with torch.no_grad():
        for index in range(0, len(validation[0]), 64):
            pixels = torch.from_numpy(validation[0][index : index + 64].astype(np.float32) / 255)
            network(pixels.unsqueeze(1))
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

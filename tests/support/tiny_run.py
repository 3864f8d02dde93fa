"""A finished run without a training: the tiny bundle, slices of known brightness, and made-up curves.

The tiny bundle calls a slice post-contrast where its mean brightness is at least half.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gadoscope.files import hash_file
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.manifest import Item, Manifest, write_manifest
from tests.support.bundles import write_tiny_bundle

LAYERS = [
    {"name": "conv1", "output_shape": [329, 329, 16], "parameters": 448},
    {"name": "rest", "output_shape": [1], "parameters": 108625},
]


def write_slice(path: Path, brightness: float, seed: int) -> Path:
    """Write a noisy slice with this mean brightness (0 to 1); each seed is another image."""
    noise = np.random.default_rng(seed).integers(-20, 21, (40, 48))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(255 * brightness + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def make_item(folder: Path, number: int, label: Label, brightness: float, split: Split | None) -> Item:
    """Return a slice on disk as a row of a manifest: one subject for each two numbers."""
    path = write_slice(folder / f"{number:03}-{label.value}.png", brightness, number)
    return Item(
        path=path,
        label=label,
        subject_id=f"s{number // 2}",
        plane=Plane.SAGITTAL,
        source="hospital",
        split=split,
        extra={"sha256": hash_file(path)},
    )


def make_items(folder: Path, split: Split | None, *, first: int, n: int = 12) -> list[Item]:
    """Return n slices, labels in turn; of each split two answers are wrong."""
    items = []
    for number in range(first, first + n):
        label = Label.POST if number % 2 else Label.PRE
        wrong = number - first in (1, 4)
        bright = (label is Label.POST) != wrong
        items.append(make_item(folder, number, label, 0.56 if bright else 0.42, split))
    return items


def write_run(folder: Path, items: Sequence[Item] | None = None) -> Path:
    """Write what `gadoscope train` leaves behind; by default 12 images in each split."""
    images = folder.parent / "images"
    splits = enumerate((Split.TRAIN, Split.VALIDATION, Split.TEST))
    rows = items or [row for n, split in splits for row in make_items(images, split, first=12 * n)]
    write_tiny_bundle(folder / "model.onnx")
    write_manifest(Manifest(items=tuple(rows), origin=folder), folder / "manifest.csv")
    history = [
        {
            "epoch": epoch,
            "train_loss": 0.7 / epoch,
            "train_accuracy": 0.8,
            "validation_loss": 0.8 / epoch,
            "validation_accuracy": 0.75,
            "seconds": 1.5,
        }
        for epoch in (1, 2, 3)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history))
    record = {
        "config": {"seed": 1020, "epochs": 3, "split": {"method": "subject"}},
        "layers": LAYERS,
        "software": {"gadoscope": "0.1.0", "python": "3.11", "libraries": {"torch": "2.13.0"}},
        "hardware": {"processor": "a processor", "threads": 1, "gpus": []},
    }
    (folder / "record.json").write_text(json.dumps(record))
    return folder

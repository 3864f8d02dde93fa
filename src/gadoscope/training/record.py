"""What a run needs to be repeated: versions, hardware, seed, threads, and a digest of the data."""

import hashlib
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from gadoscope.labels import Split
from gadoscope.preparation.items import Manifest
from gadoscope.preparation.split import digest_split
from gadoscope.preparation.subjects import count_items
from gadoscope.training.config import TrainingConfig
from gadoscope.version import __version__


def digest_data(digests: Sequence[str], labels: Sequence[int], splits: Sequence[str]) -> str:
    """Return the SHA-256 of what was trained on: each file's digest, label and split, in order."""
    lines = (
        f"{digest} {label} {split}" for digest, label, split in zip(digests, labels, splits, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def describe_split(manifest: Manifest, config: TrainingConfig) -> dict[str, Any]:
    """Return how the images were divided, what each part holds, and the digest of who is where."""
    return {
        "split_sha256": digest_split(manifest),
        "settings": {**asdict(config.split), "seed": config.seed},
        "parts": {split.value: count_items(manifest.with_split(split)) for split in Split},
    }


def describe_software() -> dict[str, Any]:
    """Return the versions of Gadoscope, Python, the system, and every installed library."""
    libraries = {found.metadata["Name"]: found.version for found in metadata.distributions()}
    return {
        "gadoscope": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": dict(sorted(libraries.items(), key=lambda item: item[0].lower())),
    }


def describe_hardware() -> dict[str, Any]:
    """Return what the result to the last bit depends on: processor, instructions, threads, GPUs."""
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "processor": _processor_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }


def _processor_name() -> str:
    """Return the processor's name: Linux keeps it in a file, other systems tell Python."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

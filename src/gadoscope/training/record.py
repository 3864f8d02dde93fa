"""What a run needs to be repeated: versions, hardware, seed, threads, and a digest of the data."""

import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from gadoscope.files import write_text
from gadoscope.inference.bundle import Bundle
from gadoscope.labels import Level, Split
from gadoscope.preparation.items import Manifest
from gadoscope.preparation.manifest import write_manifest
from gadoscope.preparation.split import digest_split
from gadoscope.preparation.subjects import count_items
from gadoscope.records import to_plain
from gadoscope.report.curves import learning_curves_svg
from gadoscope.run_folder import (
    CONFIG_NAME,
    MANIFEST_NAME,
    METRICS_NAME,
    RECORD_NAME,
    SPLIT_NAME,
    flatten_settings,
)
from gadoscope.training.config import TrainingConfig, format_config
from gadoscope.training.data import TrainingData
from gadoscope.training.freeze import HeldOut
from gadoscope.training.job import CURVES_NAME, Job, TrainedRun
from gadoscope.training.teacher import Teacher
from gadoscope.version import __version__

# What may change between the start of a run and its resumption without changing its weights.
FREE_SETTINGS = (
    "name",
    "licence",
    "epochs",
    "threads",
    "split",
    "operating_point",
    "calibration",
    "aggregation",
    "abstention",
    "log",
)
FREE_OF_GATE = ("max_refused",)
"""Of the gate's settings: its threshold is chosen when the training has ended."""


def identify(
    config: TrainingConfig, data: TrainingData, *, init: str | None, teacher: str | None
) -> dict[str, Any]:
    """Return what must be the same for a killed run to go on.

    Parameters
    ----------
    init, teacher
        SHA-256 of the bundles that it starts and learns from.
    """
    free = set(FREE_SETTINGS) - ({"epochs"} if config.optimiser.depends_on_length else set())
    settings = {name: value for name, value in to_plain(config).items() if name not in free}
    settings["gate"] = {name: value for name, value in settings["gate"].items() if name not in FREE_OF_GATE}
    splits = [Split.TRAIN] * len(data.train.items) + [Split.VALIDATION] * len(data.validation.items)
    return {
        **settings,
        "data_sha256": digest_data(
            [digest for store in data.stores for digest in store.digests],
            [label for store in data.stores for label in store.labels.tolist()],
            splits,
        ),
        "init_sha256": init,
        "teacher_sha256": teacher,
    }


def list_claims(
    job: Job, manifest: Manifest, start: Bundle | None, teacher: Teacher | None, held_out: HeldOut
) -> dict[str, Any]:
    """Return what must be the same in all processes of a run, by its name in a sentence."""
    return {
        **list_settings(job.config),
        "--data": digest_split(manifest),
        "--init": start.sha256 if start else None,
        "--teacher": teacher.sha256 if teacher else None,
        "--held-out": held_out.sha256,
        "--resume": job.resume,
    }


def list_settings(config: TrainingConfig) -> dict[str, str]:
    """Return the settings of a run by the names that `--set` takes, but for whom it tells of itself."""
    told = {name: value for name, value in to_plain(config).items() if name != "log"}
    return dict(flatten_settings(told))


def write_start(run: Path, config: TrainingConfig, manifest: Manifest) -> None:
    """Write what is known before the first step: the config, the images, and how they were divided."""
    write_text(run / CONFIG_NAME, format_config(config))
    write_manifest(manifest, run / MANIFEST_NAME)
    write_text(run / SPLIT_NAME, json.dumps(describe_split(manifest, config), indent=2) + "\n")


def write_record(
    job: Job, trained: TrainedRun, digests: Mapping[str, str | None], shortcuts: Mapping[str, Any]
) -> None:
    """Write everything that is needed to repeat the run."""
    decision = trained.frozen.decision
    record = {
        "command": shlex.join(sys.argv),
        "part": job.part,
        "config": to_plain(job.config),
        **digests,
        "weights_sha256": trained.weights_sha256,
        "kept_epoch": trained.kept_epoch,
        "n_epochs": len(trained.history),
        "largest_onnx_difference": trained.onnx_difference,
        "operating_point": to_plain(decision.of_slice.point),
        "gate": to_plain(decision.gate),
        "series_operating_point": to_plain(decision.at(Level.SERIES).point),
        "performance": trained.frozen.performance,
        "layers": [layer._asdict() for layer in trained.layers],
        "notices": trained.notices,
        "shortcuts": shortcuts,
        "software": describe_software(),
        "hardware": describe_hardware(),
    }
    write_text(job.run / RECORD_NAME, json.dumps(record, indent=2) + "\n")


def read_history(run: Path) -> tuple[dict[str, float], ...]:
    """Return the metrics of each epoch."""
    return tuple(json.loads(line) for line in (run / METRICS_NAME).read_text().splitlines())


def draw_curves(run: Path, history: Sequence[Mapping[str, float]], kept_epoch: int) -> None:
    """Draw the metrics of all epochs, and which was kept where that is not the last."""
    kept = kept_epoch if kept_epoch < len(history) else None
    write_text(run / CURVES_NAME, learning_curves_svg(history, kept))


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
        "settings": {**to_plain(config.split), "seed": config.seed},
        "parts": {split.value: count_items(manifest.with_split(split)) for split in Split},
    }


def describe_software() -> dict[str, Any]:
    """Return the versions of Gadoscope, Python, the system, and every installed library."""
    return {
        "gadoscope": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "libraries": dict(_list_libraries()),
    }


@cache  # a fifth of a second, and each fold asks again
def _list_libraries() -> tuple[tuple[str, str], ...]:
    """Return the name and the version of every installed library, by name."""
    found = {one.metadata["Name"]: one.version for one in metadata.distributions()}
    return tuple(sorted(found.items(), key=lambda item: item[0].lower()))


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

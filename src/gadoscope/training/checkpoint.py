"""Where a killed run goes on: weights, optimiser and history of the last whole epoch, in one file.

safetensors holds numbers and nothing that runs. The order of the images, the augmentation and the
dropout masks are drawn from the seed, the epoch and the step, so no state of a random generator is kept.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from gadoscope.errors import CheckpointError
from gadoscope.files import write_beside
from gadoscope.training.optimiser.adam import KerasAdam
from gadoscope.training.optimiser.averaging import WeightAverage
from gadoscope.training.stopping import BestWeights

METADATA_KEY = "gadoscope"
MODEL_PREFIX = "model."
AVERAGE_PREFIX = "average."
BEST_PREFIX = "best."
MOMENTS = ("exp_avg", "exp_avg_sq")
"""Of a parameter; where the optimiser keeps no second, there is none."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run has come, and what it is a run of.

    ``identity`` says what must be the same for a run to go on: every setting that changes the
    weights, the digest of the data, the weights it started from. ``history`` holds one row an epoch.
    """

    epoch: int
    n_steps_done: int
    identity: Mapping[str, Any]
    history: tuple[Mapping[str, float], ...]


def digest_weights(model: nn.Module) -> str:
    """Return the SHA-256 of all weights: their names, shapes, types and bytes."""
    return _digest(model.state_dict().items())


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimiser: KerasAdam,
    progress: Progress,
    *,
    average: WeightAverage | None = None,
    best: BestWeights | None = None,
) -> None:
    """Write the state after a whole epoch; the file before it stays until this one is complete."""
    tensors = {MODEL_PREFIX + name: value for name, value in model.state_dict().items()}
    if average:
        tensors |= {AVERAGE_PREFIX + name: value for name, value in average.mean.items()}
    if best:
        tensors |= {BEST_PREFIX + name: value for name, value in best.weights.items()}
    for name, parameter in model.named_parameters():
        tensors |= {
            f"{moment}.{name}": value
            for moment, value in optimiser.state[parameter].items()
            if moment in MOMENTS
        }
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {
        "epoch": progress.epoch,
        "n_steps_done": progress.n_steps_done,
        "identity": progress.identity,
        "history": progress.history,
        "sha256": _digest(tensors.items()),
    }
    with write_beside(path) as beside:
        save_file(tensors, beside, metadata={METADATA_KEY: json.dumps(metadata)})


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimiser: KerasAdam,
    identity: Mapping[str, Any],
    *,
    average: WeightAverage | None = None,
    best: BestWeights | None = None,
) -> Progress:
    """Put the saved state into what is given; return how far the run had come.

    Raises
    ------
    CheckpointError
        If the file is damaged, or belongs to a run with another ``identity``.
    """
    tensors, metadata = _read_file(path)
    if _digest(tensors.items()) != metadata["sha256"]:
        raise CheckpointError(_damaged(path, "its weights do not have the digest that was saved with them"))
    _check_identity(path, saved=metadata["identity"], present=identity)
    try:
        model.load_state_dict(_take(tensors, MODEL_PREFIX))
    except RuntimeError as error:  # a weight is missing, too many, or of another shape
        raise CheckpointError(_damaged(path, "its weights are of another network")) from error
    optimiser.n_steps_done = metadata["n_steps_done"]
    if average:  # it was updated once a step
        average.load(_take(tensors, AVERAGE_PREFIX), n_updates=optimiser.n_steps_done)
    if best:
        best.weights = _take(tensors, BEST_PREFIX)
    for name, parameter in model.named_parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(float(optimiser.n_steps_done)),
            **{
                moment: _like(parameter, tensors[key])
                for moment in MOMENTS
                if (key := f"{moment}.{name}") in tensors
            },
        }
    return Progress(
        epoch=metadata["epoch"],
        n_steps_done=metadata["n_steps_done"],
        identity=metadata["identity"],
        history=tuple(metadata["history"]),
    )


def _read_file(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no dictionary
    except (SafetensorError, OSError) as error:
        raise CheckpointError(_damaged(path, str(error))) from error
    if text is None:
        raise CheckpointError(_damaged(path, "it was not written by Gadoscope"))
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(_damaged(path, f"what it says of itself is not JSON: {error}")) from error
    _check_metadata(path, metadata)
    return tensors, metadata


def _check_metadata(path: Path, metadata: Any) -> None:
    """Check that everything is there that a run goes on from."""
    if not isinstance(metadata, dict):
        raise CheckpointError(_damaged(path, "what it says of itself is no object"))
    kinds = {"epoch": int, "n_steps_done": int, "identity": dict, "history": list, "sha256": str}
    for name, kind in kinds.items():
        value = metadata.get(name)
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise CheckpointError(_damaged(path, f"its {name} is {value!r:.40}"))
    if len(metadata["history"]) != metadata["epoch"] or not all(
        isinstance(row, dict) for row in metadata["history"]
    ):
        raise CheckpointError(_damaged(path, f"it has no row for each of its {metadata['epoch']} epochs"))


def _check_identity(path: Path, *, saved: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    different = [name for name in present if present[name] != saved.get(name)]
    if different:
        first = different[0]
        raise CheckpointError(
            f"{path} is of a run with another {', '.join(different)}: {first} was "
            f"{saved.get(first)!r} and is {present[first]!r}. "
            "Resume with the settings and the data of the start, or train into another folder."
        )


def _take(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return ``value`` on the device and in the memory layout of ``parameter``."""
    return torch.empty_like(parameter, requires_grad=False).copy_(value)


def _digest(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors):
        numbers = value.detach().cpu().contiguous().numpy()
        digest.update(f"{name} {numbers.dtype} {numbers.shape}".encode())
        digest.update(numbers.tobytes())
    return digest.hexdigest()


def _damaged(path: Path, why: str) -> str:
    return (
        f"the checkpoint {path} cannot be used ({why}). "
        "Remove it and resume: training then starts from the first epoch."
    )

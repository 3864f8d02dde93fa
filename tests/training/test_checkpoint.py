"""Checkpoints: whole, of this run, or refused in one sentence."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gadoscope.errors import CheckpointError
from gadoscope.models.siim import Siim
from gadoscope.training.checkpoint import (
    METADATA_KEY,
    Progress,
    _digest,
    digest_weights,
    load_checkpoint,
    save_checkpoint,
)
from gadoscope.training.optimiser.adam import KerasAdam
from gadoscope.training.optimiser.build import OPTIMISERS, OptimiserConfig, build_optimiser

IDENTITY = {"seed": 3, "data_sha256": "abc"}
COMPLETE = {"epoch": 1, "n_steps_done": 2, "identity": {}, "history": [{}], "sha256": "0"}
HISTORY = ({"epoch": 1, "train_loss": 0.1234567890123456789},)


def make(seed: int, name: str = "adam") -> tuple[Siim, KerasAdam]:
    network = Siim(torch.Generator().manual_seed(seed))
    config = OptimiserConfig(name=name, learning_rate=1e-3)  # type: ignore[arg-type]  # one of the names
    return network, build_optimiser(network, config)


def learn(network: Siim, optimiser: KerasAdam, n_steps: int) -> None:
    images = torch.linspace(0, 1, 331 * 331).reshape(1, 1, 331, 331)
    for _ in range(n_steps):
        network(images).square().sum().backward()
        optimiser.step()
        optimiser.zero_grad()


def save(path: Path, name: str = "adam") -> Path:
    """Write a checkpoint after two steps."""
    network, optimiser = make(1, name)
    learn(network, optimiser, 2)
    progress = Progress(epoch=1, n_steps_done=2, identity=IDENTITY, history=HISTORY)
    save_checkpoint(path, network, optimiser, progress)
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path / "c.safetensors")


@pytest.mark.parametrize("name", OPTIMISERS)
def test_learning_on_from_a_checkpoint_equals_learning_in_one_piece(tmp_path: Path, name: str) -> None:
    saved = save(tmp_path / "c.safetensors", name)
    straight, optimiser = make(1, name)
    learn(straight, optimiser, 5)
    resumed, optimiser = make(2, name)
    progress = load_checkpoint(saved, resumed, optimiser, IDENTITY)
    learn(resumed, optimiser, 3)
    assert digest_weights(resumed) == digest_weights(straight)
    assert progress.history == HISTORY
    assert (progress.epoch, progress.n_steps_done) == (1, 2)


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_a_truncated_checkpoint_is_refused(saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"cannot be used .* Remove it and resume"):
        load_checkpoint(saved, *make(1), IDENTITY)


def test_a_checkpoint_with_one_flipped_bit_is_refused(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-1000] ^= 1
    saved.write_bytes(content)
    with pytest.raises(CheckpointError, match="do not have the digest"):
        load_checkpoint(saved, *make(1), IDENTITY)


def test_a_checkpoint_of_another_run_names_what_differs(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=r"another seed: seed was 3 and is 4"):
        load_checkpoint(saved, *make(1), {**IDENTITY, "seed": 4})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"epoch": 1, "n_ste', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is no object"),
        ("{}", "its epoch is None"),
        (json.dumps({**COMPLETE, "epoch": "1"}), "its epoch is '1'"),
        (json.dumps({**COMPLETE, "n_steps_done": -2}), "its n_steps_done is -2"),
        (json.dumps({**COMPLETE, "epoch": 2}), "no row for each of its 2 epochs"),
        (json.dumps({**COMPLETE, "history": [3]}), "no row for each"),
    ],
)
def test_a_checkpoint_that_says_odd_things_of_itself_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "c.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={METADATA_KEY: text})
    with pytest.raises(CheckpointError, match=rf"{what}.* Remove it and resume"):
        load_checkpoint(path, *make(1), IDENTITY)


def test_a_checkpoint_of_other_layers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    tensors = {"model.x": torch.zeros(1)}
    metadata = {**COMPLETE, "identity": IDENTITY, "sha256": _digest(tensors.items())}
    save_file(tensors, path, metadata={METADATA_KEY: json.dumps(metadata)})
    with pytest.raises(CheckpointError, match="weights are of another network"):
        load_checkpoint(path, *make(1), IDENTITY)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CheckpointError, match="not written by Gadoscope"):
        load_checkpoint(tmp_path / "foreign.safetensors", *make(1), IDENTITY)


def test_the_digest_depends_on_every_weight() -> None:
    network, _ = make(1)
    before = digest_weights(network)
    with torch.no_grad():
        network.dense2.bias.add_(1e-7)
    assert digest_weights(network) != before

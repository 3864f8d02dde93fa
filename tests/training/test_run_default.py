"""The default network's way of training: pairs, strong augmentation, averages, members, a gate."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from gadoscope.errors import CheckpointError, ConfigError
from gadoscope.inference.session import Session
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.network import count_parameters
from gadoscope.models.registry import build_network
from gadoscope.training.checkpoint import digest_weights
from gadoscope.training.config import TrainingConfig, parse_config
from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.run import train
from tests.support.quick_runs import NARROW, narrow_compact, train_quickly
from tests.support.trainings import StoppedError, stop_after

SIZE, CANVAS, SEED = 32, 40, 5
N_SUBJECTS, N_PLACES = 6, 3


def small(**values: object) -> TrainingConfig:
    table: dict[str, Any] = {
        "network": "compact",
        "seed": SEED,
        "epochs": 2,
        "batch_size": 8,
        "label_smoothing": 0.05,
        "threads": 1,
        "image": {"size": SIZE},
        "distort": {"strength": 1.0, "canvas": CANVAS},
        "sampling": {"method": "balanced", "steps_per_epoch": 3, "shares": {"pairs": 0.5}},
        "optimiser": {
            "name": "muon",
            "schedule": "cosine",
            "warmup": 2,
            "weight_decay": 0.03,
            "learning_rate": 2e-3,
        },
        "averaging": {"decay": 0.9},
        "split": {"validation_fraction": 0.3},
        "calibration": {"method": "none"},
    }
    return parse_config({**table, **values})


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of pairs in one source, of one label in another, and of images labelled other."""
    folder = tmp_path_factory.mktemp("pairs")
    generator = np.random.default_rng(11)
    rows = ["path,subject_id,label,plane,source"]

    def write(name: str, brightness: int, row: str) -> None:
        pixels = generator.integers(20, 120, (44, 36))
        pixels[10:20] += brightness
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        rows.append(f"{name},{row}")

    for subject in range(N_SUBJECTS):
        for place in range(N_PLACES):
            write(f"s{subject}_pre_{place}.png", 0, f"s{subject},pre,axial,pairs")
            write(f"s{subject}_post_{place}.png", 120, f"s{subject},post,axial,pairs")
        write(f"h{subject}.png", 0, f"h{subject},pre,sagittal,healthy")
        write(f"t{subject}.png", 60, f"s{subject},other,axial,flair")
    (folder / "manifest.csv").write_text("\n".join(rows))
    return folder / "manifest.csv"


def train_part(
    config: TrainingConfig, manifest: Path, run: Path, *, epoch: int, resume: bool = False
) -> dict[str, torch.Tensor]:
    """Train until the end of ``epoch`` and return what the checkpoint holds."""
    with pytest.raises(StoppedError):
        train(Job(config=config, data=manifest, run=run, resume=resume), watch=stop_after(epoch))
    return load_file(run / "checkpoint.safetensors")


EVERYTHING: dict[str, object] = {
    "mirrored": True,
    "gate": {"counterexamples": 0.25, "use_other": True},
}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train the network of `trained`, which is the default one of fewer stages."""
    narrow_compact(monkeypatch)


@pytest.fixture(scope="module")
def trained(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a finished run with everything on but a second member, whose export would double the time."""
    job = Job(config=small(**EVERYTHING), data=manifest, run=tmp_path_factory.mktemp("run") / "all")
    with pytest.MonkeyPatch.context() as patch:
        train_quickly(patch)
        narrow_compact(patch)
        run = train(job)
    assert run is not None
    return run


def test_a_run_stopped_and_resumed_with_another_limit_of_its_gate_ends_with_the_same_state_to_the_bit(
    trained: TrainedRun, manifest: Path, tmp_path: Path
) -> None:
    train_part(small(**EVERYTHING), manifest, tmp_path / "run", epoch=1)
    lenient = small(**EVERYTHING)
    lenient = lenient.with_values(gate=replace(lenient.gate, max_refused=0.2))
    resumed = train_part(lenient, manifest, tmp_path / "run", epoch=2, resume=True)
    straight = load_file(trained.run / "checkpoint.safetensors")
    assert resumed.keys() == straight.keys()
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)


def test_a_single_network_starts_from_the_first_member_of_an_average(trained: TrainedRun) -> None:
    average = build_network("compact", 0, mirrored=True, with_gate=True)
    load_bundle_weights(Session(trained.bundle).bundle, average, "compact")
    alone = build_network("compact", 0, with_gate=True)
    load_bundle_weights(Session(trained.bundle).bundle, alone, "compact")
    for name, value in alone.state_dict().items():
        assert torch.equal(value, average.state_dict()[f"members.0.{name}"])


def test_the_bundle_holds_the_averaged_weights_and_answers_as_torch_does(trained: TrainedRun) -> None:
    saved = load_file(trained.run / "checkpoint.safetensors")
    network = build_network("compact", 0, mirrored=True, with_gate=True)
    load_bundle_weights(Session(trained.bundle).bundle, network, "compact")
    assert digest_weights(network) == trained.weights_sha256
    for name, value in network.state_dict().items():
        assert torch.equal(value, saved[f"average.{name}"])
    assert not torch.equal(saved["average.members.0.phase.weight"], saved["model.members.0.phase.weight"])
    images = np.random.default_rng(0).random((3, 1, SIZE, SIZE), np.float32)
    with torch.inference_mode():
        phase, t1_brain = network.eval()(torch.from_numpy(images))
    answers = Session(trained.bundle).answers(images)
    assert answers.t1_brain is not None
    np.testing.assert_allclose(answers.phase, phase, atol=1e-4)
    np.testing.assert_allclose(answers.t1_brain, t1_brain, atol=1e-4)


def test_a_pupil_learns_from_a_bundle_and_says_which(
    trained: TrainedRun, manifest: Path, tmp_path: Path
) -> None:
    taught = train(
        Job(config=small(**EVERYTHING), data=manifest, run=tmp_path / "run", teacher=trained.bundle)
    )
    assert taught is not None
    assert taught.weights_sha256 != trained.weights_sha256
    teacher = hashlib.sha256(trained.bundle.read_bytes()).hexdigest()
    assert json.loads((taught.run / "record.json").read_text())["teacher_sha256"] == teacher
    assert Session(taught.bundle).bundle.metadata.training["teacher_sha256"] == teacher


def test_the_bundle_says_what_it_was_made_of(trained: TrainedRun) -> None:
    metadata = Session(trained.bundle).bundle.metadata
    alone = count_parameters(build_network("compact", 0))
    assert (metadata.network, metadata.n_parameters) == ("compact", alone + 2 * sum(NARROW) * 64 + 64 + 65)
    assert metadata.image_path.size == SIZE
    gate = metadata.decision.gate
    assert gate is not None
    assert "256" not in gate.chosen_on.partition(",")[0]
    record = json.loads((trained.run / "record.json").read_text())
    assert record["config"]["sampling"]["shares"] == {"pairs": 0.5}
    assert record["gate"]["threshold"] == gate.threshold


def test_a_run_that_inherits_keeps_the_gate_where_it_was(
    trained: TrainedRun, manifest: Path, tmp_path: Path
) -> None:
    config = small(**EVERYTHING, epochs=1, name="mine", operating_point={"inherit": True})
    tuned = train(Job(config=config, data=manifest, run=tmp_path / "run", init=trained.bundle))
    assert tuned is not None
    before, after = (Session(one.bundle).bundle.metadata.decision.gate for one in (trained, tuned))
    assert before is not None
    assert after is not None
    assert after.threshold == before.threshold
    assert after.chosen_on.endswith(f", for which it was chosen on {before.chosen_on}")
    assert after.reached.startswith("It refuses ")


def test_each_member_is_trained_as_it_would_be_alone(manifest: Path, tmp_path: Path) -> None:
    stated = _state_split(manifest, tmp_path / "stated.csv")
    pair = train_part(small(members=2, split={}), stated, tmp_path / "pair", epoch=1)
    for number in range(2):
        alone = train_part(small(seed=SEED + number, split={}), stated, tmp_path / f"{number}", epoch=1)
        for prefix in ("model", "average"):
            for name in ("conv1.weight", "block3.norm2.running_var", "phase.weight"):
                torch.testing.assert_close(
                    pair[f"{prefix}.members.{number}.{name}"], alone[f"{prefix}.{name}"], rtol=1e-5, atol=1e-7
                )


def _state_split(manifest: Path, path: Path) -> Path:
    """Write the manifest with a split in it, so that no seed draws one."""
    header, *rows = manifest.read_text().splitlines()
    stated = [f"{manifest.parent}/{row},{'validation' if ',s0,' in row else 'train'}" for row in rows]
    path.write_text("\n".join([f"{header},split", *stated]))
    return path


def test_a_run_with_a_schedule_is_not_resumed_for_more_epochs(manifest: Path, tmp_path: Path) -> None:
    train_part(small(), manifest, tmp_path / "run", epoch=1)
    longer = Job(config=small(epochs=3), data=manifest, run=tmp_path / "run", resume=True)
    with pytest.raises(CheckpointError, match="another epochs: epochs was 2 and is 3"):
        train(longer)


def test_a_misspelt_source_ends_the_run_before_it_begins(manifest: Path, tmp_path: Path) -> None:
    wrong = small(sampling={"method": "balanced", "shares": {"pears": 0.5}})
    with pytest.raises(ConfigError, match="name pears, but the data have the sources healthy, pairs"):
        train(Job(config=wrong, data=manifest, run=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_training_images_are_kept_as_large_as_the_canvas_and_validation_images_are_not(
    manifest: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        train(
            Job(config=small(), data=manifest, run=tmp_path / "run", prepared=tmp_path / "prepared"),
            watch=stop_after(1),
        )
    for part, side in (("train", CANVAS), ("validation", SIZE)):
        assert np.load(tmp_path / "prepared" / part / "images.npy").shape[1:] == (side, side)

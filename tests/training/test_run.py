"""Runs: everything that is needed to repeat them, and nothing half-done where they fail."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from gadoscope.errors import (
    BundleError,
    CheckpointError,
    ConfigError,
    LeakError,
    ManifestError,
    TrainingError,
    UsageError,
)
from gadoscope.files import hash_file
from gadoscope.inference.session import Session
from gadoscope.labels import Label
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.registry import build_network
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.split import check_split
from gadoscope.training.checkpoint import digest_weights
from gadoscope.training.config import read_config
from gadoscope.training.data import divide
from gadoscope.training.init import take_own_name
from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.run import train
from tests.support.bundles import write_tiny_bundle
from tests.support.lessons import quick_config, small_config
from tests.support.paths import CONFIGS
from tests.support.quick_runs import narrow_compact
from tests.support.trainings import StoppedError, stop_after


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `quick_config` train what `trained_once` is."""
    narrow_compact(monkeypatch)


@pytest.mark.parametrize("use_other", ["true", "false"])
def test_training_is_told_how_many_images_are_of_neither_class_whether_or_not_a_gate_takes_them(
    use_other: str,
) -> None:
    labels = [Label.PRE, Label.POST, Label.OTHER] * 4
    items = tuple(
        Item(path=Path(f"{index}.png"), label=label, subject_id=str(index))
        for index, label in enumerate(labels)
    )
    settings = ["split.method=subject", f"gate.use_other={use_other}"]
    config = read_config(CONFIGS / "default.toml", settings)
    told = divide(Manifest(items=items, origin=Path("manifest.csv")), config).notices
    assert told[0] == (
        "4 of 12 images are labelled other: neither class uses them; with gate.use_other they train the gate."
    )
    assert sum("labelled other" in notice for notice in told) == 1


def test_a_run_leaves_the_bundle_and_what_is_needed_to_repeat_it(trained: TrainedRun) -> None:
    names = {path.name for path in trained.run.iterdir()}
    assert names == {
        "checkpoint.safetensors",
        "config.toml",
        "learning_curves.svg",
        "manifest.csv",
        "metrics.jsonl",
        "model.onnx",
        "record.json",
        "split.json",
    }
    record = json.loads((trained.run / "record.json").read_text())
    assert read_config(trained.run / "config.toml") == small_config()
    assert sum(layer["parameters"] for layer in record["layers"]) == 109_073
    assert record["config"]["seed"] == 1020
    assert record["weights_sha256"] == trained.weights_sha256
    assert record["software"]["libraries"]["torch"] == torch.__version__
    assert {"processor", "threads", "cores"} <= set(record["hardware"])
    assert len(record["data_sha256"]) == 64


def test_the_bundle_answers_as_torch_does(trained: TrainedRun) -> None:
    network = build_network("siim", 0)
    load_bundle_weights(Session(trained.bundle).bundle, network, "siim")
    assert digest_weights(network) == trained.weights_sha256
    images = np.random.default_rng(3).random((3, 1, 331, 331), np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(images)).sigmoid().numpy()
    answered = 1 / (1 + np.exp(-Session(trained.bundle).logits(images)))
    np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_the_bundle_carries_its_operating_point_and_its_origin_but_no_path(trained: TrainedRun) -> None:
    metadata = Session(trained.bundle).bundle.metadata
    assert metadata.decision.of_slice.point.chosen_on == "validation: 4 images, subjects unknown"
    assert metadata.n_parameters == 109_073
    assert metadata.training["weights_sha256"] == trained.weights_sha256
    content = trained.bundle.read_bytes()
    assert str(Path.cwd()).encode() not in content
    assert str(trained.run.parent).encode() not in content


def test_the_loss_falls(few: Path, tmp_path: Path) -> None:
    fast = small_config(epochs=6, batch_size=2, optimiser={"learning_rate": 2e-3})
    with pytest.raises(StoppedError):
        train(Job(config=fast, data=few, run=tmp_path / "run"), watch=stop_after(6))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["train_loss"] < 0.7 * rows[0]["train_loss"]


def test_the_same_seed_gives_the_same_bundle_to_the_byte(
    trained_once: TrainedRun, slices: Path, tmp_path: Path
) -> None:
    again = train(Job(config=quick_config(epochs=1), data=slices, run=tmp_path / "again"))
    assert again is not None
    assert again.weights_sha256 == trained_once.weights_sha256
    assert again.bundle.read_bytes() == trained_once.bundle.read_bytes()


def test_another_seed_gives_other_weights(trained_once: TrainedRun, slices: Path, tmp_path: Path) -> None:
    other = train(Job(config=quick_config(epochs=1, seed=1), data=slices, run=tmp_path / "other"))
    assert other is not None
    assert other.weights_sha256 != trained_once.weights_sha256


def test_a_finished_run_gets_another_operating_point_without_training_again(
    slices: Path, tmp_path: Path
) -> None:
    data = tmp_path / "manifest.csv"
    rows = ["path,subject_id,label,plane,source,split,series"]
    for index, path in enumerate(sorted((slices / "Train").rglob("*.png"))):
        label = "post" if "with_gad" in str(path) else "pre"
        number = index // 2
        split = ("train", "validation")[number % 2]
        rows.append(f"{path},s{number},{label},sagittal,test,{split},{number}")
    data.write_text("\n".join(rows))
    job = Job(config=quick_config(epochs=1), data=data, run=tmp_path / "run")
    first = train(job)
    careful = quick_config(
        epochs=1,
        operating_point={"rule": "cost", "cost_of_missed_post": 100, "prevalence": 0.5},
        abstention={"max_risk": 0.05},
        aggregation={"method": "median"},
    )
    again = train(replace(job, config=careful, resume=True))
    assert first is not None
    assert again is not None
    assert again.weights_sha256 == first.weights_sha256
    metadata = Session(again.bundle).bundle.metadata
    point = metadata.decision.of_slice.point
    assert point.rule == "cost"
    assert point.promise is not None
    assert point.promise.sentence.startswith("Nothing can be promised from")
    assert metadata.decision.aggregation.method == "median"
    assert any("are not calibrated" in notice for notice in again.notices)
    record = json.loads((again.run / "record.json").read_text())
    assert record["operating_point"]["rule_parameters"] == {"cost_of_missed_post": 100.0, "prevalence": 0.5}


def test_a_series_of_two_labels_ends_the_run_before_it_begins(slices: Path, tmp_path: Path) -> None:
    rows = ["path,subject_id,label,plane,source,split,series"]
    for index, path in enumerate(sorted((slices / "Train").rglob("*.png"))):
        label = "post" if "with_gad" in str(path) else "pre"
        split = ("train", "validation")[index % 5 % 2]
        rows.append(f"{path},s{index % 5},{label},sagittal,test,{split},{index % 5}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    with pytest.raises(ManifestError, match="5 of 5 series have images of two labels"):
        train(Job(config=small_config(), data=tmp_path / "manifest.csv", run=tmp_path / "run"))
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


HELD_OUT = "path,subject_id,source,plane,split,reference_label,logit,probability"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (None, "cannot read the predictions"),
        (["path,logit", "a.png,1.0"], "lacks the column subject_id"),
        ([HELD_OUT, "a.png,s1,test,sagittal,validation,pre,high,0.5"], "logit is 'high', not a number"),
        ([HELD_OUT, "a.png,s1,test,sagittal,validation,pre,-1.0,0.3"], "no post-contrast image"),
    ],
    ids=["missing", "columns", "value", "one-class"],
)
def test_a_held_out_table_that_does_not_fit_ends_the_run_before_it_begins(
    slices: Path, tmp_path: Path, lines: list[str] | None, message: str
) -> None:
    table = tmp_path / "held_out.csv"
    if lines is not None:
        table.write_text("\n".join(lines))
    with pytest.raises(ManifestError, match=message):
        train(Job(config=small_config(), data=slices, run=tmp_path / "run", held_out=table))
    assert not (tmp_path / "run").exists()


def test_a_held_out_table_decides_in_place_of_validation_and_the_record_names_it(
    trained: TrainedRun, slices: Path, tmp_path: Path
) -> None:
    rows = [
        f"{label}{index}.png,s{index},test,sagittal,validation,{label},{logit + index / 9},0.5"
        for index in range(6)
        for label, logit in (("pre", -1.0), ("post", 1.0))
    ]
    table = tmp_path / "held_out.csv"
    table.write_text("\n".join([HELD_OUT, *rows]))
    shutil.copytree(trained.run, tmp_path / "run")
    again = train(Job(config=small_config(), data=slices, run=tmp_path / "run", resume=True, held_out=table))
    assert again is not None
    assert again.weights_sha256 == trained.weights_sha256
    assert again.frozen.decision.of_slice.point.chosen_on == "out of fold: 12 images, 6 subjects"
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["held_out_sha256"] == hash_file(table)


def test_a_run_starts_from_the_weights_of_a_bundle(trained: TrainedRun, slices: Path, tmp_path: Path) -> None:
    tiny_step = small_config(epochs=1, optimiser={"learning_rate": 1e-12})
    job = Job(config=tiny_step, data=slices, run=tmp_path / "run", init=trained.bundle)
    with pytest.raises(StoppedError):
        train(job, watch=stop_after(1))
    last, first = (
        json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        for run in (trained.run, tmp_path / "run")
    )
    assert first["validation_loss"] == pytest.approx(last["validation_loss"], abs=1e-5)


def test_a_fine_tuned_bundle_has_a_name_and_a_licence_of_its_own(
    trained: TrainedRun, few: Path, tmp_path: Path
) -> None:
    config = small_config(epochs=1)
    job = Job(config=config, data=few, run=tmp_path / "run", init=trained.bundle)
    tuned = train(job)
    assert tuned is not None
    base, metadata = (Session(one.bundle).bundle for one in (trained, tuned))
    assert metadata.metadata.name == f"{base.metadata.name}-finetuned"
    assert base.model_id in metadata.metadata.licence
    assert any("--set name=" in notice for notice in tuned.notices)


def test_a_fine_tuned_bundle_keeps_the_name_and_the_licence_that_its_config_gives(
    trained: TrainedRun,
) -> None:
    config = small_config(name="mine", licence="CC0-1.0")
    assert take_own_name(config, Session(trained.bundle).bundle) == (config, ())
    assert take_own_name(config, None) == (config, ())


def test_an_image_size_that_leaves_nothing_of_an_image_is_one_sentence(slices: Path, tmp_path: Path) -> None:
    config = small_config(image={"size": 24})
    with pytest.raises(ConfigError, match=r"image\.size = 24 is too small for the network siim"):
        train(Job(config=config, data=slices, run=tmp_path / "run"))


def test_a_bundle_of_another_network_cannot_start_a_run(slices: Path, tmp_path: Path) -> None:
    tiny = write_tiny_bundle(tmp_path / "tiny.onnx")
    with pytest.raises(BundleError, match="holds the network 'mean-brightness'; this run trains 'siim'"):
        train(Job(config=small_config(), data=slices, run=tmp_path / "run", init=tiny))


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_checkpoint(
    few: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    wild = small_config(epochs=4, optimiser={"learning_rate": 1e18})
    with pytest.raises(
        TrainingError, match=r"the loss became (nan|inf) in step \d of epoch \d.*learning_rate=1e\+17"
    ):
        train(Job(config=wild, data=few, run=run))
    assert (run / "checkpoint.safetensors").exists()
    assert not (run / "model.onnx").exists()
    assert not list(run.rglob(".*.partial"))


def test_weights_that_the_last_step_made_no_numbers_end_the_training_with_what_to_do(
    few: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    wild = small_config(epochs=1, batch_size=4096, optimiser={"learning_rate": 1e30})
    with pytest.raises(
        TrainingError,
        match=r"after the last step of epoch 1 the loss of the validation images is (nan|inf): the weights "
        r"are no longer numbers\. Train into another folder .*learning_rate=1e\+29",
    ):
        train(Job(config=wild, data=few, run=run))
    assert not (run / "model.onnx").exists()


def test_a_folder_with_another_run_is_not_written_over(trained: TrainedRun, slices: Path) -> None:
    before = trained.bundle.read_bytes()
    with pytest.raises(UsageError, match="is not empty; resume that run with --resume"):
        train(Job(config=small_config(), data=slices, run=trained.run))
    assert trained.bundle.read_bytes() == before


def test_a_run_is_not_resumed_with_other_settings_or_other_data(
    trained: TrainedRun, slices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: True)
    job = Job(config=small_config(batch_size=4), data=slices, run=trained.run, resume=True)
    with pytest.raises(CheckpointError, match="another batch_size: batch_size was 8 and is 4"):
        train(job)
    with pytest.raises(CheckpointError, match="another precision"):
        train(replace(job, config=small_config(precision="bf16")))


def test_a_finished_run_can_be_trained_on_for_more_epochs(
    trained_once: TrainedRun, slices: Path, tmp_path: Path
) -> None:
    job = Job(config=quick_config(), data=slices, run=tmp_path / "straight")
    with pytest.raises(StoppedError):
        train(job, watch=stop_after(2))
    shutil.copytree(trained_once.run, tmp_path / "run")
    extended = train(replace(job, run=tmp_path / "run", resume=True))
    assert extended is not None
    assert extended.weights_sha256 != trained_once.weights_sha256
    straight, both = (load_file(tmp_path / run / "checkpoint.safetensors") for run in ("straight", "run"))
    assert straight.keys() == both.keys()
    assert all(torch.equal(straight[name], both[name]) for name in straight)


def test_bf16_trains_and_its_bundle_still_equals_torch(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: True)
    run = train(Job(config=quick_config(epochs=1, precision="bf16"), data=few, run=tmp_path / "run"))
    assert run is not None
    assert run.onnx_difference <= 1e-5


def test_a_processor_without_bf16_trains_in_fp32_and_the_record_says_so(
    trained_once: TrainedRun, slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: False)
    job = Job(
        config=quick_config(epochs=1, precision="bf16"), data=slices, run=tmp_path / "run", accelerator="cpu"
    )
    run = train(job)
    assert run is not None
    assert run.weights_sha256 == trained_once.weights_sha256  # of fp32
    assert json.loads((run.run / "record.json").read_text())["config"]["precision"] == "fp32"
    assert Session(run.bundle).bundle.metadata.training["precision"] == "fp32"


def test_a_folder_without_one_class_is_refused_by_name(slices: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "Train" / "no_gad").mkdir(parents=True)
    source = next((slices / "Train" / "no_gad").iterdir())
    (tmp_path / "data" / "Train" / "no_gad" / "a.png").write_bytes(source.read_bytes())
    with pytest.raises(ManifestError, match=r"with_gad|post"):
        train(Job(config=small_config(), data=tmp_path / "data", run=tmp_path / "run"))


def test_one_subject_in_two_splits_ends_the_run_before_it_begins(slices: Path, tmp_path: Path) -> None:
    rows = ["path,subject_id,label,plane,source,split"]
    for index, path in enumerate(sorted(slices.rglob("*.png"))):
        label = "post" if "with_gad" in str(path) else "pre"
        split = ("train", "validation")[index % 2]
        rows.append(f"{path},sub-{index // 2:02d},{label},sagittal,test,{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    with pytest.raises(LeakError, match="13 of 13 subjects"):
        train(Job(config=small_config(), data=tmp_path / "manifest.csv", run=tmp_path / "run"))


def test_the_same_file_in_two_splits_ends_the_run_before_it_begins(slices: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(slices, data)
    shutil.copy(data / "Train" / "no_gad" / "00.png", data / "Test" / "no_gad" / "copy.png")
    with pytest.raises(LeakError, match=r"1 of 26 image files, such as .*\(test\) and .*\(validation\)"):
        train(Job(config=small_config(), data=data, run=tmp_path / "run"))
    assert not list(tmp_path.rglob("metrics.jsonl"))


def test_the_split_is_written_with_a_digest_that_the_manifest_still_has(trained: TrainedRun) -> None:
    split = json.loads((trained.run / "split.json").read_text())
    record = json.loads((trained.run / "record.json").read_text())
    assert split["split_sha256"] == record["split_sha256"]
    assert split["settings"] == {**record["config"]["split"], "seed": 1020}
    assert {name: part["n_images"] for name, part in split["parts"].items()} == {
        "train": 16,
        "validation": 4,
        "test": 6,
    }
    check_split(read_manifest(trained.run / "manifest.csv"), record["split_sha256"])


def test_the_exported_graph_names_every_weight(trained: TrainedRun) -> None:
    names = {tensor.name for tensor in onnx.load(trained.bundle).graph.initializer}
    assert {"conv1.weight", "conv6.bias", "dense1.weight", "dense2.bias"} <= names

"""`gadoscope import-keras`: the bundle answers as Keras did, and claims nothing that it cannot know."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gadoscope.cli.import_keras import command
from gadoscope.decision.calibration import sigmoid
from gadoscope.errors import UsageError, WeightsError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.session import Session
from gadoscope.labels import Plane
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.keras.h5 import read_keras_file
from gadoscope.models.siim import Siim
from tests.fixtures.keras.reference import draw_images, read_probabilities
from tests.support.commands import run_command
from tests.support.keras_files import KERAS2, KERAS3, write_edited_h5


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("imported") / "old.onnx"
    result = CliRunner().invoke(command, [str(KERAS2), "--output", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "in all" in result.output
    assert "109,073" in result.output
    assert f"Saved by Keras 2.21.0; now {path} (keras2@" in result.output
    assert "recalibrate on your own validation data" in result.output
    return path


def test_the_bundle_answers_as_keras_did(bundle: Path) -> None:
    answers = sigmoid(Session(bundle).logits(ImagePath().scale(draw_images())))
    np.testing.assert_allclose(answers, read_probabilities()["synthetic"]["keras2.h5"], atol=1e-5)


def test_the_bundle_says_where_it_comes_from_and_claims_nothing_else(bundle: Path) -> None:
    metadata = Session(bundle).bundle.metadata
    assert metadata.name == "keras2"
    assert (metadata.network, metadata.n_parameters) == ("siim", 109_073)
    assert metadata.planes == (Plane.SAGITTAL,)
    point = metadata.decision.of_slice.point
    assert (point.lower, point.threshold, point.upper) == (0.5, 0.5, 0.5)
    assert point.rule == "keras_default"
    assert point.chosen_on.startswith("nothing: the file holds no threshold; recalibrate")
    assert metadata.decision.of_slice.calibration.method == "none"
    assert metadata.licence == "unknown: ask the weights' author"
    assert metadata.performance == {}
    assert metadata.training == {
        "source": "imported from Keras",
        "sha256": hashlib.sha256(KERAS2.read_bytes()).hexdigest(),
        "keras_version": "2.21.0",
    }


def test_training_can_start_from_the_bundle(bundle: Path) -> None:
    network = Siim()
    load_bundle_weights(Session(bundle).bundle, network, "siim")
    for name, array in read_keras_file(KERAS2).state.items():
        assert torch.equal(network.state_dict()[name], torch.from_numpy(array))


def test_json_holds_the_layer_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, [str(KERAS3), "--json"], catch_exceptions=False)
    report = json.loads(result.stdout)
    assert report["bundle"] == "keras3.onnx", "by default the file's name, in the current folder"
    assert Session(tmp_path / "keras3.onnx").bundle.model_id == report["model_id"]
    assert sum(layer["parameters"] for layer in report["layers"]) == report["n_parameters"] == 109_073
    assert report["layers"][1] == {"name": "conv1", "output_shape": [329, 329, 16], "parameters": 448}
    assert report["largest_difference_from_torch"] <= 1e-5


def test_another_architecture_writes_nothing(tmp_path: Path) -> None:
    def edit(layers: list[dict[str, dict[str, int]]]) -> None:
        layers[1]["config"]["filters"] = 32

    wrong = write_edited_h5(tmp_path / "wrong.h5", edit)
    target = tmp_path / "wrong.onnx"
    with pytest.raises(WeightsError, match=r"conv2d: convolution with filters 32 \(expected 16\)"):
        CliRunner().invoke(command, [str(wrong), "--output", str(target)], catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.h5"]


def test_a_bundle_of_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a bundle's name ends in .onnx"):
        CliRunner().invoke(command, [str(KERAS2), "--output", str(tmp_path / "a.h5")], catch_exceptions=False)


def test_the_command_line_ends_with_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no weights")
    run = run_command("import-keras", tmp_path / "text.h5")
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith("Error: ")
    assert run.stderr.endswith("neither HDF5 nor a .keras archive; name the file that Keras saved.\n")

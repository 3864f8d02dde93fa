"""`gadoscope doctor`: what is installed, and whether a bundle answers."""

import json
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from gadoscope.api import installation
from gadoscope.cli.main import cli
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import LevelDecision
from gadoscope.decision.operating_point import Promise
from gadoscope.extras import install_command
from gadoscope.inference import default
from gadoscope.reading.dicom import codecs as dicom_codecs
from tests.support.bundles import TINY_DECISION, TINY_METADATA, TINY_POINT, write_tiny_bundle


def test_a_whole_installation_and_a_bundle_that_answers_are_well(tiny_bundle: Path) -> None:
    result = CliRunner().invoke(cli, ["doctor", "--model", str(tiny_bundle)])
    assert result.exit_code == 0
    assert f"onnxruntime {metadata.version('onnxruntime')}" in result.output
    assert "answers" in result.output
    assert "post-contrast from 0.5, pre-contrast below 0.5" in result.output
    assert result.output.endswith("All is well.\n")


def test_what_a_bundle_promises_is_told_for_slices_and_for_series(tmp_path: Path) -> None:
    promise = Promise(
        max_risk=0.05, confidence=0.95, is_promised=True, coverage=0.8, sentence="At most 5 % of all series."
    )
    of_series = LevelDecision(
        point=replace(TINY_POINT, lower=0.25, upper=0.75, promise=promise),
        calibration=Calibration("temperature", {"temperature": 2.0}),
    )
    decision = replace(TINY_DECISION, of_series=of_series)
    bundle = write_tiny_bundle(tmp_path / "b.onnx", replace(TINY_METADATA, decision=decision))
    lines = CliRunner().invoke(cli, ["doctor", "--model", str(bundle)]).output.splitlines()
    assert any("a slice: post-contrast from 0.5, pre-contrast below 0.5" in line for line in lines)
    series = "a series (mean of its slices): post-contrast from 0.75, pre-contrast below 0.25"
    index = next(number for number, line in enumerate(lines) if series in line)
    assert "calibration temperature" in lines[index]
    assert lines[index + 1].strip() == promise.sentence


def test_a_user_is_not_told_of_what_only_gadoscope_s_own_work_needs(tiny_bundle: Path) -> None:
    told = json.loads(CliRunner().invoke(cli, ["doctor", "--model", str(tiny_bundle), "--json"]).output)
    assert not {"dev", "docs"} & told["libraries"].keys()
    assert {"base", "train"} <= told["libraries"].keys()


def test_json_holds_the_metadata_of_the_bundle(tiny_bundle: Path) -> None:
    report = json.loads(CliRunner().invoke(cli, ["doctor", "--model", str(tiny_bundle), "--json"]).output)
    assert report["well"] is True
    assert report["model"]["answers"] is True
    assert report["model"]["network"] == "mean-brightness"
    assert report["model"]["image_path"]["size"] == 32
    # The ramp's mean is just below half, for its greys are rounded down.
    assert report["model"]["probability_of_a_ramp"] == pytest.approx(0.49, abs=0.01)
    assert report["images"]["PNG"] is True


def test_the_transfer_syntaxes_that_are_decoded_are_told(tiny_bundle: Path) -> None:
    result = CliRunner().invoke(cli, ["doctor", "--model", str(tiny_bundle), "--json"])
    syntaxes = json.loads(result.output)["transfer_syntaxes"]
    assert all(syntaxes.values())
    assert {"Implicit VR Little Endian", "RLE Lossless", "JPEG Lossless SV1", "HTJ2K"} < set(syntaxes)
    assert len(syntaxes) == 16


def test_a_codec_that_is_missing_is_told_with_its_command_and_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dicom_codecs, "find_missing_decoders", lambda: {"1.2.840.10008.1.2.4.90"})
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert "cannot decode JPEG 2000 Lossless: pip install --force-reinstall imagecodecs" in result.output
    assert result.output.endswith("Something is missing; see above.\n")


BY_DEFAULT = pytest.mark.parametrize("words", [(), ("--model", "default")], ids=["unsaid", "by name"])


@BY_DEFAULT
def test_without_a_model_or_by_its_name_the_default_bundle_answers(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, ["doctor", *words])
    assert result.exit_code == 0
    assert re.search(r"model: default@[0-9a-f]{8} answers", result.output)
    assert str(default.DEFAULT_BUNDLE) in result.output


@BY_DEFAULT
def test_a_default_bundle_that_is_missing_is_exit_code_1(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tmp_path / "none.onnx")
    result = CliRunner().invoke(cli, ["doctor", *words])
    assert result.exit_code == 1
    assert "model: this installation has no default model: `" in result.output
    assert "pip install --force-reinstall" in result.output


@BY_DEFAULT
def test_a_default_bundle_that_is_not_the_one_shipped_is_exit_code_1(
    words: tuple[str, ...], tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_bundle.with_suffix(".sha256").write_text(f"{'0' * 64}  {tiny_bundle.name}\n")
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tiny_bundle)
    result = CliRunner().invoke(cli, ["doctor", *words])
    assert result.exit_code == 1
    assert f"but {'0' * 64} was shipped" in result.output


def test_a_file_that_is_no_bundle_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_text("no")
    result = CliRunner().invoke(cli, ["doctor", "--model", str(tmp_path / "x.onnx")])
    assert result.exit_code == 1
    assert "is not an ONNX file" in result.output
    assert result.output.endswith("Something is missing; see above.\n")


def test_a_missing_extra_is_told_with_its_command_and_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "pyarrow":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr("importlib.metadata.version", version)
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 0
    assert f"missing pyarrow: {install_command('parquet')}" in result.output


def test_a_missing_base_library_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_installed_version", lambda name: None if name == "pillow" else "1")
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 1
    assert f"missing pillow: {install_command()}" in result.output

"""`gadoscope train`: what it prints, and one line where something does not fit."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gadoscope.cli.main import cli
from gadoscope.errors import GadoscopeError
from tests.support.curves import no_curves
from tests.support.lessons import QUICK_SETTINGS, SMALL_SETTINGS, write_slices
from tests.support.paths import LESSON
from tests.support.quick_runs import explain_coarsely, narrow_compact, train_quickly


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the lesson's layout."""
    return write_slices(tmp_path_factory.mktemp("slices") / "data")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    train_quickly(monkeypatch)
    narrow_compact(monkeypatch)
    explain_coarsely(monkeypatch)


def train(data: Path, run: Path, *arguments: str, settings: Sequence[str] = SMALL_SETTINGS) -> Result:
    """Run the command as `small_config` does."""
    settings = [part for setting in settings for part in ("--set", setting)]
    words = ["train", str(LESSON), "--data", str(data), "--output", str(run), *settings, *arguments]
    return CliRunner().invoke(cli, words)


def test_it_prints_the_layers_the_losses_the_threshold_and_where_the_bundle_is(
    slices: Path, tmp_path: Path
) -> None:
    result = train(slices, tmp_path / "run")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert "conv1 329 x 329 x 16 448" in words
    assert "in all 109,073" in words
    assert "epoch  2/2  loss 0." in result.stderr
    assert "chosen on 4 images" in result.stdout
    assert f"gadoscope evaluate {tmp_path / 'run'}" in result.stdout
    assert "same person may be on both sides" in words


def test_a_report_comes_with_the_training_and_its_summary_in_place_of_what_is_next(
    slices: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    words = ("--epochs", "1", "--report", str(folder))
    with no_curves():
        result = train(slices, tmp_path / "run", *words, settings=QUICK_SETTINGS)
    assert result.exit_code == 0, result.output
    assert "next:" not in result.stdout
    assert result.stdout.splitlines()[-2:] == [f"Report: {folder / 'report.html'}", "Not a medical device."]
    assert json.loads((folder / "report.json").read_text())["verdict_split"] == "test"


def test_it_says_before_it_begins_that_a_processor_has_no_bf16(
    slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: False)
    words = ("--set", "precision=bf16", "--accelerator", "cpu", "--epochs", "1")
    result = train(slices, tmp_path / "run", *words, settings=QUICK_SETTINGS)
    assert result.exit_code == 0, result.output
    first = result.stderr.splitlines()[0]
    assert first == "note: this processor has no bf16 arithmetic; training in fp32"


def test_repeating_reports_the_spread_over_seeds_and_keeps_every_run(slices: Path, tmp_path: Path) -> None:
    with no_curves():
        result = train(slices, tmp_path / "runs", "--repeat", "2", "--epochs", "1", settings=QUICK_SETTINGS)
    assert result.exit_code == 0, result.output
    spread = json.loads((tmp_path / "runs" / "spread.json").read_text())
    assert [row["seed"] for row in spread["rows"]] == [1020, 1021]
    assert {"threshold", "validation accuracy", "validation AUC", "test accuracy", "test AUC"} < set(
        spread["rows"][0]
    )
    first, second = (row["threshold"] for row in spread["rows"])
    assert spread["summary"]["threshold"]["mean"] == pytest.approx((first + second) / 2)
    assert first != second
    for seed in (1020, 1021):
        assert (tmp_path / "runs" / f"seed-{seed}" / "report" / "report.html").exists()
    assert not (tmp_path / "runs" / "prepared").exists()
    assert "run 2 of 2 (seed 1021):" in result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "seed",
        "1020",
        "1021",
        "mean",
        "sd",
        "min",
        "max",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "epochz=1"), "epochz is not a setting"),
        (("--init", "nowhere.onnx"), "nowhere.onnx"),
        (("--init", "default"), "; this run trains 'siim'"),
        (("--teacher", "nowhere.onnx"), "there is no bundle nowhere.onnx"),
        (("--accelerator", "cuda"), "torch sees no GPU here"),
        (("--folds", "3", "--repeat", "2"), "--repeat and --folds are two ways to train several times"),
        (("--folds", "3", "--report", "report"), "--report is of one training, and --folds makes several"),
        (("--report", __file__), "is a file; name a folder for the report"),
        (("--leave-source-out",), "without the source data there is no image of one class"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_leaves_no_bundle(
    slices: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    import torch  # noqa: PLC0415  # the other tests of this folder need none

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    result = train(slices, tmp_path / "run", *arguments)
    assert isinstance(result.exception, GadoscopeError)
    assert message in str(result.exception)
    assert not list(tmp_path.rglob("model.onnx"))


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = train(tmp_path / "empty", tmp_path / "run")
    assert isinstance(result.exception, GadoscopeError)
    assert "empty" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_start_that_failed_leaves_nothing_that_stops_the_next(tmp_path: Path) -> None:
    data = write_slices(tmp_path / "data")
    broken = [
        *sorted((data / "Train" / "no_gad").iterdir()),
        *sorted((data / "Train" / "with_gad").iterdir()),
    ]
    whole = {path: path.read_bytes() for path in broken}
    for path in broken:
        path.write_bytes(b"")
    failed = train(data, tmp_path / "run", "--epochs", "1", settings=QUICK_SETTINGS)
    assert isinstance(failed.exception, GadoscopeError)
    assert "images cannot be used" in str(failed.exception)
    for path, content in whole.items():
        path.write_bytes(content)
    again = train(data, tmp_path / "run", "--epochs", "1", settings=QUICK_SETTINGS)
    assert again.exit_code == 0


def test_a_folder_with_work_in_it_is_never_trained_over(slices: Path, tmp_path: Path) -> None:
    for name in ("manifest.csv", "checkpoint.safetensors"):
        run = tmp_path / name.partition(".")[0]
        run.mkdir()
        (run / name).write_text("mine")
        refused = train(slices, run, "--epochs", "1")
        assert "is not empty" in str(refused.exception)
        assert (run / name).read_text() == "mine"

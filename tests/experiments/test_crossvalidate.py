"""Every image is looked at once by a network that has not seen its subject; the test stays sealed."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gadoscope.cli.main import cli
from gadoscope.errors import ManifestError, ReadError, UsageError
from gadoscope.experiments.crossvalidate import CrossValidation, cross_validate
from gadoscope.experiments.parts import name_part, naming
from gadoscope.labels import Split
from gadoscope.preparation.manifest import read_manifest
from gadoscope.statistics.table import read_predictions
from gadoscope.training.config import TrainingConfig
from gadoscope.training.job import Job
from tests.support.lessons import QUICK_SETTINGS, quick_config
from tests.support.paths import LESSON

N_SUBJECTS = 12
WRONG = ("sub-03", "sub-08")
"""Subjects whose label says the opposite of what their slices show."""


def write_data(folder: Path) -> Path:
    """Write a manifest of two sources: two slices a subject, bright where contrast was given."""
    generator = np.random.default_rng(7)
    rows = [["path", "subject_id", "label", "plane", "source", "split"]]
    for number in range(N_SUBJECTS + 2):
        is_post = number % 2 == 1
        subject, split = f"sub-{number:02}", "" if number < N_SUBJECTS else "test"
        label = "post" if is_post != (subject in WRONG) else "pre"
        for index in range(2):
            pixels = generator.integers(20, 120, (44, 36))
            pixels[10:20] += 120 * is_post
            path = folder / f"{subject}-{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            rows.append([path.name, subject, label, "sagittal", ("north", "south")[number // 2 % 2], split])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def config(**values: object) -> TrainingConfig:
    """Return one that tells bright from dark, and does not learn the two wrong labels by heart."""
    learning = {"epochs": 12, "batch_size": 4, "optimiser": {"learning_rate": 3e-3}}
    return quick_config(**{**learning, **values})


def run(job: Job, n_folds: int | None) -> CrossValidation:
    done = cross_validate(job, n_folds, watch=lambda _: None)
    assert done is not None
    return done


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> CrossValidation:
    return run(Job(config=config(), data=data, run=tmp_path_factory.mktemp("runs") / "folds"), 2)


def test_each_image_is_judged_once_by_a_network_that_has_not_seen_its_subject(done: CrossValidation) -> None:
    table = read_predictions(done.folder / "predictions.csv")
    assert len(table) == len(set(table.path)) == 2 * N_SUBJECTS
    for fold in (1, 2):
        manifest = read_manifest(done.folder / f"fold-{fold}" / "manifest.csv")
        trained = {item.subject_id for item in manifest.with_split(Split.TRAIN)}
        held = {item.subject_id for item in manifest.with_split(Split.VALIDATION)}
        assert len(held) == 6
        assert not trained & held


def test_test_images_are_neither_scored_nor_drawn(done: CrossValidation) -> None:
    assert done.n_sealed == 4
    for name in ("predictions.csv", "suspects.json", "suspects.html"):
        assert f"sub-{N_SUBJECTS}" not in (done.folder / name).read_text()
    assert "4 test images, which no fold has touched" in done.to_text()


def test_planted_label_errors_come_first(done: CrossValidation) -> None:
    suspects = json.loads((done.folder / "suspects.json").read_text())
    named = [Path(case["images"][0]["path"]).name[:6] for case in suspects["series"]]
    assert set(named[:2]) == set(WRONG)
    page = (done.folder / "suspects.html").read_text()
    assert page.count("<img") >= 4
    assert "suspected labels: " in done.to_text()


def test_the_spread_has_a_row_a_fold_and_the_figures_of_all_together(done: CrossValidation) -> None:
    spread = json.loads((done.folder / "spread.json").read_text())
    assert [row["fold"] for row in spread["rows"]] == [1, 2]
    assert [row["images"] for row in spread["rows"]] == [12, 12]
    assert set(spread["summary"]) == {"threshold", "AUC", "accuracy", "at own threshold"}
    assert spread["out_of_fold"]["auc"]["n_subjects"] == N_SUBJECTS
    accuracy = spread["out_of_fold"]["accuracy"]
    assert accuracy["value"] == pytest.approx(spread["summary"]["accuracy"]["mean"])
    assert accuracy["lower"] < accuracy["value"] < accuracy["upper"]


@pytest.mark.slow
def test_each_run_records_which_fold_it_is(done: CrossValidation) -> None:
    records = [json.loads((done.folder / f"fold-{n}" / "record.json").read_text()) for n in (1, 2)]
    assert [record["part"] for record in records] == ["fold 1 of 2", "fold 2 of 2"]


def test_what_goes_wrong_in_a_fold_says_in_which_it_did() -> None:
    with (
        pytest.raises(ManifestError, match=r"^in source 2 of 3 \(north\): nothing left\.$"),
        naming(name_part("source", 2, 3, "north")),
    ):
        raise ManifestError("nothing left.")
    with (
        pytest.raises(ReadError, match=r"^truncated: in fold 1 of 5: cut\.$"),
        naming(name_part("fold", 1, 5)),
    ):
        raise ReadError("truncated", "cut.")


def test_finished_folds_are_taken_over_on_resume(done: CrossValidation, data: Path) -> None:
    before = (done.folder / "fold-1" / "checkpoint.safetensors").stat().st_mtime_ns
    again = run(Job(config=config(), data=data, run=done.folder, resume=True), 2)
    assert (done.folder / "fold-1" / "checkpoint.safetensors").stat().st_mtime_ns == before
    assert again.spread == done.spread
    assert not (done.folder / "prepared").exists()


def test_a_source_is_judged_by_a_network_that_knows_neither_it_nor_its_threshold(
    data: Path, tmp_path: Path
) -> None:
    settings = [part for setting in QUICK_SETTINGS for part in ("--set", setting)]
    words = ["train", str(LESSON), "--data", str(data), "--output", str(tmp_path / "runs"), "--epochs", "1"]
    result = CliRunner().invoke(cli, [*words, *settings, "--leave-source-out"])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()[:3]] == ["source", "north", "south"]
    assert "suspected labels: " in result.stdout
    assert "at own threshold" not in result.stdout
    assert len(read_predictions(tmp_path / "runs" / "predictions.csv")) == 2 * N_SUBJECTS
    for number, source in ((1, "north"), (2, "south")):
        manifest = read_manifest(tmp_path / "runs" / f"source-{number}" / "manifest.csv")
        for split in (Split.TRAIN, Split.VALIDATION):
            assert source not in {item.source for item in manifest.with_split(split)}


def test_sources_of_one_class_each_are_refused_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    manifest = read_manifest(data)
    rows = [
        f"{item.path},{item.subject_id},{item.label},sagittal,{item.label}-hospital"
        for item in manifest.items
    ]
    (tmp_path / "m.csv").write_text("\n".join(["path,subject_id,label,plane,source", *rows]))
    job = Job(config=config(), data=tmp_path / "m.csv", run=tmp_path / "runs")
    with pytest.raises(
        ManifestError, match="without the source post-hospital there is no image of one class"
    ):
        run(job, None)
    assert not (tmp_path / "runs").exists()


def test_one_source_too_many_folds_and_a_folder_in_use_are_one_sentence_each(
    done: CrossValidation, data: Path, tmp_path: Path
) -> None:
    job = Job(config=config(), data=data, run=tmp_path / "runs")
    with pytest.raises(ManifestError, match=r"fold \d of 9 .* has no"):
        run(job, 9)
    with pytest.raises(UsageError, match="is not empty"):
        run(replace(job, run=done.folder), 3)
    rows = [f"{item.path},,{item.label},," for item in read_manifest(data).items]
    (tmp_path / "m.csv").write_text("\n".join(["path,subject_id,label,plane,source", *rows]))
    with pytest.raises(ManifestError, match=r"\(none\), so nothing can be trained"):
        run(replace(job, data=tmp_path / "m.csv"), None)

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.errors import BundleError, ManifestError, OutputError, UsageError
from gadoscope.evaluation.openings import OPENINGS_NAME
from gadoscope.evaluation.run import Evaluation, evaluate
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference import default
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Split
from gadoscope.models.registry import build_network
from gadoscope.preparation.manifest import Item, Manifest, write_manifest
from gadoscope.statistics.table import read_predictions
from gadoscope.training.export import export_bundle
from tests.inspection.test_audited import write_audit
from tests.support.bundles import TINY_METADATA, TINY_SLOPE, tiny_model, write_tiny_bundle
from tests.support.curves import no_curves
from tests.support.quick_runs import explain_coarsely, remember_shortcuts
from tests.support.tiny_run import make_item, make_items, write_run, write_slice

TIME = "2026-01-01T00:00:00+00:00"


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gadoscope.evaluation.test_log.utc_now", lambda: TIME)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return write_run(tmp_path / "run")


Told = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Told]:
    """Return an evaluation of a run on its own data, with all its cases, and each step that it told."""
    folder, told = tmp_path_factory.mktemp("explained"), list[tuple[str, int, int]]()
    (folder / "run").mkdir()
    with no_curves(), pytest.MonkeyPatch.context() as patch:
        remember_shortcuts(patch)
        explain_coarsely(patch)
        done = evaluate(
            write_run(folder / "run"),
            data=None,
            output=folder / "report",
            on_progress=lambda *step: told.append(step),
        )
    return done, told


def write_data(folder: Path, items: Sequence[Item]) -> Path:
    path = folder / "data.csv"
    write_manifest(Manifest(items=tuple(items), origin=path), path)
    return path


def splits(report: dict[str, Any]) -> dict[str, int]:
    return {row["split"]: row["n_images"] for row in report["data"]["splits"]}


def test_a_run_is_evaluated_on_its_own_data(explained: tuple[Evaluation, Told]) -> None:
    done, _ = explained

    assert splits(done.report) == {"train": 12, "validation": 12, "test": 12}
    assert done.report["splits"]["test"]["at_operating_point"]["confusion"] == [[5, 1], [1, 5]]
    assert done.report["training"]["layers"][0]["parameters"] == 448
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "predictions.csv",
        "report.html",
        "report.json",
    ]
    assert json.loads((done.folder / "report.json").read_text()) == done.report
    assert (done.folder / "report.html").read_text().count("<img") == 22


def test_the_scores_are_those_of_the_network(run: Path, tmp_path: Path) -> None:
    evaluate(run, data=None, output=tmp_path / "report", n_cases=0)
    table = read_predictions(tmp_path / "report" / "predictions.csv")

    assert len(table) == 24
    assert set(table.split) == {"validation", "test"}
    np.testing.assert_allclose(table.probability, 1 / (1 + np.exp(-table.logit)))
    # Mean brightness 0.56 or 0.42, minus a half, times the slope; the noise is small.
    bright = table.logit > 0
    np.testing.assert_allclose(table.logit[bright], TINY_SLOPE * 0.06, atol=0.3)
    np.testing.assert_allclose(table.logit[~bright], TINY_SLOPE * -0.08, atol=0.3)


def test_training_images_in_other_data_count_nowhere_and_are_told(run: Path, tmp_path: Path) -> None:
    trained = make_items(tmp_path / "images", None, first=0)
    validated = make_items(tmp_path / "images", None, first=12)
    new = make_items(tmp_path / "new", None, first=100, n=6)
    data = write_data(tmp_path, [*trained, *validated, *new])

    report = evaluate(run, data=data, output=tmp_path / "report", n_cases=0).report

    assert splits(report) == {"train": 12, "validation": 12, "test": 6}
    assert any("12 images of these data trained the network" in item["text"] for item in report["worth"])


def test_naming_the_runs_own_manifest_is_like_naming_none(run: Path, tmp_path: Path) -> None:
    own = evaluate(run, data=None, output=tmp_path / "a", n_cases=0).report
    (run / OPENINGS_NAME).unlink()

    assert evaluate(run, data=run / "manifest.csv", output=tmp_path / "b", n_cases=0).report == own


@pytest.mark.usefixtures("curves")
def test_a_bundle_is_evaluated_on_rows_without_a_split(tiny_bundle: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0))

    report = evaluate(tiny_bundle, data=data, output=tmp_path / "report", n_cases=0).report

    assert splits(report) == {"train": 0, "validation": 0, "test": 12}
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<svg") == 6  # with a training and a validation there are twelve: see test_report.py
    assert report["training"] is None
    assert report["splits"]["validation"] is None


def test_without_test_images_the_verdict_is_of_the_validation_and_says_so(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "images", Split.VALIDATION, first=0))

    report = evaluate(tiny_bundle, data=data, output=tmp_path / "report", n_cases=0).report

    assert report["verdict_split"] == "validation"
    assert report["worth"][0]["title"] == "There are no test images"


def test_one_class_alone_is_reported_without_made_up_figures(tiny_bundle: Path, tmp_path: Path) -> None:
    items = [make_item(tmp_path / "images", n, Label.POST, 0.56, None) for n in range(5)]

    report = evaluate(
        tiny_bundle, data=write_data(tmp_path, items), output=tmp_path / "report", n_cases=0
    ).report

    assert report["splits"]["test"]["auc"]["value"] is None
    assert report["splits"]["test"]["at_operating_point"]["sensitivity"]["value"] == 1
    assert any(item["title"] == "There are no pre-contrast images" for item in report["worth"])


def test_an_image_that_cannot_be_read_becomes_a_row_of_its_own(tiny_bundle: Path, tmp_path: Path) -> None:
    items = make_items(tmp_path / "images", None, first=0)
    items[3].path.write_bytes(items[3].path.read_bytes()[:200])
    items[5].path.write_bytes(b"")

    done = evaluate(tiny_bundle, data=write_data(tmp_path, items), output=tmp_path / "report", n_cases=0)

    assert [(row["name"], row["reason"]) for row in done.report["data"]["unread"]] == [
        ("images/003-post.png", "truncated"),
        ("images/005-post.png", "empty_file"),
    ]
    assert done.report["splits"]["test"]["n_images"] == 10
    assert "truncated" in (tmp_path / "report" / "report.html").read_text()


def test_nothing_readable_at_all_is_one_sentence(tiny_bundle: Path, tmp_path: Path) -> None:
    items = make_items(tmp_path / "images", None, first=0, n=2)
    for item in items:
        item.path.write_bytes(b"")

    with pytest.raises(ManifestError, match=r"none of the 2 images can be read; .*empty_file"):
        evaluate(tiny_bundle, data=write_data(tmp_path, items), output=tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_images_of_other_kinds_are_left_out_and_told(tiny_bundle: Path, tmp_path: Path) -> None:
    items = make_items(tmp_path / "images", None, first=0)
    items.append(make_item(tmp_path / "images", 50, Label.OTHER, 0.5, None))

    report = evaluate(
        tiny_bundle, data=write_data(tmp_path, items), output=tmp_path / "report", n_cases=0
    ).report

    assert report["splits"]["test"]["n_images"] == 12
    told = [notice for notice in report["data"]["notices"] if "labelled" in notice]
    assert len(told) == 1
    assert told[0].startswith("1 image is labelled 'other'")


def test_data_of_training_images_alone_cannot_judge(run: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0))

    with pytest.raises(ManifestError, match="no labelled image that may judge this model: 12 belong to"):
        evaluate(run, data=data, output=tmp_path / "report")


def test_a_folder_in_the_lessons_layout_works_as_it_is(tiny_bundle: Path, tmp_path: Path) -> None:
    for number in range(8):
        name = "with_gad" if number % 2 else "no_gad"
        write_slice(tmp_path / "data" / name / f"{number}.png", 0.58 if number % 2 else 0.4, number)

    report = evaluate(tiny_bundle, data=tmp_path / "data", output=tmp_path / "report", n_cases=0).report

    assert report["splits"]["test"]["at_operating_point"]["confusion"] == [[4, 0], [0, 4]]
    assert any(item["title"] == "The subjects are unknown" for item in report["worth"])


def test_more_jobs_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name, jobs in (("a", 1), ("b", 3)):
        evaluate(run, data=None, output=tmp_path / name, jobs=jobs, n_cases=2)
        (run / OPENINGS_NAME).unlink()

    for name in ("report.html", "report.json", "predictions.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_every_step_is_told(explained: tuple[Evaluation, Told]) -> None:
    _, told = explained

    assert told[23] == ("Scoring images", 24, 24)
    assert told[-1] == ("Explaining answers", 11, 11)


def test_a_network_that_answers_no_number_is_one_sentence(tmp_path: Path) -> None:
    model = tiny_model()
    for constant in model.graph.initializer:
        if constant.name == "slope":
            constant.ClearField("raw_data")
            constant.float_data[:] = [float("nan")]
    bundle = write_tiny_bundle(tmp_path / "nan.onnx", model=model)
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0))

    with pytest.raises(ManifestError, match="12 of 12 images have a score that is not a number"):
        evaluate(bundle, data=data, output=tmp_path / "report")


def test_a_bundle_without_data_is_told_what_to_add(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name them with --data"):
        evaluate(tiny_bundle, data=None, output=tmp_path / "report")


def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_text("no")

    with pytest.raises(BundleError):
        evaluate(tmp_path / "x.onnx", data=tmp_path, output=tmp_path / "report")


def test_an_output_that_is_a_file_is_refused_before_any_work(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="is a file; name a folder"):
        evaluate(run, data=None, output=tmp_path / "file")


def test_each_look_at_the_runs_own_test_images_is_counted(run: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        report = evaluate(run, data=None, output=tmp_path / "report", n_cases=0).report
        assert len(report["openings"]) == number

    assert report["openings"][0] == {
        "time": TIME,
        "bundle_sha256": report["model"]["sha256"],
        "n_images": 12,
        "accuracy": pytest.approx(10 / 12),
        "sensitivity": pytest.approx(5 / 6),
        "specificity": pytest.approx(5 / 6),
        "auc": report["splits"]["test"]["auc"]["value"],
    }
    assert "opened 2 times" in (tmp_path / "report" / "report.html").read_text()


def test_foreign_images_open_no_sealed_test(run: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "new", None, first=100))

    report = evaluate(run, data=data, output=tmp_path / "report", n_cases=0).report

    assert report["openings"] == []
    assert not (run / OPENINGS_NAME).exists()


def test_the_default_bundle_is_a_model_and_a_rival_by_its_name(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", tiny_bundle)
    data = write_data(tmp_path, make_items(tmp_path / "images", Split.TEST, first=0, n=6))
    name = Path(default.NAME)
    report = evaluate(name, data=data, output=tmp_path / "report", rivals=[name], n_cases=0).report
    model_id = Session(tiny_bundle).bundle.model_id
    assert [row["name"] for row in report["comparison"]["models"]] == [model_id, model_id]


def test_a_file_that_is_named_default_comes_before_the_default_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / default.NAME).write_text("no")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="is not an ONNX file"):
        evaluate(Path(default.NAME), data=tmp_path, output=tmp_path / "report")


def test_rivals_answer_the_same_images_beside_the_model(run: Path, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "other.onnx")
    rivals = [bundle, *(Path(name) for name in ("header", "majority", "plane", "source"))]

    done = evaluate(run, data=None, output=tmp_path / "report", rivals=rivals, n_cases=0)

    comparison = done.report["comparison"]
    assert comparison["n_images"] == 12
    assert [row["name"] for row in comparison["models"]][2:] == ["header", "majority", "plane", "source"]
    assert comparison["models"][1]["difference"]["accuracy"]["value"] == 0
    assert comparison["models"][2]["why_not"].startswith("no column of the manifest")
    assert "Side by side" in (tmp_path / "report" / "report.html").read_text()


def test_images_that_trained_a_rival_count_for_nobody(run: Path, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    moved = [
        *make_items(tmp_path / "images", Split.TRAIN, first=24),
        *make_items(tmp_path / "images", Split.TEST, first=36),
    ]
    second = write_run(tmp_path / "second", moved)
    data = write_data(
        tmp_path,
        [
            *make_items(tmp_path / "images", None, first=24),
            *make_items(tmp_path / "images", None, first=36),
        ],
    )

    report = evaluate(run, data=data, rivals=[second], output=tmp_path / "report", n_cases=0).report

    assert report["comparison"]["n_images"] == 12
    assert splits(report)["test"] == 12


def test_a_rival_that_is_neither_file_nor_name_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no majorty; name a folder"):
        evaluate(run, data=None, output=tmp_path / "report", rivals=[Path("majorty")])


def test_an_audit_beside_the_data_is_found_and_stands_at_the_top(tiny_bundle: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0))
    write_audit(tmp_path)

    report = evaluate(tiny_bundle, data=data, output=tmp_path / "report", n_cases=0).report

    assert report["worth"][0]["title"] == "A trivial predictor is as good as the network"
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.index("A trivial predictor") < page.index('class="cards"')


def test_a_known_network_is_explained_in_two_ways_and_checked_against_random_weights(tmp_path: Path) -> None:
    bundle = tmp_path / "siim.onnx"
    path = ImagePath()
    metadata = replace(TINY_METADATA, network="siim", n_parameters=109_073, image_path=path)
    export_bundle(build_network("siim", seed=1).eval(), bundle, metadata)
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0, n=4))

    done = evaluate(bundle, data=data, output=tmp_path / "report", n_cases=1)

    assert 0 <= done.report["wrong"]["gradcam_similarity"] < 0.5
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<img") == 9  # the error, an unsure and a right answer, each in three ways
    assert "by Grad-CAM" in page
    assert "Do the maps follow the weights?" in page


def test_a_network_of_unknown_layers_is_explained_by_occlusion_alone(
    explained: tuple[Evaluation, Told],
) -> None:
    done, _ = explained

    assert done.report["wrong"]["gradcam_similarity"] is None
    assert "Grad-CAM" not in (done.folder / "report.html").read_text()


HEAD = "path,subject_id,label,plane,source,split\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "no"),
        ("0.png,a,pre,sagittal,x,\n0.png,a,pre,sagittal,x,\n", "0.png"),
        ("0.png,a,maybe,sagittal,x,\n", "maybe"),
    ],
    ids=["no row", "one image twice", "an unknown label"],
)
def test_a_table_that_cannot_be_judged_is_one_sentence(
    tiny_bundle: Path, tmp_path: Path, rows: str, message: str
) -> None:
    write_slice(tmp_path / "0.png", 0.5, 0)
    (tmp_path / "data.csv").write_text(HEAD + rows)

    with pytest.raises(ManifestError, match=message):
        evaluate(tiny_bundle, data=tmp_path / "data.csv", output=tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_subject_in_validation_and_in_test_is_told(tiny_bundle: Path, tmp_path: Path) -> None:
    items = [
        make_item(tmp_path / "images", number, Label.POST if number % 2 else Label.PRE, 0.5, split)
        for number, split in enumerate((Split.VALIDATION, Split.TEST, Split.TEST, Split.TEST))
    ]

    report = evaluate(
        tiny_bundle, data=write_data(tmp_path, items), output=tmp_path / "report", n_cases=0
    ).report

    assert "Subjects stand in validation and in test" in [item["title"] for item in report["worth"]]


@pytest.mark.parametrize("n", [1, 10])
def test_a_handful_of_images_gets_wide_intervals_and_no_number_that_is_none(
    tiny_bundle: Path, tmp_path: Path, n: int
) -> None:
    data = write_data(tmp_path, make_items(tmp_path / "images", None, first=0, n=n))

    done = evaluate(tiny_bundle, data=data, output=tmp_path / "report", n_cases=0)

    accuracy = done.report["splits"]["test"]["at_operating_point"]["accuracy"]
    assert accuracy["upper"] - accuracy["lower"] > 0.3
    text = (tmp_path / "report" / "report.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_series_of_two_labels_ends_the_evaluation_before_anything_is_scored(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    items = [replace(item, extra={"series": "1"}) for item in make_items(tmp_path, None, first=0, n=4)]
    told: list[str] = []

    with pytest.raises(
        ManifestError, match=r"2 of 2 series have images of two labels, such as .*; a series has one"
    ):
        evaluate(
            tiny_bundle,
            data=write_data(tmp_path, items),
            output=tmp_path / "report",
            on_progress=lambda what, _done, _all: told.append(what),
        )

    assert told == []

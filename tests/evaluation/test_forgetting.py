"""`--elsewhere`: what a fine-tuned run gained here and lost there, beside the model that it began from."""

import json
from pathlib import Path

import pytest

from gadoscope.errors import UsageError
from gadoscope.evaluation.forgetting import tell_forgetting
from gadoscope.evaluation.run import evaluate
from gadoscope.files import hash_file
from gadoscope.inference import default
from gadoscope.labels import Label
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import write_manifest
from tests.support.bundles import write_gated_bundle, write_tiny_bundle
from tests.support.tiny_run import make_item, write_run

BRIGHT, DIM = 0.56, 0.42


def write_data(folder: Path, items: list[Item]) -> Path:
    path = folder / "elsewhere.csv"
    write_manifest(Manifest(items=tuple(items), origin=folder), path)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return images that the bundle of brightness answers rightly, and some that are no T1 brain."""
    labels = (Label.PRE, Label.POST) * 8
    items = [
        make_item(tmp_path / "away", 100 + number, label, BRIGHT if label is Label.POST else DIM, None)
        for number, label in enumerate(labels)
    ]
    others = [make_item(tmp_path / "away", 200 + number, Label.OTHER, 0.1, None) for number in range(4)]
    return write_data(tmp_path, [*items, *others])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run whose bundle refuses dim images, and which began from a bundle without a gate."""
    began = write_tiny_bundle(tmp_path / "began.onnx")
    (tmp_path / "run").mkdir()
    run = write_run(tmp_path / "run")
    write_gated_bundle(run / "model.onnx")
    record = json.loads((run / "record.json").read_text())
    (run / "record.json").write_text(json.dumps({**record, "init_sha256": hash_file(began)}))
    return run


def test_the_report_shows_both_models_here_and_elsewhere_and_what_is_refused_is_wrong(
    run: Path, elsewhere: Path, tmp_path: Path
) -> None:
    done = evaluate(
        run,
        data=None,
        output=tmp_path / "report",
        rivals=[tmp_path / "began.onnx"],
        elsewhere=elsewhere,
        n_cases=0,
    )
    forgetting = done.report["forgetting"]
    here, away = forgetting["parts"]
    assert (here["where"], here["n_images"]) == ("here", 12)
    assert (away["where"], away["n_images"], away["others"]["n_images"]) == ("elsewhere", 16, 4)
    ours, began = away["models"]
    assert began["figures"]["balanced_accuracy"]["value"] == 1  # it refuses nothing, and answers rightly
    assert began["difference"]["balanced_accuracy"]["value"] == pytest.approx(
        ours["figures"]["balanced_accuracy"]["value"] - 1
    )
    assert away["others"]["refused"][1]["value"] == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Gained here, lost elsewhere" in page
    titles = [one["title"] for one in done.report["worth"]]
    assert {"Fine-tuning has made it worse elsewhere", "No loss elsewhere was found"} & set(titles)


def test_without_elsewhere_nothing_is_compared_with_it(run: Path, tmp_path: Path) -> None:
    done = evaluate(run, data=None, output=tmp_path / "report", n_cases=0)
    assert done.report["forgetting"] is None
    assert "Gained here" not in (tmp_path / "report" / "report.html").read_text()


def test_a_run_that_began_from_the_default_needs_no_name_for_it(
    run: Path, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "began.onnx"
    bundle.with_suffix(".sha256").write_text(f"{hash_file(bundle)}  began.onnx\n")
    monkeypatch.setattr(default, "DEFAULT_BUNDLE", bundle)
    monkeypatch.setattr("gadoscope.evaluation.forgetting.DEFAULT_BUNDLE", bundle)
    done = evaluate(run, data=None, output=tmp_path / "report", elsewhere=elsewhere, n_cases=0)
    assert done.report["forgetting"]["began"].startswith("tiny@")


def test_a_run_that_began_from_nothing_that_is_here_is_one_sentence(
    run: Path, elsewhere: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"began from a bundle that is not here, .* BUNDLE --elsewhere DATA"):
        evaluate(run, data=None, output=tmp_path / "report", elsewhere=elsewhere)
    (tmp_path / "first").mkdir()
    first = write_run(tmp_path / "first")
    with pytest.raises(UsageError, match="does not say what it began from"):
        evaluate(first, data=None, output=tmp_path / "report", elsewhere=elsewhere)


def part(where: str, upper: float) -> dict[str, object]:
    change = {"value": upper - 0.02, "lower": upper - 0.04, "upper": upper}
    figures = {name: {"value": 0.9} for name in ("balanced_accuracy", "accuracy")}
    differences = {"balanced_accuracy": change, "accuracy": change}
    return {
        "where": where,
        "n_images": 50,
        "models": [{"figures": figures}, {"figures": figures, "difference": differences}],
        "others": {"n_images": 9, "refused": [{"value": 0.5}, {"value": 0.9}], "difference": change},
    }


@pytest.mark.parametrize(
    ("upper", "severity", "titles"),
    [
        (-0.01, "caution", ["Fine-tuning has made it worse elsewhere", "Fine-tuning has opened its gate"]),
        (0.01, "note", ["No loss elsewhere was found", "Its gate refuses what it refused before"]),
    ],
)
def test_a_loss_elsewhere_is_a_caution_only_where_chance_does_not_explain_it(
    upper: float, severity: str, titles: list[str]
) -> None:
    parts = [part("here", -0.5), part("elsewhere", upper)]
    found = tell_forgetting({"began": "default@1", "origin": "x", "parts": parts})
    assert [one["title"] for one in found] == titles
    assert {one["severity"] for one in found} == {severity}


def test_a_source_of_one_phase_is_judged_by_its_right_answers() -> None:
    alone = part("elsewhere", -0.01)
    alone["models"][0]["figures"]["balanced_accuracy"]["value"] = None  # type: ignore[index]
    (first, _) = tell_forgetting({"began": "default@1", "origin": "x", "parts": [alone]})
    assert first["title"] == "Fine-tuning has made it worse elsewhere"

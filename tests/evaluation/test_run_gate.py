"""An evaluation says what the bundle's gate refuses, and changes no other figure for it.

The tiny bundle takes what is brighter than four fifths for no T1 brain.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gadoscope.cli.evaluate import command
from gadoscope.errors import ManifestError, RefusedError
from gadoscope.evaluation.run import evaluate
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.preparation.split import digest_split
from gadoscope.reading.images import read_slice
from tests.support.bundles import GATED_METADATA, tiny_model, write_gated_bundle, write_tiny_bundle
from tests.support.tiny_run import make_item, make_items, write_run

WHITE, DARK = 0.92, 0.3
"""What the gate refuses, and what it lets pass."""


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    return write_gated_bundle(tmp_path / "gated.onnx")


def _of_other_kind(folder: Path, first: int = 50, split: Split | None = None) -> list[Item]:
    """Return three images labelled other, of which the gate lets one pass."""
    greys = (WHITE, DARK, WHITE)
    return [
        make_item(folder, first + n, Label.OTHER, brightness, split) for n, brightness in enumerate(greys)
    ]


def _mixture(folder: Path) -> list[Item]:
    """Return 12 T1 images that pass, 2 of another source that do not, and three of other kinds."""
    refused = [replace(make_item(folder, 20 + n, Label.POST, WHITE, None), source="clinic") for n in range(2)]
    return [*make_items(folder, None, first=0), *refused, *_of_other_kind(folder)]


def _write(folder: Path, items: Sequence[Item]) -> Path:
    data = folder / "data.csv"
    write_manifest(Manifest(items=tuple(items), origin=data), data)
    return data


def _evaluate(model: Path, folder: Path, items: Sequence[Item]) -> dict[str, Any]:
    return evaluate(model, data=_write(folder, items), output=folder / "report", n_cases=0).report


def _is_refused(item: Item, session: Session) -> bool:
    metadata = session.bundle.metadata
    answers = session.slice_answers(metadata.image_path.resize_slice(read_slice(item.path).pixels)[None])
    assert answers.t1_brain is not None
    try:
        metadata.decision.check_t1_brain(answers.t1_brain)
    except RefusedError:
        return True
    return False


def test_the_counts_are_those_of_asking_the_bundle_for_each_image(gated: Path, tmp_path: Path) -> None:
    items = _mixture(tmp_path / "images")
    gate = _evaluate(gated, tmp_path, items)["gate"]

    session = Session(gated)
    refused = {item.path.name for item in items if _is_refused(item, session)}
    counted = {True: [0, 0], False: [0, 0]}
    for item in items:
        counted[item.label is Label.OTHER][0] += 1
        counted[item.label is Label.OTHER][1] += item.path.name in refused
    assert [gate["t1"]["n_images"], gate["t1"]["n_refused"]] == counted[False] == [14, 2]
    assert [gate["others"]["n_images"], gate["others"]["n_refused"]] == counted[True] == [3, 2]
    assert {Path(row["name"]).name for row in gate["named"]} == {"020-post.png", "021-post.png"} <= refused
    assert gate["threshold"] == 0.5


def test_all_other_figures_are_of_every_labelled_image(gated: Path, tmp_path: Path) -> None:
    items = _mixture(tmp_path / "images")
    with_gate = _evaluate(gated, tmp_path, items)
    without = _evaluate(write_tiny_bundle(tmp_path / "tiny.onnx"), tmp_path, items)

    assert with_gate["splits"] == without["splits"]
    assert with_gate["gate"]["passing"]["confusion"] == [[5, 1], [1, 5]]
    assert with_gate["splits"]["test"]["at_operating_point"]["confusion"] == [[5, 1], [1, 7]]


def test_a_bundle_without_a_gate_has_no_such_section(tiny_bundle: Path, tmp_path: Path) -> None:
    report = _evaluate(tiny_bundle, tmp_path, _mixture(tmp_path / "images"))

    assert report["gate"] is None
    page = (tmp_path / "report" / "report.html").read_text()
    assert "What the gate refuses" not in page
    assert 'href="#gate"' not in page
    assert any(notice.endswith("(no T1 brain image): left out.") for notice in report["data"]["notices"])


def test_data_without_other_images_have_no_such_count(gated: Path, tmp_path: Path) -> None:
    report = _evaluate(gated, tmp_path, make_items(tmp_path / "images", None, first=0))

    assert report["gate"]["others"] is None
    assert report["gate"]["t1"]["n_refused"] == 0
    assert "The data have no images labelled other" in (tmp_path / "report" / "report.html").read_text()


def test_other_images_that_cannot_be_read_are_listed_and_stop_nothing(gated: Path, tmp_path: Path) -> None:
    items = _mixture(tmp_path / "images")
    for item in items[-3:]:
        item.path.write_bytes(b"")

    report = _evaluate(gated, tmp_path, items)

    assert report["gate"]["others"] is None
    assert [row["reason"] for row in report["data"]["unread"]] == ["empty_file"] * 3


def test_without_test_images_the_gate_is_judged_on_those_of_the_validation(
    gated: Path, tmp_path: Path
) -> None:
    items = make_items(tmp_path / "images", Split.VALIDATION, first=0)
    gate = _evaluate(gated, tmp_path, [*items, *_of_other_kind(tmp_path / "images")])["gate"]

    assert (gate["t1"]["n_images"], gate["others"]["n_images"]) == (12, 3)


@pytest.mark.parametrize("is_own", [True, False], ids=["the run's own data", "other data"])
def test_what_trained_the_gate_does_not_judge_it(tmp_path: Path, is_own: bool) -> None:
    images = tmp_path / "images"
    trained_on = _of_other_kind(images, first=60, split=Split.TRAIN)
    held_out = _of_other_kind(images, first=70, split=Split.TEST)
    splits = enumerate((Split.TRAIN, Split.VALIDATION, Split.TEST))
    labelled = [item for n, split in splits for item in make_items(images, split, first=12 * n)]
    (tmp_path / "run").mkdir()
    run = write_run(tmp_path / "run", [*labelled, *trained_on, *held_out])
    write_gated_bundle(run / "model.onnx")
    manifest = read_manifest(run / "manifest.csv")
    record = json.loads((run / "record.json").read_text())
    (run / "record.json").write_text(json.dumps({**record, "split_sha256": digest_split(manifest)}))
    data = None
    if not is_own:  # the same images, and nothing said of their splits
        data = tmp_path / "copy.csv"
        write_manifest(
            replace(manifest, items=tuple(replace(item, split=None) for item in manifest.items)), data
        )

    gate = evaluate(run, data=data, output=tmp_path / "report", n_cases=0).report["gate"]

    assert (gate["others"]["n_images"], gate["others"]["n_refused"]) == (3, 2)
    assert gate["t1"]["n_images"] == 12


def test_a_gate_that_answers_no_number_is_one_sentence(tmp_path: Path) -> None:
    model = tiny_model(n_outputs=2, second="t1_brain_logit")
    for constant in model.graph.initializer:
        if constant.name == "gate":
            constant.raw_data = np.float32("nan").tobytes()
    bundle = write_tiny_bundle(tmp_path / "nan.onnx", GATED_METADATA, model)

    with pytest.raises(ManifestError, match="12 of 12 scores are not numbers"):
        _evaluate(bundle, tmp_path, make_items(tmp_path / "images", None, first=0))
    assert not (tmp_path / "report").exists()


def _summary(model: Path, folder: Path, items: Sequence[Item]) -> list[str]:
    words = ["--data", str(_write(folder, items)), "--output", str(folder / "r"), "--cases", "0"]
    arguments = [str(model), *words]
    return CliRunner().invoke(command, arguments).stdout.splitlines()


def test_the_terminal_tells_it_in_one_line_where_there_is_a_gate(
    gated: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    items = _mixture(tmp_path / "images")

    assert "Gate: refuses 2 of 14 T1 images, 2 of 3 others." in _summary(gated, tmp_path, items)
    assert "Gate: refuses 2 of 14 T1 images." in _summary(gated, tmp_path, items[:-3])
    assert not any(line.startswith("Gate") for line in _summary(tiny_bundle, tmp_path, items))

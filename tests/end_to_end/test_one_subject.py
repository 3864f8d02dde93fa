"""Bundle, split, report and audit of one data set say one number of subjects."""

import json
from pathlib import Path

import pytest

from gadoscope.evaluation.run import evaluate
from gadoscope.inference.session import Session
from gadoscope.inspection.run import audit
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import write_manifest
from gadoscope.training.job import Job
from gadoscope.training.run import train
from tests.support.curves import no_curves
from tests.support.lessons import quick_config
from tests.support.quick_runs import narrow_compact, train_quickly
from tests.support.tiny_run import write_slice

SPLITS = {**dict.fromkeys(range(4), Split.VALIDATION), **dict.fromkeys((4, 5, 6), Split.TEST)}
"""Of the ids; all others train."""


def write_two_sources(folder: Path) -> Path:
    """Write 48 images of two sources with the same twelve ids; in each one image before and one after."""
    rows = [(source, number, label) for source in (0, 1) for number in range(12) for label in (0, 1)]
    items = tuple(
        Item(
            path=write_slice(folder / f"{index:02}.png", 0.3 + 0.4 * label, index),
            label=(Label.PRE, Label.POST)[label],
            subject_id=f"{number:02}",
            plane=Plane.SAGITTAL,
            source=("north", "south")[source],
            split=SPLITS.get(number, Split.TRAIN),
        )
        for index, (source, number, label) in enumerate(rows)
    )
    write_manifest(Manifest(items=items, origin=folder), folder / "manifest.csv")
    return folder


def test_two_sources_with_the_same_ids_are_twelve_subjects_in_bundle_split_report_and_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_quickly(monkeypatch)
    narrow_compact(monkeypatch)
    data = write_two_sources(tmp_path / "data")
    config = quick_config(epochs=1, split={"method": "subject"})

    run = train(Job(config=config, data=data, run=tmp_path / "run"))
    assert run is not None
    with no_curves():
        report = evaluate(run.run, data=None, output=tmp_path / "report", n_cases=0).report
    audited = audit(data, output=None).report

    bundle = Session(run.run / "model.onnx").bundle.metadata
    split = json.loads((run.run / "split.json").read_text())
    splits = {row["split"]: row["n_subjects"] for row in report["data"]["splits"]}
    assert audited["counts"]["all"]["n_subjects"] == 12
    assert splits == {"train": 5, "validation": 4, "test": 3}
    assert bundle.training["n_subjects"] == splits["train"]
    assert bundle.decision.of_slice.point.chosen_on == "validation: 16 images, 4 subjects"
    assert {name: part["n_subjects"] for name, part in split["parts"].items()} == splits
    assert report["splits"]["test"]["auc"]["n_subjects"] == splits["test"]
    for notices in (run.notices, report["data"]["notices"], audited["data"]["notices"]):
        assert sum(one.startswith("12 subject ids stand under several sources") for one in notices) == 1

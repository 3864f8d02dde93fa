"""A test that was exchanged after training is no test: the run's manifest must be the one it trained with."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import LeakError
from gadoscope.evaluation.run import evaluate
from gadoscope.labels import Split
from gadoscope.preparation.manifest import read_manifest, write_manifest
from gadoscope.preparation.split import digest_split
from tests.support.tiny_run import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run that has recorded its split."""
    folder = write_run(tmp_path / "run")
    record = json.loads((folder / "record.json").read_text())
    record["split_sha256"] = digest_split(read_manifest(folder / "manifest.csv"))
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def test_a_run_is_evaluated_on_the_split_that_it_recorded(run: Path, tmp_path: Path) -> None:
    report = evaluate(run, data=None, output=tmp_path / "report", n_cases=0).report
    assert report["splits"]["test"]["n_images"] == 12


def test_training_images_that_were_called_test_afterwards_are_refused(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy.csv"
    manifest = read_manifest(run / "manifest.csv")
    write_manifest(manifest, copied)
    moved = tuple(replace(item, split=Split.TEST) for item in manifest.items)
    write_manifest(replace(manifest, items=moved), run / "manifest.csv")
    for data in (None, copied):
        with pytest.raises(LeakError, match=r"is not the split that was trained with: its digest is"):
            evaluate(run, data=data, output=tmp_path / "report")
    assert not (tmp_path / "report").exists()

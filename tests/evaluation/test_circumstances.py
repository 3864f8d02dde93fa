"""A trap in the data is told by `train` and by `evaluate`, at the top, without an audit."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gadoscope.cli.evaluate import command as evaluate_command
from gadoscope.evaluation.run import evaluate
from gadoscope.inspection import shortcuts
from gadoscope.preparation.manifest import read_manifest, write_manifest
from tests.evaluation.conftest import TrapRun
from tests.support.traps import N_FEW, write_trap

TITLE = "Image size"


@pytest.mark.parametrize("form", ["folders", "manifest"])
def test_evaluate_says_at_its_top_what_gives_the_label_away(
    tiny_bundle: Path, tmp_path: Path, form: str
) -> None:
    data = write_trap(tmp_path / "data", n=N_FEW)
    if form == "manifest":
        write_manifest(read_manifest(data), data / "manifest.csv")
    arguments = [str(tiny_bundle), "--data", str(data), "--output", str(tmp_path / "r"), "--cases", "0"]
    result = CliRunner().invoke(evaluate_command, arguments)

    assert result.exit_code == 0
    assert result.stdout.startswith(f"WARNING: {TITLE}")
    assert result.stdout.count(TITLE) == 1
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["warnings"][0]["title"].startswith(TITLE)
    assert report["worth"][0] == report["warnings"][0]
    page = (tmp_path / "r" / "report.html").read_text()
    assert page.index('class="banner serious"') < page.index('class="cards"')
    assert TITLE in page[page.index('class="banner serious"') : page.index('class="cards"')]


def test_a_second_look_at_the_same_data_measures_nothing(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_trap(tmp_path / "data", n=N_FEW)
    first = evaluate(tiny_bundle, data=data, output=tmp_path / "r", n_cases=0).report
    monkeypatch.delattr(shortcuts, "measure_shortcuts")
    assert evaluate(tiny_bundle, data=data, output=tmp_path / "r", n_cases=0).report == first


def test_train_warns_before_and_after_and_its_run_knows_it_later(
    trap_run: TrapRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = trap_run.said
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"WARNING: {TITLE}")
    assert result.stderr.index(f"WARNING: {TITLE}") < result.stderr.index("epoch")
    monkeypatch.delattr(shortcuts, "measure_shortcuts")
    report = evaluate(trap_run.run, data=None, output=tmp_path / "r", n_cases=0).report
    assert report["warnings"][0]["title"].startswith(TITLE)

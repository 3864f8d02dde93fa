import json
import subprocess
import sys
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gadoscope.cli.evaluate import command
from gadoscope.evaluation import DEFAULT_CASES
from gadoscope.evaluation.run import evaluate
from gadoscope.inspection.run import audit
from gadoscope.labels import Split
from tests.support.commands import run_command
from tests.support.curves import no_curves
from tests.support.late_imports import list_loaded, note_late_imports
from tests.support.quick_runs import grow_few_trees
from tests.support.slices import write_classes
from tests.support.tiny_run import make_items, write_run


@pytest.fixture(autouse=True, scope="module")
def without_curves() -> Iterator[None]:
    with no_curves():
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run; nothing here changes it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    return write_run(folder)


@pytest.fixture(scope="module")
def without_cases(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """Return what the command says, and its folder, where JSON and no case are asked for."""
    folder = tmp_path_factory.mktemp("report")
    words = [str(run), "--output", str(folder), "--json", "--cases", "0"]
    return CliRunner().invoke(command, words), folder


def test_the_summary_tells_split_verdict_and_where_the_report_is(run: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(run), "--output", str(tmp_path / "report"), "--cases", "0"])

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Split", "Images", "Subjects", "Pre", "Post"]
    assert [line.split() for line in lines[1:4]] == [
        ["train", "12", "6", "6", "6"],
        ["validation", "12", "6", "6", "6"],
        ["test", "12", "6", "6", "6"],
    ]
    assert "  accuracy       83.3\xa0%  95 %: 52.4\xa0% to 95.8\xa0%  (10 of 12)" in lines
    assert lines[-2:] == [f"Report: {tmp_path / 'report' / 'report.html'}", "Not a medical device."]


def test_json_prints_the_report_and_nothing_else(without_cases: tuple[Result, Path]) -> None:
    result, folder = without_cases

    assert json.loads(result.stdout) == json.loads((folder / "report.json").read_text())


def test_no_case_is_shown_where_none_is_asked_for(without_cases: tuple[Result, Path]) -> None:
    _, folder = without_cases

    assert "<img" not in (folder / "report.html").read_text()


def test_the_help_shows_an_example_and_the_librarys_default() -> None:
    result = CliRunner().invoke(command, ["--help"])

    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "gadoscope evaluate runs/lesson --output report" in lines  # a line of its own: the \b works
    (of_command,) = (option.default for option in command.params if option.name == "n_cases")
    assert of_command == signature(evaluate).parameters["n_cases"].default == DEFAULT_CASES


def test_a_wrong_model_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    result = run_command("evaluate", tmp_path, "--output", "report")

    assert result.returncode == 2
    assert result.stderr.startswith(f"Error: {tmp_path} is not a folder made by `gadoscope train`")
    assert result.stderr.count("\n") == 1


@pytest.fixture
def one_split(tmp_path: Path) -> Path:
    """Return a run with one split: half of the curves."""
    (tmp_path / "run").mkdir()
    return write_run(tmp_path / "run", make_items(tmp_path / "images", Split.TEST, first=0))


def test_nothing_on_the_way_of_an_audit_or_of_an_evaluation_without_cases_imports_torch(
    one_split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow_few_trees(monkeypatch)
    with note_late_imports() as late:
        audit(write_classes(tmp_path / "slices"), output=None)
    loaded = list_loaded("gadoscope.inspection.run", late)
    assert {"sklearn", "gadoscope.inspection.measure"} <= loaded
    assert not loaded & {"torch", "pydicom", "nibabel"}
    with note_late_imports() as late:
        evaluate(one_split, data=None, output=tmp_path / "report", n_cases=0)
    loaded = list_loaded("gadoscope.evaluation.run", late)
    assert {"onnxruntime", "gadoscope.evaluation.page"} <= loaded
    assert "torch" not in loaded


LOADED = """
import sys
from pathlib import Path
from gadoscope.inspection.run import audit
from gadoscope.report import figures
from gadoscope.statistics import predictors
predictors.N_TREES = 1  # how many there are loads nothing more
once = iter([figures._lay_out])
figures._lay_out = lambda figure: next(once, lambda _: None)(figure)  # nor how many figures are laid out
slices, run, report = map(Path, sys.argv[1:])
audit(slices, output=None)
print(*(name in sys.modules for name in ("torch", "pydicom", "nibabel", "matplotlib.pyplot")))
from gadoscope.evaluation.run import evaluate
evaluate(run, data=None, output=report, n_cases=0)
print(*(name in sys.modules for name in ("torch", "matplotlib.pyplot")))
"""


@pytest.mark.slow
def test_an_audit_loads_neither_torch_nor_pydicom_and_an_evaluation_after_it_no_torch(
    one_split: Path, tmp_path: Path
) -> None:
    """Its twin is the one above: no module of ours on that way imports them, early or late."""
    words = [write_classes(tmp_path / "slices"), one_split, tmp_path / "report"]
    result = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )

    assert result.stdout.splitlines() == ["False False False False", "False False"]

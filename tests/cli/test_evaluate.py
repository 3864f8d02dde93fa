import json
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gadoscope.cli.evaluate import command
from gadoscope.evaluation import DEFAULT_CASES
from gadoscope.evaluation.run import evaluate
from tests.support.tiny_run import write_run

MAIN = "from gadoscope.cli.main import main; main()"


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
    result = CliRunner().invoke(command, [str(run), "--output", str(tmp_path / "report")])

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
    (of_command,) = (option.default for option in command.params if option.name == "cases")
    assert of_command == signature(evaluate).parameters["n_cases"].default == DEFAULT_CASES


def test_a_wrong_model_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MAIN, "evaluate", str(tmp_path), "--output", "report"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 2
    assert result.stderr.startswith(f"Error: {tmp_path} is not a folder made by `gadoscope train`")
    assert result.stderr.count("\n") == 1


def test_evaluating_never_loads_torch(run: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gadoscope.evaluation.run import evaluate; "
        f"evaluate(Path({str(run)!r}), data=None, output=Path({str(tmp_path / 'r')!r}), n_cases=0); "
        "print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "False False"

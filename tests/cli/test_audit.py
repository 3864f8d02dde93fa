"""`gadoscope audit` on the command line."""

import json
from inspect import signature
from pathlib import Path

import pytest
from click.testing import CliRunner

from gadoscope.cli.audit import command
from gadoscope.inspection import DEFAULT_CASES
from gadoscope.inspection.run import audit
from tests.support.commands import run_command
from tests.support.slices import write_classes


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    return write_classes(tmp_path / "slices", n_images=2)


def test_the_summary_tells_counts_findings_and_where_the_report_is(tmp_path: Path) -> None:
    slices = write_classes(tmp_path / "slices", n_images=8)
    result = CliRunner().invoke(command, [str(slices), "--output", str(tmp_path / "audit")])

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Images", "Subjects", "Pre", "Post", "Other"]
    assert lines[1].split() == ["all", "16", "unknown", "8", "8", "0"]
    assert any(line.startswith("CAUTION: The subjects of 16 images are unknown.") for line in lines)
    assert any(line.startswith("NOTE: No copy and no leak was found.") for line in lines)
    assert lines[-2:] == [f"Report: {tmp_path / 'audit' / 'report.html'}", "Not a medical device."]
    assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == ["audit.json", "report.html"]


def test_json_prints_the_audit_and_nothing_else(slices: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(slices), "--output", str(tmp_path / "a"), "--json"])

    assert json.loads(result.stdout) == json.loads((tmp_path / "a" / "audit.json").read_text())


def test_without_output_nothing_is_written(slices: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert CliRunner().invoke(command, [str(slices)]).exit_code == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_an_image_that_cannot_be_read_is_exit_code_3(slices: Path) -> None:
    (slices / "no_gad" / "bad.png").write_bytes(b"no image")
    result = CliRunner().invoke(command, [str(slices)])

    assert result.exit_code == 3
    assert "CAUTION: 1 image cannot be read." in result.stdout


def test_the_help_shows_an_example_and_the_librarys_default() -> None:
    lines = [line.strip() for line in CliRunner().invoke(command, ["--help"]).stdout.splitlines()]

    assert "gadoscope audit slices/ --output audit" in lines
    (of_command,) = (option.default for option in command.params if option.name == "cases")
    assert of_command == signature(audit).parameters["n_cases"].default == DEFAULT_CASES


def test_a_wrong_path_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    result = run_command("audit", tmp_path / "gone")

    assert result.returncode == 2
    assert result.stderr.startswith("Error: there is no")
    assert result.stderr.count("\n") == 1

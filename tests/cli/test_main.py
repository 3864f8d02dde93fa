"""The command line as a whole: light, one line for an error, quiet when it is told to stop."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from gadoscope import __version__
from gadoscope.cli.main import COMMANDS, cli, main
from gadoscope.errors import GadoscopeError, OutputError, UsageError


def test_the_help_names_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in COMMANDS)
    assert "Not a medical device." in result.output


def test_the_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['gadoscope', '--help']\n"
        "from gadoscope.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'onnxruntime', 'PIL', 'rich', 'scipy', 'sklearn', 'pydicom', 'jinja2'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_one_line_of_help_and_an_example(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"]).output
    assert f"gadoscope {name} " in shown.partition("Options:")[0].partition("\n")[2]


def test_the_version_is_told() -> None:
    assert __version__ in CliRunner().invoke(cli, ["--version"]).output


def _command_that_raises(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("it is wrong."), 2), (OutputError("it is full."), 1)]
)
def test_an_error_of_ours_is_one_line_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: GadoscopeError, code: int
) -> None:
    monkeypatch.setattr("gadoscope.cli.doctor.command", _command_that_raises(error))
    monkeypatch.setattr(sys, "argv", ["gadoscope", "doctor"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"Error: {error}\n"


def test_ctrl_c_is_one_word_and_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gadoscope.cli.doctor.command", _command_that_raises(KeyboardInterrupt()))
    result = CliRunner().invoke(cli, ["doctor"])
    assert result.exit_code == 130
    assert result.stderr == "Interrupted.\n"


def test_a_path_that_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = PermissionError(13, "Permission denied", "/closed/x\x1b[31m")
    monkeypatch.setattr("gadoscope.cli.doctor.command", _command_that_raises(error))
    monkeypatch.setattr(sys, "argv", ["gadoscope", "doctor"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "Error: cannot use /closed/x\ufffd[31m: Permission denied; check the path and its permissions.\n"
    )


def test_a_command_that_almost_exists_is_answered_with_the_one_that_does() -> None:
    result = CliRunner().invoke(cli, ["clasify", "x"])
    assert result.exit_code == 2
    assert "No such command 'clasify'. Did you mean 'classify'?" in result.output
    assert "Did you mean" not in CliRunner().invoke(cli, ["xyz"]).output

"""The page of commands does not depend on which tests ran before."""

from click.testing import CliRunner

from gadoscope.cli.audit import command
from tests.docs.reference import PAGE, render


def test_a_command_that_was_asked_alone_before_shows_its_whole_help() -> None:
    CliRunner().invoke(command, ["--help"])  # knows no -h, which the group brings
    assert render() == PAGE.read_text(encoding="utf-8")

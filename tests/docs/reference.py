"""Write docs/reference/cli.md from the commands' own `--help`; `make docs` runs it, a test compares.

The exit codes at its end are written by hand.
"""

import os
import subprocess
import sys
from pathlib import Path

from gadoscope.cli.main import COMMANDS
from tests.support.commands import run_command
from tests.support.paths import DOCS

PAGE = DOCS / "reference" / "cli.md"
BY_HAND = "## Exit codes\n"
PROGRAM = Path(sys.executable).with_name("gadoscope")


def render() -> str:
    """Return the page: the help of `gadoscope` and of every command, as a terminal shows it."""
    about = "Every text is the output of `--help`; a test compares. [Exit codes](#exit-codes) come last."
    parts = ["# Command line", "", about, ""]
    for name in ("", *COMMANDS):
        words = ["gadoscope", name] if name else ["gadoscope"]
        parts += [f"## `{' '.join(words)}`", "", "```text", _read_help(words[1:]), "```", ""]
    written = PAGE.read_text(encoding="utf-8").partition(BY_HAND)
    return "\n".join(parts) + "\n" + "".join(written[1:])


def _read_help(words: list[str]) -> str:
    width = {"COLUMNS": "80"}
    if words:
        return run_command(*words, "--help", environment=width).stdout.strip()
    command, environment = [str(PROGRAM), "--help"], {**os.environ, **width}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return result.stdout.strip()


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")

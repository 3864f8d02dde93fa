"""Read the console blocks of a page, run them in its order, and compare what they print with the page."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import run_command
from tests.support.curves import no_curves

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = "$ "
ANYTHING = "..."
END_OF_OUTPUT = "--- end of output ---"
LONGEST_BLOCK_S = 600


@dataclass(frozen=True)
class Step:
    """One command of a page, and what the page says that it prints."""

    command: str
    expected: str


def read_blocks(page: str) -> list[list[Step]]:
    """Return the steps of each console block; a line that begins with the prompt begins a step."""
    blocks = []
    for text in CONSOLE.findall(page):
        whole = text.replace("\\\n", " ")  # a line that goes on
        steps = re.split(rf"^{re.escape(PROMPT)}", whole, flags=re.MULTILINE)[1:]
        blocks.append([Step(*step.split("\n", 1)) for step in steps])
    return blocks


def run_block(steps: list[Step], folder: Path) -> list[str]:
    """Run the steps in one shell, so that `$?` is that of the step before, and return what each printed."""
    keep_code = f"code=$?; printf '\\n{END_OF_OUTPUT}\\n'; (exit $code)"
    script = "\n".join(f"{step.command}\n{keep_code}" for step in steps)
    return run_shell(script, folder).stdout.split(END_OF_OUTPUT)[: len(steps)]


def run_shell(
    script: str,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    longest_s: float = LONGEST_BLOCK_S,
) -> subprocess.CompletedProcess[str]:
    """Return how a shell ends with what both streams said, in an environment of its own or the tests'."""
    ours = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",  # `ls` sorts capitals first, as on the page
    }
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=ours if environment is None else environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=longest_s,
        check=False,
    )


def run_block_here(
    steps: list[Step], folder: Path, change: Callable[[list[str]], list[str]] = list
) -> list[str]:
    """Do as `run_block`, but run our own commands within this process, each with its words changed."""
    printed, code = [], 0
    for step in steps:
        words = shlex.split(step.command)
        if words[0] == "gadoscope" and "|" not in words:
            with no_curves():  # no page shows what is in a report
                ended = run_command(*change(words[1:]), folder=folder, together=True)
        else:
            ended = run_shell(step.command.replace("$?", str(code)), folder)
        printed.append(ended.stdout)
        code = ended.returncode
    return printed


def in_shape(text: str) -> str:
    """Return the text with every number folded, for a run of other sizes."""
    return re.sub(r"\d+([.,]\d+)*", "#", text)


def matches(expected: str, printed: str) -> bool:
    """Say whether the output is the expected one, where `...` stands for anything, line ends included."""
    pattern = ".*?".join(re.escape(part) for part in _tidy(expected).split(ANYTHING))
    return re.fullmatch(pattern, _tidy(printed), re.DOTALL) is not None


def _tidy(text: str) -> str:
    """Drop what nobody sees: blank edges, and runs of blanks, which grow and shrink with the numbers."""
    return "\n".join(re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines())

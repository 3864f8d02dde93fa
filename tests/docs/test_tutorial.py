"""The tutorial is true: its commands, run in its order in an empty folder, print what it says."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

TUTORIAL = ROOT / "docs" / "tutorial" / "the-lesson.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = "$ "
ANYTHING = "..."
END_OF_OUTPUT = "--- end of output ---"
LONGEST_BLOCK_S = 120


@dataclass(frozen=True)
class Step:
    """One command of the page, and what the page says that it prints."""

    command: str
    expected: str


def read_blocks(page: str) -> list[list[Step]]:
    """Return the steps of each console block; a line that begins with the prompt begins a step."""
    blocks = []
    for text in CONSOLE.findall(page):
        steps = re.split(rf"^{re.escape(PROMPT)}", text, flags=re.MULTILINE)[1:]
        blocks.append([Step(*step.split("\n", 1)) for step in steps])
    return blocks


def run_block(steps: list[Step], folder: Path) -> list[str]:
    """Run the steps in one shell, so that `$?` is that of the step before, and return what each printed."""
    keep_code = f"code=$?; printf '\\n{END_OF_OUTPUT}\\n'; (exit $code)"
    script = "\n".join(f"{step.command}\n{keep_code}" for step in steps)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",  # `ls` sorts capitals first, as on the page
    }
    result = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=LONGEST_BLOCK_S,
        check=False,
    )
    return result.stdout.split(END_OF_OUTPUT)[: len(steps)]


def matches(expected: str, printed: str) -> bool:
    """Say whether the output is the expected one, where `...` stands for anything, line ends included."""
    pattern = ".*?".join(re.escape(part) for part in _tidy(expected).split(ANYTHING))
    return re.fullmatch(pattern, _tidy(printed), re.DOTALL) is not None


def _tidy(text: str) -> str:
    """Drop what nobody sees: blank edges, and runs of blanks, which grow and shrink with the numbers."""
    return "\n".join(re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines())


def test_every_command_of_the_tutorial_prints_what_the_tutorial_says(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / "configs" / "lesson.toml", tmp_path / "configs")
    for steps in read_blocks(TUTORIAL.read_text(encoding="utf-8")):
        for step, printed in zip(steps, run_block(steps, tmp_path), strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\n{printed}\nexpected:\n{step.expected}"


def test_the_tutorial_shows_every_part_of_the_lesson() -> None:
    commands = [step.command for steps in read_blocks(TUTORIAL.read_text(encoding="utf-8")) for step in steps]
    for verb in ("phantom", "train", "evaluate", "classify"):
        assert any(command.startswith(f"gadoscope {verb} ") for command in commands), verb


def test_an_ellipsis_stands_for_anything_and_everything_else_for_itself() -> None:
    assert matches("epoch 1/3 loss ... s", "epoch  1/3  loss 0.69  0.7 s\n")
    assert matches("first\n...\nlast", "first\nof\nthree\nlast")
    assert not matches("failed 0", "failed 1")
    assert not matches("inputs 24", "inputs 24\nand more")

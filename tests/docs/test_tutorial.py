"""The tutorial is true: its commands, run in its order in an empty folder, print what it says."""

from tests.docs.conftest import TUTORIAL
from tests.docs.console import Step, matches, read_blocks


def test_every_command_of_the_tutorial_prints_what_the_tutorial_says(lesson: list[tuple[Step, str]]) -> None:
    for step, printed in lesson:
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

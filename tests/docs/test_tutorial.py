"""The tutorial is true: its commands, run in its order in an empty folder, print what it says."""

import pytest

from tests.docs.conftest import TUTORIAL, Lesson
from tests.docs.console import in_shape, matches, read_blocks


@pytest.mark.slow
def test_every_command_of_the_tutorial_prints_what_the_tutorial_says(lesson: Lesson) -> None:
    """Its twin is the next: the same commands in small, and every line of the page but for its numbers."""
    for step, printed in lesson:
        assert matches(step.expected, printed), f"$ {step.command}\n{printed}\nexpected:\n{step.expected}"


def test_every_command_of_the_tutorial_prints_in_small_the_lines_of_the_tutorial(
    small_lesson: Lesson,
) -> None:
    for step, printed in small_lesson:
        is_so = matches(in_shape(step.expected), in_shape(printed))
        assert is_so, f"$ {step.command}\n{printed}\nexpected but for its numbers:\n{step.expected}"


def test_the_exit_code_that_the_tutorial_shows_is_that_of_a_run_with_a_damaged_file(
    small_lesson: Lesson,
) -> None:
    shown = {step.command: (step.expected.strip(), printed.strip()) for step, printed in small_lesson}
    assert shown["echo $?"] == ("3", "3")


def test_the_tutorial_shows_every_part_of_the_lesson() -> None:
    commands = [step.command for steps in read_blocks(TUTORIAL.read_text(encoding="utf-8")) for step in steps]
    for verb in ("phantom", "train", "evaluate", "classify"):
        assert any(command.startswith(f"gadoscope {verb} ") for command in commands), verb


def test_an_ellipsis_stands_for_anything_and_everything_else_for_itself() -> None:
    assert matches("epoch 1/3 loss ... s", "epoch  1/3  loss 0.69  0.7 s\n")
    assert matches("first\n...\nlast", "first\nof\nthree\nlast")
    assert not matches("failed 0", "failed 1")
    assert not matches("inputs 24", "inputs 24\nand more")

"""The lesson, run once: the tutorial shows it whole, and the README's demo is four of its commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.console import Step, read_blocks, run_block, run_block_here
from tests.support.paths import ROOT
from tests.support.quick_runs import draw_no_curves, explain_coarsely, grow_few_trees

TUTORIAL = ROOT / "docs" / "tutorial" / "the-lesson.md"
SMALLER = {
    "phantom": ["--slices", "2", "--matrix", "64", "--jobs", "1"],
    "train": ["--set", "threads=1"],
    "evaluate": ["--cases", "1"],
    "classify": [],
}
"""What each command of the lesson gets besides: fewer and smaller slices, and fewer of them explained."""

Lesson = list[tuple[Step, str]]


def run_lesson(folder: Path, run: Callable[[list[Step], Path], list[str]]) -> Lesson:
    """Return each step of the tutorial with what it printed, run in its order in an empty folder."""
    done: Lesson = []
    for steps in read_blocks(TUTORIAL.read_text(encoding="utf-8")):
        done += zip(steps, run(steps, folder), strict=True)
    return done


@pytest.fixture(scope="session")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """Return the lesson as the tutorial has it; for slow tests."""
    return run_lesson(tmp_path_factory.mktemp("lesson"), run_block)


@pytest.fixture(scope="session")
def small_lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """Return the same commands in the same order, of smaller images and within this process."""

    def run(steps: list[Step], folder: Path) -> list[str]:
        return run_block_here(steps, folder, lambda words: [*words, *SMALLER[words[0]]])

    with pytest.MonkeyPatch.context() as patch:
        draw_no_curves(patch)
        grow_few_trees(patch)
        explain_coarsely(patch)
        return run_lesson(tmp_path_factory.mktemp("small-lesson"), run)

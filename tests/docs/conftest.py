"""The lesson, run once: the tutorial shows it whole, and the README's demo is four of its commands."""

import shutil

import pytest

from tests.docs.console import Step, read_blocks, run_block
from tests.support.paths import LESSON, ROOT

TUTORIAL = ROOT / "docs" / "tutorial" / "the-lesson.md"


@pytest.fixture(scope="session")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Step, str]]:
    """Return each step of the tutorial with what it printed, run in its order in an empty folder."""
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "configs").mkdir()
    shutil.copy(LESSON, folder / "configs")
    done: list[tuple[Step, str]] = []
    for steps in read_blocks(TUTORIAL.read_text(encoding="utf-8")):
        done += zip(steps, run_block(steps, folder), strict=True)
    return done

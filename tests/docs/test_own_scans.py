"""The how-to page on one's own scans is true: its commands, run in their order, print what it says."""

from pathlib import Path

import pytest

from tests.docs.console import in_shape, matches, read_blocks, run_block, run_block_here
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "test-on-your-own-scans.md"
BLOCKS = read_blocks(PAGE.read_text(encoding="utf-8"))
SMALLER = {
    "phantom": ["--subjects", "3", "--slices", "5", "--jobs", "1"],
    "evaluate": ["--cases", "0"],
    "audit": ["--cases", "0"],
}
"""What each command gets besides: fewer heads and slices, and none of them explained."""


def test_the_page_shows_all_of_its_commands() -> None:
    assert sum(map(len, BLOCKS)) == 8


@pytest.mark.slow
def test_every_command_of_the_page_prints_what_the_page_says(tmp_path: Path) -> None:
    """Its twin is the next: the same commands in small, and every line of the page but for its numbers."""
    for steps in BLOCKS:
        for step, printed in zip(steps, run_block(steps, tmp_path), strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\n{printed}\nexpected:\n{step.expected}"


def test_every_command_of_the_page_prints_in_small_the_lines_of_the_page(tmp_path: Path) -> None:
    for steps in BLOCKS:
        ran = run_block_here(steps, tmp_path, lambda words: [*words, *SMALLER.get(words[0], [])])
        for step, printed in zip(steps, ran, strict=True):
            is_so = matches(in_shape(step.expected), in_shape(printed))
            assert is_so, f"$ {step.command}\n{printed}\nexpected but for its numbers:\n{step.expected}"

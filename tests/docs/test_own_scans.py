"""The how-to page on one's own scans is true: its commands, run in their order, print what it says."""

from pathlib import Path

from tests.docs.console import matches, read_blocks, run_block
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "test-on-your-own-scans.md"


def test_every_command_of_the_page_prints_what_the_page_says(tmp_path: Path) -> None:
    blocks = read_blocks(PAGE.read_text(encoding="utf-8"))
    assert sum(map(len, blocks)) == 8
    for steps in blocks:
        for step, printed in zip(steps, run_block(steps, tmp_path), strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\n{printed}\nexpected:\n{step.expected}"

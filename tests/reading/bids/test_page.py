"""The how-to page on BIDS is true: its commands, run in their order, print what it says."""

from pathlib import Path

import pytest

from tests.docs.console import matches, read_blocks, run_block
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "classify-a-bids-dataset.md"


@pytest.mark.slow
def test_every_command_of_the_page_prints_what_the_page_says(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "here").mkdir()
    tiny_bundle.rename(tmp_path / "here" / "model.onnx")
    blocks = read_blocks(PAGE.read_text(encoding="utf-8"))
    assert sum(map(len, blocks)) == 5
    for steps in blocks:
        for step, printed in zip(steps, run_block(steps, tmp_path / "here"), strict=True):
            assert matches(step.expected, printed), f"$ {step.command}\n{printed}\nexpected:\n{step.expected}"
    assert (tmp_path / "here" / "post-contrast.txt").exists()

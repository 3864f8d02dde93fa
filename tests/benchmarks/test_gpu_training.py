"""The script for a GPU: it says so where there is none, and measures every way where it is told to try."""

import sys
from dataclasses import replace

import pytest
import torch

from benchmarks import gpu_training
from benchmarks.gpu_training import NO_GPU, SETTINGS, measure
from gadoscope.training.config import read_config
from gadoscope.training.shipped import CONFIGS


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu_training"])
    gpu_training.main()
    assert capsys.readouterr().out.splitlines() == [NO_GPU]
    assert NO_GPU.startswith("There is no GPU here")


@pytest.mark.slow
def test_it_measures_training_the_loader_the_steps_alone_and_plain_torch() -> None:
    config = read_config(CONFIGS / "default.toml", ["batch_size=2", *SETTINGS, "precision=fp32"])
    small = config.with_values(
        image=replace(config.image, size=32), distort=replace(config.distort, canvas=40), threads=1
    )
    rows = {row.name: row.measured for row in measure(small, "cpu", steps=3)}
    assert int(rows["training, images/s"]) > 0
    assert rows["what limits"] in {"the loader", "the step"}

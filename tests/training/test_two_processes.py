"""Two processes with half the batch each follow one process."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.training.devices import FABRIC_PRECISION, leave_together
from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.run import train
from tests.support.lessons import SMALL_SETTINGS, quick_config, small_config
from tests.support.paths import LESSON
from tests.support.quick_runs import narrow_compact
from tests.support.trainings import start_training

PATIENCE_SECONDS = 300
Start = Callable[[Path, Path], None]


def with_torchrun(data: Path, run: Path) -> None:
    """Train as a user does."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    settings = [part for setting in SMALL_SETTINGS for part in ("--set", setting)]
    words = ["train", str(LESSON), "--data", str(data), "--output", str(run), *settings]
    command = [*torchrun, "-m", "gadoscope", *words, "--accelerator", "cpu"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr


def with_forks(data: Path, run: Path) -> None:
    """Train in two copies of this process, told what torchrun tells; torch and Fabric are loaded already."""
    import lightning_fabric  # noqa: F401, PLC0415 — once, and not in both

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [start_training(_train_as, rank, port, data, run) for rank in range(2)]
    assert [process.wait() for process in processes] == [0, 0]


def _train_as(rank: int, port: int, data: Path, run: Path) -> None:
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), TORCHELASTIC_RUN_ID="test")
    train(Job(config=small_config(), data=data, run=run, accelerator="cpu"))
    leave_together()


# The slow one's quicker twin spares it three processes that load torch; it is what a user types.
@pytest.mark.parametrize("start", [with_forks, pytest.param(with_torchrun, marks=pytest.mark.slow)])
def test_two_processes_with_half_the_batch_each_follow_one_process(
    trained: TrainedRun, slices: Path, tmp_path: Path, start: Start
) -> None:
    start(slices, tmp_path / "two")
    curves = []
    for run in (trained.run, tmp_path / "two"):
        lines = (run / "metrics.jsonl").read_text().splitlines()
        assert len(lines) == small_config().epochs
        curves.append(
            [[json.loads(line)[name] for name in ("train_loss", "validation_loss")] for line in lines]
        )
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_one_process_alone_has_the_weights_that_fabric_gives_it(
    precision: str, slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lightning_fabric import Fabric  # noqa: PLC0415 — as above

    narrow_compact(monkeypatch)
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: True)
    job = Job(config=quick_config(epochs=1, precision=precision), data=slices, run=tmp_path / "alone")
    alone = train(job)
    monkeypatch.setattr(
        "gadoscope.training.devices.Alone",
        lambda name: Fabric(accelerator="cpu", devices=1, precision=FABRIC_PRECISION[name]),
    )
    by_fabric = train(replace(job, run=tmp_path / "by-fabric"))
    assert alone is not None
    assert by_fabric is not None
    assert alone.weights_sha256 == by_fabric.weights_sha256


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_one_process_alone_loads_neither_fabric_nor_the_compiler_of_torch(
    precision: str, slices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.training.devices.computes_bf16", lambda: True)
    narrow_compact(monkeypatch)
    for name in ("lightning_fabric", "torch._dynamo", "torch._inductor", "torch._inductor.config"):
        monkeypatch.setitem(sys.modules, name, None)  # whoever imports it fails
    job = Job(config=quick_config(epochs=1, precision=precision), data=slices, run=tmp_path / "run")
    assert train(job) is not None

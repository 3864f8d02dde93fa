"""A run that is killed loses an epoch at most, and nothing that shows in its weights."""

import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.loop import Moment
from gadoscope.training.run import train
from tests.support.lessons import SMALL_SETTINGS, small_config
from tests.support.paths import LESSON
from tests.support.trainings import start_training

PATIENCE_SECONDS = 300
Kill = Callable[[Path, Path], None]


def kill_a_copy(data: Path, run: Path) -> None:
    """Kill a copy of this process; torch is loaded in it already."""
    ours, theirs = Pipe()
    victim = start_training(_train_into_the_second_epoch, data, run, theirs)
    assert ours.poll(PATIENCE_SECONDS)
    victim.kill()
    assert victim.returncode == -signal.SIGKILL


def _train_into_the_second_epoch(data: Path, run: Path, parent: Connection) -> None:
    def watch(moment: Moment) -> None:
        if moment.epoch == 2 and moment.row is None:
            parent.send(moment.step)
            parent.recv()  # nothing comes but the end

    train(Job(config=small_config(), data=data, run=run), watch=watch)


def kill_a_command(data: Path, run: Path) -> None:
    """Kill what a user has typed."""
    settings = [part for setting in SMALL_SETTINGS for part in ("--set", setting)]
    start = [sys.executable, "-m", "gadoscope", "train", str(LESSON), "--data", str(data)]
    victim = subprocess.Popen(
        [*start, "--output", str(run), *settings],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert victim.stderr is not None
    # The line of the first epoch comes when its checkpoint is written; the second epoch is under way.
    assert any(line.startswith("epoch  1/2") for line in victim.stderr)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()


# The slow one's quicker twin spares it a process that loads torch; it is what a user types.
@pytest.mark.parametrize("kill", [kill_a_copy, pytest.param(kill_a_command, marks=pytest.mark.slow)])
def test_a_run_killed_in_mid_epoch_and_resumed_in_another_process_ends_with_the_same_weights(
    trained: TrainedRun, slices: Path, tmp_path: Path, kill: Kill
) -> None:
    run = tmp_path / "killed"
    kill(slices, run)
    assert (run / "checkpoint.safetensors").exists()
    assert not (run / "model.onnx").exists()

    epochs: list[int] = []
    resumed = train(
        Job(config=small_config(), data=slices, run=run, resume=True),
        watch=lambda moment: epochs.append(moment.epoch),
    )
    assert resumed is not None
    assert resumed.weights_sha256 == trained.weights_sha256
    assert set(epochs) == {2}
    assert not list(run.glob(".*.partial"))

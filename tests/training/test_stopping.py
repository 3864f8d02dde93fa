"""Which epoch's weights a run keeps, when it ends early, and that a killed run keeps the same."""

import json
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file

from gadoscope.errors import ConfigError
from gadoscope.inference.session import Session
from gadoscope.training.checkpoint import AVERAGE_PREFIX, BEST_PREFIX
from gadoscope.training.config import TrainingConfig
from gadoscope.training.job import Job
from gadoscope.training.loop import CHECKPOINT_NAME
from gadoscope.training.run import train
from gadoscope.training.stopping import StoppingConfig
from tests.support.lessons import small_config
from tests.support.quick_runs import narrow_compact
from tests.support.trainings import StoppedError, stop_after


def rows(*losses: float) -> list[dict[str, float]]:
    return [{"epoch": epoch, "validation_loss": loss} for epoch, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        ((), 0),
        ((0.5,), 1),
        ((0.5, 0.3, 0.4), 2),
        ((0.5, 0.3, 0.3), 2),  # of equals the earliest
        ((math.nan, 0.9, math.inf), 2),
        ((math.nan, math.nan), 1),
    ],
)
def test_the_best_epoch_has_the_smallest_validation_loss_of_equals_the_earliest(
    losses: tuple[float, ...], kept: int
) -> None:
    assert StoppingConfig(keep="best").find_kept(rows(*losses)) == kept
    assert StoppingConfig().find_kept(rows(*losses)) == len(losses)


def test_training_ends_once_so_many_epochs_brought_no_smaller_loss() -> None:
    patient = StoppingConfig(keep="best", patience=2)
    assert not patient.is_over(rows(0.5, 0.4))
    assert not patient.is_over(rows(0.5, 0.6, 0.4, 0.41))
    assert patient.is_over(rows(0.5, 0.4, 0.41, 0.4))
    assert not StoppingConfig(keep="best").is_over(rows(0.1, *[0.2] * 50))


def test_patience_without_keeping_the_best_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r'stopping\.patience is 3 and stopping\.keep is "last"'):
        StoppingConfig(patience=3)
    with pytest.raises(ConfigError, match=r"stopping\.keep is 'first'; expected one of last, best"):
        StoppingConfig(keep="first")


def config_of(epochs: int, **stopping: object) -> TrainingConfig:
    """Return a small network that learns in a moment."""
    return small_config(
        epochs=epochs,
        batch_size=2,
        network="compact",
        image={"size": 32},
        optimiser={"learning_rate": 0.02},
        averaging={"decay": 0.5},
        stopping=stopping,
    )


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow_compact(monkeypatch)


@pytest.fixture
def contrary(few: Path, tmp_path: Path) -> Path:
    """Return the same images, those of validation with the other label: the more it learns, the worse."""
    head, *rows = few.read_text().splitlines()
    exchanged = {"pre": "post", "post": "pre"}
    lines = [head]
    for row in rows:
        path, subject, label, *rest = row.split(",")
        lines.append(
            ",".join([path, subject, exchanged[label] if rest[-1] == "validation" else label, *rest])
        )
    (tmp_path / "contrary.csv").write_text("\n".join(lines))
    return tmp_path / "contrary.csv"


def take_kept(run: Path, prefix: str) -> dict[str, list[float]]:
    """Return the weights under a prefix of a run's checkpoint."""
    return {
        name.removeprefix(prefix): value.flatten().tolist()
        for name, value in load_file(run / CHECKPOINT_NAME).items()
        if name.startswith(prefix)
    }


def test_the_weights_that_are_kept_are_those_of_the_best_epoch_also_after_a_kill(
    contrary: Path, tmp_path: Path
) -> None:
    best = train(Job(config=config_of(3, keep="best"), data=contrary, run=tmp_path / "best"))
    assert best is not None
    losses = [row["validation_loss"] for row in best.history]
    assert best.kept_epoch == losses.index(min(losses)) + 1
    assert best.kept_epoch < 3, losses  # or this test says nothing
    assert best.figures["validation_loss"] == min(losses)
    assert f"the weights of epoch {best.kept_epoch} are kept" in best.notices[0]
    record = json.loads((best.run / "record.json").read_text())
    assert (record["kept_epoch"], record["n_epochs"]) == (best.kept_epoch, 3)
    assert Session(best.bundle).bundle.metadata.training["kept_epoch"] == best.kept_epoch

    kept = take_kept(best.run, BEST_PREFIX)
    shorter = Job(config=config_of(3), data=contrary, run=tmp_path / "shorter")
    with pytest.raises(StoppedError):
        train(shorter, watch=stop_after(best.kept_epoch))
    assert take_kept(shorter.run, AVERAGE_PREFIX) == kept

    killed = Job(config=config_of(3, keep="best"), data=contrary, run=tmp_path / "killed", resume=True)
    for epoch in (2, 3):
        with pytest.raises(StoppedError):
            train(killed, watch=stop_after(epoch))
    assert take_kept(killed.run, BEST_PREFIX) == kept


def test_a_run_that_ended_early_says_so(contrary: Path, tmp_path: Path) -> None:
    job = Job(config=config_of(40, keep="best", patience=1), data=contrary, run=tmp_path / "run", resume=True)
    ended = train(job)
    assert ended is not None
    assert len(ended.history) == ended.kept_epoch + 1 < 40
    assert f"training ended after {len(ended.history)} of 40" in ended.notices[0]

"""Loggers: none by default; what they are told is read back; one that fails never ends a training."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from gadoscope.errors import ConfigError, UsageError
from gadoscope.training.config import read_config
from gadoscope.training.loggers.config import LogConfig
from gadoscope.training.loggers.logs import FAILED, FINISHED, Logs, open_logs

HISTORY = [
    {"epoch": 1, "train_loss": 0.7, "validation_loss": 0.6, "seconds": 2.0},
    {"epoch": 2, "train_loss": 0.5, "validation_loss": 0.4, "seconds": 2.0},
]
SETTINGS = {"name": "mine", "optimiser.learning_rate": "0.001"}


class Memory:
    """A logger that keeps what it is told, and fails from an epoch on."""

    name = "memory"

    def __init__(self, fails_from: int = 99) -> None:
        self.fails_from = fails_from
        self.told: list[tuple[int, Mapping[str, float]]] = []
        self.states: list[str] = []

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        if epoch >= self.fails_from:
            raise ConnectionError("the server is gone\nand this is its page")
        self.told.append((epoch, figures))

    def end(self, _figures: Mapping[str, float], state: str) -> None:
        self.states.append(state)


def test_nobody_is_told_by_default() -> None:
    assert read_config("lesson").log == LogConfig(to=())
    with pytest.raises(ConfigError, match=r"log\.to is 'wandb'; expected one of tensorboard, mlflow"):
        LogConfig(to=("wandb",))


def test_each_epoch_is_told_once_also_of_a_run_that_goes_on_after_a_kill() -> None:
    logger = Memory()
    logs = Logs([logger], pytest.fail)
    logs.log(HISTORY)  # the first epoch after a resumption: two are in the history
    logs.log([*HISTORY, {"epoch": 3, "train_loss": 0.1}])
    logs.end({"validation_auc": 0.9})
    assert [epoch for epoch, _ in logger.told] == [1, 2, 3]
    assert logger.told[0][1] == {"train_loss": 0.7, "validation_loss": 0.6, "seconds": 2.0}
    assert logger.states == [FINISHED]


def test_a_logger_that_is_gone_is_told_once_and_the_others_go_on() -> None:
    gone, stays = Memory(fails_from=2), Memory()
    said: list[str] = []
    logs = Logs([gone, stays], said.append)
    for n in (1, 2):
        logs.log(HISTORY[:n])
    logs.log([*HISTORY, {"epoch": 3}])
    logs.end({})
    assert said == [
        "memory takes no more figures (the server is gone): the training goes on without it, and "
        "metrics.jsonl keeps them all."
    ]
    assert [epoch for epoch, _ in stays.told] == [1, 2, 3]
    assert gone.states == []


def test_a_run_that_fails_says_so_and_fails_all_the_same() -> None:
    logger = Memory()
    with pytest.raises(KeyError), Logs([logger], pytest.fail).told_of_the_end():
        raise KeyError
    assert logger.states == [FAILED]


@contextmanager
def library(name: str) -> Iterator[None]:
    """Load a library that warns as it loads, or skip where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(name, reason=f"needs the extra of {name}: pip install '.[{name}]'")
        yield


@pytest.mark.slow
def test_tensorboard_reads_back_what_was_told(tmp_path: Path) -> None:
    with library("tensorboard"):
        from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415 - may be missing
            EventAccumulator,
        )

        logs = open_logs(LogConfig(to=("tensorboard",)), tmp_path / "run", SETTINGS, pytest.fail)
        logs.log(HISTORY)
        logs.end({"validation_auc": 0.9})
        events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
        points = [(event.step, event.value) for event in events.Scalars("loss/validation")]
        (auc,) = events.Scalars("run/validation_auc")
        (settings,) = events.Tensors("settings/text_summary")
    assert points == [(1, pytest.approx(0.6)), (2, pytest.approx(0.4))]
    assert (auc.step, auc.value) == (2, pytest.approx(0.9))
    assert b"optimiser.learning_rate | 0.001" in settings.tensor_proto.string_val[0]


@pytest.mark.slow
def test_mlflow_reads_back_what_was_told_and_no_path_of_the_data(tmp_path: Path) -> None:
    with library("mlflow"):
        config = LogConfig(to=("mlflow",), mlflow_experiment="mine")
        for run in ("first", "second"):  # the second finds store and experiment
            logs = open_logs(config, tmp_path / run, SETTINGS, pytest.fail)
            logs.log(HISTORY)
            logs.end({"validation_auc": 0.9})
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - may be missing

        client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
        experiment = client.get_experiment_by_name("mine")
        assert experiment is not None
        runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
        losses = client.get_metric_history(runs["first"].info.run_id, "validation_loss")
    assert runs.keys() == {"first", "second"}
    assert [(point.step, point.value) for point in losses] == [(1, 0.6), (2, 0.4)]
    assert runs["first"].data.params == SETTINGS
    assert runs["first"].data.metrics["run_validation_auc"] == 0.9
    assert runs["first"].info.status == "FINISHED"


@pytest.mark.slow
def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    with library("mlflow"):
        (tmp_path / "file").touch()
        config = LogConfig(to=("mlflow",), mlflow_store=f"sqlite:///{tmp_path}/file/mlflow.db")
        with pytest.raises(UsageError, match=r"^mlflow cannot be opened: .*Check log\.mlflow_store"):
            open_logs(config, tmp_path / "run", SETTINGS, pytest.fail)


@pytest.mark.slow
def test_a_store_that_is_gone_in_mid_run_is_told_once(tmp_path: Path) -> None:
    with library("mlflow"):
        said: list[str] = []
        logs = open_logs(LogConfig(to=("mlflow",)), tmp_path / "run", SETTINGS, said.append)
        logs.log(HISTORY[:1])
        import sqlite3  # noqa: PLC0415 - of this test alone

        with sqlite3.connect(tmp_path / "mlflow.db") as store:
            store.execute("DROP TABLE metrics")
        logs.log(HISTORY)
        logs.end({"validation_auc": 0.9})
    assert len(said) == 1
    assert said[0].startswith("mlflow takes no more figures (")

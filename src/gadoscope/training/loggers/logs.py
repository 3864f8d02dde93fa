"""All loggers of a run as one, which never ends a training: one that fails is told once, and left alone.

What is logged is the history of the run, as metrics.jsonl holds it: of a run that goes on after a kill, the
epochs before it too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from gadoscope.errors import UsageError
from gadoscope.extras import name_what_is_missing
from gadoscope.text import printable
from gadoscope.training.loggers.config import MLFLOW, TENSORBOARD, LogConfig

Row = Mapping[str, float]
FINISHED, FAILED = "finished", "failed"


class Logger(Protocol):
    """Tells one other program of a run."""

    name: str

    def log(self, epoch: int, figures: Row) -> None:
        """Tell the figures of an epoch."""

    def end(self, figures: Row, state: str) -> None:
        """Tell the figures of the finished run, or that it ended without any."""


class Logs:
    """The loggers of one run.

    Parameters
    ----------
    loggers
        Those that were opened.
    warn
        Called once with the sentence on a logger that takes no more.
    """

    def __init__(self, loggers: Sequence[Logger], warn: Callable[[str], None]) -> None:
        self._loggers = list(loggers)
        self._warn = warn
        self._n_logged = 0

    def log(self, history: Sequence[Row]) -> None:
        """Tell every epoch that was not told before."""
        for row in history[self._n_logged :]:
            figures = {name: value for name, value in row.items() if name != "epoch"}
            self._tell_all(partial(_log, epoch=int(row["epoch"]), figures=figures))
        self._n_logged = len(history)

    def end(self, figures: Row) -> None:
        """Tell the figures of the finished run."""
        self._tell_all(lambda logger: logger.end(figures, FINISHED))
        self._loggers = []

    @contextmanager
    def told_of_the_end(self) -> Iterator[None]:
        """Tell that the run has failed, where the block does."""
        try:
            yield
        except BaseException:
            self._tell_all(lambda logger: logger.end({}, FAILED))
            raise

    def _tell_all(self, tell: Callable[[Logger], None]) -> None:
        for logger in list(self._loggers):
            try:
                tell(logger)
            except Exception as error:
                self._loggers.remove(logger)
                self._warn(
                    f"{logger.name} takes no more figures ({printable(_first_line(error))}): the training "
                    "goes on without it, and metrics.jsonl keeps them all."
                )


def open_logs(config: LogConfig, run: Path, settings: Mapping[str, str], warn: Callable[[str], None]) -> Logs:
    """Open the loggers that the config names, before the first step.

    Parameters
    ----------
    settings
        Of the run, by the names that `--set` takes.

    Raises
    ------
    UsageError
        If a library is not installed, or its store cannot be opened.
    """
    loggers: list[Logger] = []
    for name in dict.fromkeys(config.to):
        try:
            loggers.append(_open(name, config, run, settings))
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(
                f"{name} cannot be opened: {printable(_first_line(error))}. Check log.mlflow_store, or leave "
                f"{name} out of log.to."
            ) from error
    return Logs(loggers, warn)


def check_logs(config: LogConfig) -> None:
    """Raise UsageError if a library that the config names is not installed: before an hour of decoding."""
    for name in config.to:
        with name_what_is_missing(f"log.to = {name}"):
            if name == TENSORBOARD:
                import gadoscope.training.loggers.tensorboard  # noqa: PLC0415 - only if it is asked for
            if name == MLFLOW:
                import gadoscope.training.loggers.mlflow  # noqa: F401, PLC0415


def _open(name: str, config: LogConfig, run: Path, settings: Mapping[str, str]) -> Logger:
    if name == TENSORBOARD:
        from gadoscope.training.loggers.tensorboard import TensorBoardLogger  # noqa: PLC0415

        return TensorBoardLogger(run, settings)
    from gadoscope.training.loggers.mlflow import MlflowLogger  # noqa: PLC0415

    return MlflowLogger(run, settings, store=config.mlflow_store, experiment=config.mlflow_experiment)


def _log(logger: Logger, epoch: int, figures: Row) -> None:
    logger.log(epoch, figures)


def _first_line(error: Exception) -> str:
    """Return what a library says, without the page that some add to it."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]

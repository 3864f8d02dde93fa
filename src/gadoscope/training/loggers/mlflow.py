"""MLflow: a run in a tracking store, an SQLite file by default. The one file that knows the library.

Only names, settings and figures are told: no file, no path of the data. MLflow's own reports on its users are
switched off before it loads, and it tries a server that is gone for seconds, not for minutes.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
# "Come again in ten minutes" is the same as gone.
os.environ.setdefault("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false")

from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException, RestException
from mlflow.tracking import MlflowClient

from gadoscope.training.loggers.config import MLFLOW

logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table that it makes

STORE_NAME = "mlflow.db"
MOST_CHARACTERS = 500
"""Of a setting's value that is kept; older stores take no more."""
MOST_PARAMETERS = 100
"""That a store takes at once."""
TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
OPENING_S, LOGGING_S = 10, 4
"""Seconds that a server has for an answer, twice. A run that is asked for twice, since the first answer came
late, stands there twice; a training that goes on waits for neither."""


class MlflowLogger:
    """Tells a tracking store; one epoch is one step.

    Parameters
    ----------
    store
        Its address; empty for that of MLflow's own variable MLFLOW_TRACKING_URI, or else an SQLite file
        beside the run's folder.
    experiment
        Its name there; made where there is none.
    """

    name = MLFLOW

    def __init__(self, run: Path, settings: Mapping[str, str], *, store: str, experiment: str) -> None:
        beside = f"sqlite:///{(run.parent / STORE_NAME).resolve().as_posix()}"
        self._address = store or os.environ.get("MLFLOW_TRACKING_URI") or beside
        self._last = 0
        params = [Param(name, value[:MOST_CHARACTERS]) for name, value in settings.items()]
        with _asking(self._address, OPENING_S):
            self._client = MlflowClient(tracking_uri=self._address)
            known = self._client.get_experiment_by_name(experiment)
            number = known.experiment_id if known else self._client.create_experiment(experiment)
            self._run = self._client.create_run(number, run_name=run.name).info.run_id
            for start in range(0, len(params), MOST_PARAMETERS):
                self._client.log_batch(self._run, params=params[start : start + MOST_PARAMETERS])

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Tell the figures of an epoch."""
        now = int(time.time() * 1000)  # milliseconds, as the store has them
        metrics = [Metric(name, float(value), now, epoch) for name, value in figures.items()]
        with _asking(self._address, LOGGING_S):
            self._client.log_batch(self._run, metrics=metrics)
        self._last = epoch

    def end(self, figures: Mapping[str, float], state: str) -> None:
        """Tell the figures of the run, and that it has ended."""
        if figures:
            self.log(self._last, {f"run_{name}": value for name, value in figures.items()})
        with _asking(self._address, LOGGING_S):
            self._client.set_terminated(self._run, RunStatus.to_string(getattr(RunStatus, state.upper())))


@contextmanager
def _asking(address: str, seconds: int) -> Iterator[None]:
    """Give a server so many seconds, unless its user says how many, and say who it is that gives no answer.

    MLflow's own sentence begins with what was asked for and ends with the reason, some lines of it later; it
    may hold a password of the address.

    Raises
    ------
    ConnectionError
        In place of MLflow's, where there was no answer. What a server answers is the server's own sentence.
    """
    is_ours = TIMEOUT not in os.environ
    if is_ours:
        os.environ[TIMEOUT] = str(seconds)
    try:
        yield
    except MlflowException as error:
        parts = urlsplit(address)
        if isinstance(error, RestException) or parts.scheme not in ("http", "https"):
            raise
        how = "cannot be reached"
        if "timed out" in str(error):
            how = "does not answer in time"
        elif "error responses" in str(error):
            how = "answers with nothing but errors"
        raise ConnectionError(f"the server at {parts.netloc.rpartition('@')[2]} {how}") from error
    finally:
        if is_ours:
            del os.environ[TIMEOUT]

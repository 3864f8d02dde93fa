"""MLflow over HTTP: a server that dies, stalls or puts off costs a training seconds and one sentence.

The servers are real: MLflow's own where it is installed, or sockets of this machine that behave as badly.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from gadoscope.errors import UsageError
from gadoscope.training.job import Job
from gadoscope.training.loggers.config import LogConfig
from gadoscope.training.loggers.logs import open_logs
from gadoscope.training.loop import Moment
from gadoscope.training.record import read_history
from gadoscope.training.run import train
from tests.support.lessons import quick_config

pytestmark = [
    pytest.mark.slow,  # MLflow takes seconds to load, and its server a minute to start where others work
    pytest.mark.skipif(os.name != "posix", reason="ends a server by its group of processes"),
]

START_S, MOST_WAIT_S = 400, 15
"""What a server may take to start; and how long a training may stand still for one that is gone."""


@dataclass(frozen=True)
class Server:
    """MLflow's own, on this machine alone."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def send(self, number: int) -> None:
        """Send a signal to it and to its workers."""
        os.killpg(self.process.pid, number)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start one with a store of its own; skip where there is none."""
    command = shutil.which("mlflow")
    if command is None:
        pytest.skip("needs MLflow's server: pip install mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = f"sqlite:///{tmp_path / 'store.db'}"
    words = [command, "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", store]
    told = tmp_path / "server.log"
    with told.open("wb") as log:
        process = subprocess.Popen(
            [*words, "--workers", "1"], stdout=log, stderr=log, cwd=tmp_path, start_new_session=True
        )
    started = Server(process, port)
    try:
        _wait_for(started, told)
        yield started
    finally:
        if process.poll() is None:
            started.send(signal.SIGCONT)
            started.send(signal.SIGKILL)
        process.wait()


def _wait_for(server: Server, told: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if server.process.poll() is not None:
            lines = told.read_text(errors="replace").strip().splitlines() or ["it says nothing"]
            pytest.skip(
                f"MLflow's server does not start ({lines[-1]}); it needs all of it: pip install mlflow"
            )
        try:
            with urllib.request.urlopen(f"{server.address}/health", timeout=2):  # noqa: S310 - ours
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"MLflow's server did not start in {START_S} s: {told.read_text(errors='replace')[-500:]}")


@contextmanager
def mlflow() -> Iterator[None]:
    """Let the library warn as it loads, or skip where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("mlflow", reason="needs the extra of mlflow: pip install '.[mlflow]'")
        yield


def train_while(server: Server, slices: Path, run: Path, number: int) -> list[str]:
    """Send the server a signal after the first of four epochs; return what the training said of MLflow."""
    said: list[str] = []
    moments: list[float] = []

    def watch(moment: Moment) -> None:
        if moment.row is not None:
            moments.append(time.monotonic())
            if moment.epoch == 1:
                server.send(number)

    config = quick_config(epochs=4, log={"to": ["mlflow"], "mlflow_store": server.address})
    trained = train(Job(config=config, data=slices, run=run), watch=watch, warn=said.append)
    assert trained is not None
    assert trained.bundle.exists()
    assert [row["epoch"] for row in read_history(run)] == [1, 2, 3, 4]
    assert max(after - before for before, after in pairwise(moments)) < MOST_WAIT_S
    return [sentence for sentence in said if "mlflow" in sentence]


def test_a_server_that_is_killed_in_mid_run_is_told_once_and_the_training_ends_well(
    server: Server, slices: Path, tmp_path: Path
) -> None:
    with mlflow():
        said = train_while(server, slices, tmp_path / "run", signal.SIGKILL)
    assert said == [
        f"mlflow takes no more figures (the server at 127.0.0.1:{server.port} cannot be reached): the "
        "training goes on without it, and metrics.jsonl keeps them all."
    ]


def test_a_server_that_stalls_in_mid_run_costs_seconds_and_keeps_what_it_was_told(
    server: Server, slices: Path, tmp_path: Path
) -> None:
    with mlflow():
        said = train_while(server, slices, tmp_path / "run", signal.SIGSTOP)
        server.send(signal.SIGCONT)
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - may be missing

        client = MlflowClient(tracking_uri=server.address)
        experiment = client.get_experiment_by_name("gadoscope")
        assert experiment is not None
        # A server that is slow to answer may have been asked for the run twice.
        run = next(run for run in client.search_runs([experiment.experiment_id]) if run.data.metrics)
        losses = client.get_metric_history(run.info.run_id, "validation_loss")
    assert len(said) == 1
    assert f"(the server at 127.0.0.1:{server.port} does not answer in time)" in said[0]
    first = read_history(tmp_path / "run")[0]
    assert (losses[0].step, losses[0].value) == (1, pytest.approx(first["validation_loss"]))
    assert run.data.params["network"] == "compact"


def test_a_socket_that_never_answers_is_left_alone_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # what its user says goes first
    with mlflow(), socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        config = LogConfig(to=("mlflow",), mlflow_store=f"http://me:secret@127.0.0.1:{port}")
        sentence = f"mlflow cannot be opened: the server at 127.0.0.1:{port} does not answer in time. Check"
        with pytest.raises(UsageError, match=f"^{re.escape(sentence)}") as told:
            open_logs(config, tmp_path / "run", {}, pytest.fail)
    assert "secret" not in str(told.value)


class _PutOff(BaseHTTPRequestHandler):
    """Answers to come again in ten minutes."""

    def do_GET(self) -> None:
        """Answer so."""
        self.send_response(503)
        self.send_header("Retry-After", "600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_says_to_come_again_in_ten_minutes_is_not_waited_for(tmp_path: Path) -> None:
    with mlflow(), ThreadingHTTPServer(("127.0.0.1", 0), _PutOff) as busy:
        Thread(target=busy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{busy.server_port}"
        before = time.monotonic()
        with pytest.raises(UsageError, match="answers with nothing but errors"):
            open_logs(LogConfig(to=("mlflow",), mlflow_store=address), tmp_path / "run", {}, pytest.fail)
        busy.shutdown()
    assert time.monotonic() - before < MOST_WAIT_S

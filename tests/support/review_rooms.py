"""A store with scans behind it, and the server of its review room: in this process, or in one of its own."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.labels import Phase, Plane
from gadoscope.results.store.store import Store
from gadoscope.web.app import make_app
from gadoscope.web.log import Log
from gadoscope.web.settings import Settings
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.dicom_files import classic_series, write_series
from tests.support.paths import ROOT

START_SECONDS = 60
SIDE = 48


@dataclass(frozen=True)
class Served:
    """What is served: a store, the bundle that answered in it, and the folder of the scans."""

    store: Path
    model: Path
    scans: Path


def make_room(folder: Path, *, n_images: int = 7, with_study: bool = True) -> Served:
    """Answer slice images from dark to bright, and a study of two DICOM series, and keep it all."""
    model = write_tiny_bundle(folder / "tiny.onnx", with_band(0.3, 0.7))
    scans = folder / "scans"
    scans.mkdir()
    for number, brightness in enumerate(np.linspace(60, 190, n_images)):
        noise = np.random.default_rng(number).normal(0, 20, (SIDE, SIDE))
        pixels = np.clip(brightness + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(scans / f"image-{number:03d}.png")
    if with_study:
        for name, phase in (("before", Phase.PRE_CONTRAST), ("after", Phase.POST_CONTRAST)):
            write_series(
                classic_series(phase, plane=Plane.AXIAL, n_slices=24, name=name), scans / "study" / name
            )
    store = folder / "store.db"
    with Store(str(store), say=lambda _: None) as journal:
        rows = list(Classifier(model, jobs=1).classify(scans, options=RunOptions(journal=journal)))
    assert len(rows) == n_images + 2 * with_study
    return Served(store, model, scans)


@dataclass
class Server:
    """A server in a process of its own, which may be killed and started again at the same address."""

    served: Served
    port: int
    reader: str
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "gadoscope", "serve", str(self.served.store)]
        command += ["--port", str(self.port), "--model", str(self.served.model)]
        environment = {**os.environ, "LOGNAME": self.reader, "PYTHONPATH": os.pathsep.join(sys.path)}
        log = self.served.store.with_suffix(".log")  # a pipe that nobody empties would stop the server
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors
            )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/healthz", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """End it without a word, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def serve_here(served: Served, **settings: Any) -> Iterator[httpx.Client]:
    """Yield a client of a server in a thread of this process, over a real socket; it follows no redirect."""
    app = make_app(
        Settings(store=str(served.store), model=str(served.model), **settings), log=Log(lambda _: None)
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            with httpx.Client(base_url=base, timeout=60, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@contextmanager
def serve_room(served: Served, *, reader: str = "ada") -> Iterator[Server]:
    """Yield a server that is up, and end it."""
    server = Server(served, find_port(), reader)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def find_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""A server on a real socket of this machine, in a thread, for as long as a block lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.labels import QuoteMode
from gadoscope.results.store.store import Store
from gadoscope.web.app import make_app
from gadoscope.web.log import Log
from gadoscope.web.settings import LOOPBACK, Settings
from tests.support.bundles import write_tiny_bundle
from tests.support.slices import write_slice

SECONDS = 30.0
"""For any answer."""


@dataclass(frozen=True)
class Served:
    """A server that runs: where it is, its application, and the lines of its log."""

    url: str
    app: FastAPI
    lines: list[str] = field(default_factory=list)

    def client(self, **said: object) -> httpx.Client:
        """Return a new client; close it."""
        return httpx.Client(base_url=self.url, timeout=SECONDS, **said)  # type: ignore[arg-type]


@contextmanager
def serve_in_thread(settings: Settings) -> Iterator[Served]:
    """Yield a server, once it answers."""
    lines: list[str] = []
    app = make_app(settings, log=Log(lines.append))
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        try:
            httpx.get(f"{url}/healthz", timeout=SECONDS)
            yield Served(url, app, lines)
        finally:
            server.should_exit = True
            thread.join(SECONDS)


def make_store(folder: Path, n: int = 6, *, quote: QuoteMode = QuoteMode.WORDS) -> Path:
    """Return a store with the answers of the tiny bundle to a few slices, which lie in ``slices``."""
    bundle = write_tiny_bundle(folder / "tiny.onnx")
    for number in range(n):
        write_slice(folder / "slices" / f"{number}.png", seed=number)
    store = Store(f"sqlite:///{folder / 'answers.db'}")
    with store, Classifier(bundle, jobs=1) as classifier:
        list(classifier.classify(folder / "slices", options=RunOptions(journal=store, quote=quote)))
    return folder / "answers.db"

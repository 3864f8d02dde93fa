"""A real S3 server on loopback (moto's), which counts what is asked of it and what it gives."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from gadoscope.reading.remote import listings, stores

NO_ACCOUNT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret"}
REGION = "us-east-1"
BUCKET = "archive"


@dataclass
class Store:
    """A server while it runs.

    Attributes
    ----------
    endpoint
        Its address.
    bytes_of
        Bytes of content that were given, by name of the object.
    n_asked
        Requests, by method and what was asked: ``GET list``, ``GET object``, ``HEAD object``.
    """

    endpoint: str
    client: Any
    bytes_of: Counter[str] = field(default_factory=Counter)
    n_asked: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)
    on_get: Callable[[str], None] = lambda _: None

    def environment(self) -> dict[str, str]:
        """Return what a program needs to know of it."""
        return {**NO_ACCOUNT, "AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": REGION}

    def put(self, name: str, content: bytes, bucket: str = BUCKET) -> None:
        self.client.put_object(Bucket=bucket, Key=name, Body=content)

    def put_folder(self, folder: Path, name: str) -> str:
        """Copy a folder of the disk and return its address."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"s3://{BUCKET}/{name}"

    def forget(self) -> None:
        """Count from nothing."""
        self.bytes_of.clear()
        self.n_asked.clear()


def forget_stores() -> None:
    """Let the next who reads open the server anew: with other credentials, or at another endpoint."""
    stores._open.cache_clear()
    listings.forget_listings()


class _Counting:
    """The server's application, counted."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.store: Store | None = None

    def __call__(self, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        store = self.store
        if store is None:
            return list(self.application(environ, start_response))
        _, _, name = environ["PATH_INFO"].lstrip("/").partition("/")
        what = "object" if name else "list"
        store.n_asked[f"{environ['REQUEST_METHOD']} {what}"] += 1
        if name:
            store.on_get(name)
        if any(name.startswith(refused) for refused in store.refused):
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
        parts = list(self.application(environ, start_response))
        if name and environ["REQUEST_METHOD"] == "GET":
            store.bytes_of[name] += sum(map(len, parts))
        return parts


class _Silent(WSGIRequestHandler):
    """Writes nothing on the standard error, where a test may look."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_s3() -> Iterator[Store]:
    """Run a server with an empty bucket; the environment names it meanwhile."""
    boto3 = pytest.importorskip("boto3", reason="boto3 fills the server; see the extra dev")
    pytest.importorskip("s3fs", reason="s3fs is the extra s3")
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 — slow, and not everywhere
        DomainDispatcherApplication,
        create_backend_app,
    )

    counting = _Counting(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, counting, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=NO_ACCOUNT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=NO_ACCOUNT["AWS_SECRET_ACCESS_KEY"],
    )
    store = Store(endpoint, client)
    client.create_bucket(Bucket=BUCKET)
    counting.store = store
    with pytest.MonkeyPatch.context() as set_for:
        for name, value in store.environment().items():
            set_for.setenv(name, value)
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()

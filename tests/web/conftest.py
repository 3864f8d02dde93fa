"""A store that is served: without accounts, and with users and tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from gadoscope.web.security.access import Access, Scope, Token, hash_token, write_access
from gadoscope.web.settings import Limits, Settings
from tests.support.web_server import Served, make_store, serve_in_thread

PASSWORD = "a password that is long"  # noqa: S105 — of nobody
SMALL = Limits(
    body_bytes=4 * 2**20,
    unpacked_bytes=8 * 2**20,
    files=200,
    inline_bytes=2 * 2**20,
    jobs=3,
    token_per_minute=60_000,
)


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store, its slices, and the bundle that answered them."""
    folder = tmp_path_factory.mktemp("served")
    make_store(folder)
    return folder


@pytest.fixture(scope="package")
def served(folder: Path) -> Iterator[Served]:
    """Yield a server without accounts."""
    settings = Settings(
        store=str(folder / "answers.db"),
        model=str(folder / "tiny.onnx"),
        limits=SMALL,
        roots=(folder / "slices",),
        spool=folder / "spool",
    )
    with serve_in_thread(settings) as served:
        yield served


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """Yield a client of the server without accounts."""
    with served.client() as client:
        yield client


@dataclass(frozen=True)
class Guarded:
    """A server with accounts, and what lets one in."""

    served: Served
    file: Path
    tokens: dict[str, str]

    def bearer(self, name: str) -> dict[str, str]:
        """Return the header of a token."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}


@pytest.fixture(scope="package")
def guarded(folder: Path) -> Iterator[Guarded]:
    """Yield a server with the user anna, a token for each scope, and one that is over."""
    access, tokens = Access().with_user("anna", PASSWORD, tuple(Scope)), {}
    for scope in Scope:
        access, tokens[scope.value] = access.with_token(scope.value, (scope,), 1)
    access, tokens["all"] = access.with_token("all", tuple(Scope), 1)
    over = Token(
        digest=hash_token("gado_over"),
        scopes=tuple(Scope),
        expires=(datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
    )
    access.tokens["over"] = over  # type: ignore[index]
    file = folder / "access.json"
    write_access(file, access)
    settings = Settings(
        store=str(folder / "answers.db"),
        model=str(folder / "tiny.onnx"),
        access=file,
        limits=SMALL,
        spool=folder / "spool-guarded",
    )
    with serve_in_thread(settings) as served:
        yield Guarded(served, file, {**tokens, "over": "gado_over"})

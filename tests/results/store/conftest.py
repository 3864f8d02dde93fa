"""A store in each kind of database."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.postgresql import Server, run_server

_numbers = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a PostgreSQL that runs, or skip."""
    with run_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a store that is not made yet, in both kinds of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'answers.db'}"
    server: Server = request.getfixturevalue("server")
    return server.make_database(f"store_{next(_numbers)}")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where what is kept while a store is away goes, in the place of the tester's home."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gadoscope"

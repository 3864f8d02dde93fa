"""A real PostgreSQL of the tests' own: an ordinary user's, on loopback, in a temporary folder."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.rights import NOBODY

BINARIES = (
    Path("/usr/lib/postgresql/15/bin"),
    Path("/usr/lib/postgresql/16/bin"),
    Path("/usr/lib/postgresql/17/bin"),
)
"""Where Debian and Ubuntu put what belongs to a server; it is on no PATH."""
USER = "gado"
LONGEST_S = 120
REAPED_S = 10
"""Until the system has taken away what was killed."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that is running, or was."""

    binaries: Path
    folder: Path
    port: int
    is_safe: bool = False

    def url(self, database: str = "postgres", *, secret: str = "") -> str:
        """Return the URL of a database."""
        password = f":{secret}" if secret else ""
        return f"postgresql://{USER}{password}@127.0.0.1:{self.port}/{database}"

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self.ask("postgres", f'CREATE DATABASE "{name}"')
        return self.url(name)

    def ask(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a statement."""
        import psycopg  # noqa: PLC0415 — of an extra

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            answered = connection.execute(statement.encode())
            return answered.fetchall() if answered.description else []

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self.folder} -h 127.0.0.1 -p {self.port} -c max_connections=40"
        options += "" if self.is_safe else " -F -c shared_buffers=16MB"
        self.control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is what a loss of power is."""
        self.control("stop", "-m", mode)

    def kill(self) -> None:
        """Kill all its processes at once, and wait until they are gone."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.killpg(pid, signal.SIGKILL)
        end = time.monotonic() + REAPED_S
        while _has_session(pid) and time.monotonic() < end:
            time.sleep(0.02)

    def control(self, *words: str) -> None:
        run_as_ordinary([self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", *words])


def _has_session(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run_as_ordinary(words: Sequence[str | Path]) -> None:
    """Run a program of the server, which root may not."""
    is_root = os.geteuid() == 0
    subprocess.run(
        list(map(str, words)),
        check=True,
        timeout=LONGEST_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=NOBODY if is_root else None,
        group=NOBODY if is_root else None,
        extra_groups=[] if is_root else None,
        cwd="/",
    )


def find_binaries() -> Path:
    """Return the folder of the server's programs, or skip."""
    pytest.importorskip("psycopg", reason="needs psycopg, of the extra `postgresql`")
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else [one for one in BINARIES if (one / "initdb").is_file()]
    if not found or not hasattr(os, "geteuid"):
        pytest.skip("needs PostgreSQL's server: apt-get install postgresql")
    return found[0]


@contextmanager
def run_server(*, is_safe: bool = False) -> Iterator[Server]:
    """Run a server for the block: a second and a half of processor.

    With ``is_safe`` it waits for the disk, as one that is used does.
    """
    binaries = find_binaries()
    with TemporaryDirectory(prefix="gado-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        make = ["-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        run_as_ordinary([binaries / "initdb", *make, "-D", folder / "data"])
        server = Server(binaries, folder, find_free_port(), is_safe)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def find_free_port() -> int:
    """Return a port on loopback that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

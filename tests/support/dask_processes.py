"""A Dask scheduler and its workers, each in a copy of the process of the tests, on loopback.

A copy has imported Dask already, which takes as long as all that it is asked to do.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dask
from distributed import Scheduler, Worker

from tests.support.copies import Copy, start_copy

LOOPBACK = "127.0.0.1"
SETTINGS = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
}
PATIENCE_SECONDS = 60.0


class DaskCluster:
    """A scheduler, and what it takes to start workers of it."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder, self._port = folder, port
        self._copies: list[Copy] = []
        self._keepers: list[Copy] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler; again where one was killed, at the same address if the port is given."""
        (self._folder / "address").unlink(missing_ok=True)
        self.scheduler = start_copy(self._serve)
        self._copies.append(self.scheduler)
        self.address = self._await_address()

    def start_worker(self, before: Callable[[], None] = lambda: None) -> Copy:
        """Start a worker of one thread; ``before`` is called in its process."""

        def work() -> int:
            before()
            asyncio.run(self._work())
            return 0

        self._copies.append(start_copy(work))
        return self._copies[-1]

    def keep_worker(self, before: Callable[[], None] = lambda: None) -> Copy:
        """Start what starts a worker again whenever it dies."""

        def keep() -> int:
            parent = os.getpid()
            while True:
                child = os.fork()
                if child == 0:
                    _end_with(parent)
                    before()
                    asyncio.run(self._work())
                    os._exit(0)
                os.waitpid(child, 0)

        self._copies.append(start_copy(keep))
        self._keepers.append(self._copies[-1])
        return self._copies[-1]

    def find_workers(self) -> list[int]:
        """Return the processes that `keep_worker` keeps, as far as they live now (Linux)."""
        told = (Path(f"/proc/{one.pid}/task/{one.pid}/children").read_text() for one in self._keepers)
        return [int(pid) for children in told for pid in children.split()]

    def close(self) -> None:
        """End all processes."""
        for copy in reversed(self._copies):
            copy.kill()

    def _serve(self) -> int:
        async def serve() -> None:
            async with Scheduler(
                host=LOOPBACK, port=self._port, dashboard=False, dashboard_address=f"{LOOPBACK}:0"
            ) as scheduler:
                told = self._folder / "address.part"
                told.write_text(scheduler.address)
                told.rename(self._folder / "address")
                await scheduler.finished()

        with _settings():
            asyncio.run(serve())
        return 0

    async def _work(self) -> None:
        with _settings():
            async with Worker(
                self.address, host=LOOPBACK, nthreads=1, memory_limit=0, local_directory=str(self._folder)
            ) as worker:
                await worker.finished()

    def _await_address(self) -> str:
        end = time.monotonic() + PATIENCE_SECONDS
        while not (self._folder / "address").exists():
            assert self.scheduler.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        return (self._folder / "address").read_text()


@contextmanager
def _settings() -> Iterator[None]:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what dies here is meant to
    with dask.config.set(SETTINGS):
        yield


def _end_with(parent: int) -> None:
    """End this process when its parent does (Linux)."""
    import ctypes  # noqa: PLC0415 — in a copy
    import signal  # noqa: PLC0415

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


@contextmanager
def dask_cluster(folder: Path, port: int = 0) -> Iterator[DaskCluster]:
    """Yield a cluster that ends with the block; its scheduler takes any port, or this one."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, port)
    try:
        yield cluster
    finally:
        cluster.close()

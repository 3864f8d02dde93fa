"""A cluster is reached, or started on this machine; what is wrong with it is said before the run begins."""

import logging
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster

from gadoscope.errors import UsageError

CONNECT_S = 10.0
"""For a scheduler to answer."""
WORKERS_S = 20.0
"""For the first worker to join; a batch system that has to queue them first takes longer, and says so."""
START_S = 60.0
"""For the workers of this machine to start: seconds, minutes on one that is overloaded."""
DEATHS = 1
"""Deaths of workers that Dask forgives one task: then it is tried alone, and may kill no others."""
SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")


@contextmanager
def open_client(scheduler: str | None, n_workers: int) -> Iterator[Client]:
    """Yield a client of a scheduler that has workers; of a cluster of this machine if none is named.

    Parameters
    ----------
    scheduler
        Address, such as ``tcp://host:8786``.
    n_workers
        Processes of a cluster that lives as long as the block, and listens on loopback only.

    Raises
    ------
    UsageError
        If the address is none, nobody answers there, or no worker joins.
    """
    with ExitStack() as stack:
        stack.enter_context(_quiet_logs())
        if scheduler is None:
            address = stack.enter_context(_start_workers(n_workers))
        else:
            address = check_address(scheduler)
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_S, set_as_default=False))
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {scheduler}; check the address, and that `dask scheduler` "
                "runs there."
            ) from error
        _wait_for_workers(client, scheduler, n_workers)
        yield client


def check_address(scheduler: str) -> str:
    """Return the address of a scheduler; raise UsageError of what is none."""
    try:
        parts = urlsplit(scheduler)
        is_address = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port is not None
    except ValueError:  # a port that is no number
        is_address = False
    if not is_address:
        raise UsageError(
            f"{scheduler!r} is no address of a Dask scheduler; it looks like tcp://host:8786, as "
            "`dask scheduler` prints it."
        )
    return scheduler


def _wait_for_workers(client: Client, scheduler: str | None, n_workers: int) -> None:
    try:
        client.wait_for_workers(n_workers or 1, timeout=WORKERS_S if scheduler else START_S)
    except TimeoutError as error:
        if scheduler is None:
            raise UsageError(
                f"{n_workers} worker processes did not start within {START_S:.0f} s; start fewer."
            ) from error
        raise UsageError(
            f"the scheduler at {scheduler} has no worker, and none came within {WORKERS_S:.0f} s; start some "
            f"with `dask worker {scheduler} --nthreads 1`."
        ) from error


@contextmanager
def _start_workers(n_workers: int) -> Iterator[str]:
    """Start a scheduler in this process, and workers of one thread in processes of their own."""
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="gadoscope-", ignore_cleanup_errors=True)
        )
        settings = {
            "distributed.scheduler.allowed-failures": DEATHS,
            "distributed.logging": {"distributed": "critical"},  # also in the workers
            "distributed.worker.profile.enabled": False,
            "distributed.admin.system-monitor.interval": "10s",  # nobody looks at it
            "distributed.scheduler.http.routes": [],  # a port for browsers that answers nothing
            "distributed.worker.http.routes": [],
        }
        with dask.config.set(settings), _interrupts_blocked():
            cluster = LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=0,  # as the plain path has none
                local_directory=folder,
                silence_logs=logging.CRITICAL,
            )
        stack.enter_context(cluster)
        yield cluster.scheduler_address


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C in the threads that start here, and in the processes that these start."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which else unblocks it in the thread that starts the first process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Let Dask say nothing on the standard error: what matters becomes a sentence of ours."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)

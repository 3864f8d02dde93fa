"""Workers are asked, before any work is sent, whether they are ours and see what we see."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Client

from gadoscope.cluster.connect import WORKERS_S
from gadoscope.cluster.flight import scheduler_is_gone
from gadoscope.cluster.tasks import Setup, check_worker, find_size
from gadoscope.errors import UsageError
from gadoscope.version import __version__

TIMES_ASKED = 3
"""Workers that die of something else are started again meanwhile."""


def check_workers(client: Client, setup: Setup) -> None:
    """Let every worker load the bundle.

    Raises
    ------
    UsageError
        If one has no Gadoscope or another one, or no such bundle.
    """
    for worker, said in _ask_all(client, check_worker, setup).items():
        if isinstance(said, BaseException) and not isinstance(said, ImportError):
            raise said
        why = said if isinstance(said, str) else f"it has no Gadoscope {__version__} ({said})"
        if why:
            raise UsageError(
                f"the worker {worker} cannot work for this run: {why.rstrip('.')}. Install there what is "
                "installed here, then start it again."
            )


def check_path(client: Client, path: Path) -> None:
    """Let every worker look for one file of the run.

    Raises
    ------
    UsageError
        If one does not see it, or sees another file there.
    """
    expected, _ = find_size(str(path))
    for worker, (size, folder) in _ask_all(client, find_size, str(path)).items():
        if size != expected:
            seen = "does not see" if size < 0 else f"sees {size:,} bytes, and not {expected:,}, at"
            raise UsageError(
                f"the worker {worker} {seen} {path} (it runs in {folder}); mount the archive under the same "
                "path on every machine of the cluster."
            )


def _ask_all(client: Client, question: Callable[[Any], Any], given: Any) -> dict[str, Any]:
    """Return what each worker says, or the error that it raised; one that dies meanwhile is left out.

    Raises
    ------
    UsageError
        If none lives long enough to answer.
    ClusterError
        If the scheduler is gone.
    """
    for _ in range(TIMES_ASKED):
        try:
            said: dict[str, Any] = client.run(question, given, on_error="return")
        except (OSError, RuntimeError) as error:  # nobody listens, or the client has given up
            raise scheduler_is_gone() from error
        # No question raises an OSError: it is the connection's.
        alive = {worker: one for worker, one in said.items() if not isinstance(one, OSError)}
        if alive:
            return alive
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=WORKERS_S)
    raise UsageError(
        f"each worker of the cluster ended while it was asked whether it can work, {TIMES_ASKED} times; see "
        "what they say themselves: they may have too little memory for the model."
    )

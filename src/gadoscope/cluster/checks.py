"""Workers are asked, before any work is sent, whether they are ours and see what we see."""

from pathlib import Path

from distributed import Client

from gadoscope.cluster.tasks import Setup, check_worker, find_size
from gadoscope.errors import UsageError
from gadoscope.version import __version__


def check_workers(client: Client, setup: Setup) -> None:
    """Let every worker load the bundle.

    Raises
    ------
    UsageError
        If one has no Gadoscope or another one, or no such bundle.
    """
    for worker, said in client.run(check_worker, setup, on_error="return").items():
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
    for worker, (size, folder) in client.run(find_size, str(path)).items():
        if size != expected:
            seen = "does not see" if size < 0 else f"sees {size:,} bytes, and not {expected:,}, at"
            raise UsageError(
                f"the worker {worker} {seen} {path} (it runs in {folder}); mount the archive under the same "
                "path on every machine of the cluster."
            )

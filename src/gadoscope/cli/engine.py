"""The options that send a run's work to a cluster."""

from typing import TYPE_CHECKING

import click

from gadoscope.cli.options import Command
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from gadoscope.classification.engine import Engine


def engine_options(command: Command) -> Command:
    """Add the options ``--scheduler`` and ``--workers``."""
    workers = click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Work in N processes of a Dask cluster that is started for this run, on this machine.",
    )
    scheduler = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Work on a Dask cluster that runs already, such as tcp://host:8786.",
    )
    return scheduler(workers(command))


def find_engine(scheduler: str | None, workers: int | None, jobs: int) -> "Engine | None":
    """Return the engine that is asked for; ``None`` for threads and processes of this machine.

    Raises
    ------
    UsageError
        If more than one is asked for, Dask is not installed, or the address is none.
    """
    if scheduler is None and workers is None:
        return None
    if scheduler is not None and workers is not None:
        raise UsageError(
            "--scheduler names a cluster that runs already, --workers starts one; name one of them."
        )
    if jobs:
        raise UsageError("--jobs is for a run without a cluster; leave it, or --scheduler and --workers.")
    from gadoscope.cluster.engine import DaskEngine

    return DaskEngine(scheduler, workers=workers or 0)

"""Folders before a training and after it: labelled images copied alike, and runs in one list."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gadoscope.api.arguments import may_be_path, need_path, need_whole
from gadoscope.errors import UsageError
from gadoscope.extras import name_what_is_missing
from gadoscope.misfits import name_choices, quote
from gadoscope.preparation import DEFAULT_SIDE, LEAST_SIDE, MOST_SIDE
from gadoscope.progress import OnProgress, say_nothing

if TYPE_CHECKING:
    from gadoscope.experiments.listing import RunRow
    from gadoscope.preparation.uniform import Prepared

RunOrder = Literal["date", "folder", "validation", "test"]


def prepare(
    data: str | Path,
    *,
    output: str | Path,
    labels: str | Path | None = None,
    side: int = DEFAULT_SIDE,
    jobs: int = 0,
    on_progress: OnProgress = say_nothing,
) -> "Prepared":
    """Copy labelled images so that size, format and borders tell nothing: the repair that an audit advises.

    Parameters
    ----------
    data
        A manifest or a folder of labelled images and scans, which are only read.
    output
        A new folder for the copies and their manifest.
    labels
        As of `evaluate`.
    side
        Rows and columns of the copies, pixels, 32 to 4096.
    jobs
        Threads; 0 takes one for each core.
    on_progress
        Called with what is done, how much of it, and of how much.

    Returns
    -------
    Prepared
        ``folder``, ``manifest``, ``n_images``, ``side``, ``notices``, and ``left_out``: name, reason and
        sentence of each image that cannot be read.

    Raises
    ------
    GadoscopeError
        UsageError, ManifestError or OutputError, with one sentence on what does not fit.
    """
    with name_what_is_missing("this command"):
        from gadoscope.parallel import count_jobs
        from gadoscope.preparation.manifest import read_manifest
        from gadoscope.preparation.uniform import write_uniform
    folder, n_pixels = need_path(output), need_whole("side", side, LEAST_SIDE, MOST_SIDE)
    manifest = read_manifest(need_path(data), may_be_path(labels))
    return write_uniform(manifest, folder, side=n_pixels, jobs=count_jobs(jobs), on_progress=on_progress)


def list_runs(folder: str | Path = "runs", *, order: RunOrder = "date") -> "list[RunRow]":
    """Return the runs in a folder or anywhere below it: what they are, how far they came, what they reached.

    A run that is not finished, or damaged, is a row that says so.

    Parameters
    ----------
    order
        ``date``, the newest first; ``folder``; ``validation`` or ``test``, by AUC, the best first.

    Raises
    ------
    UsageError
        If there is no such folder, or no such order.
    """
    with name_what_is_missing("this command"):
        from gadoscope.experiments.listing import ORDERS
        from gadoscope.experiments.listing import list_runs as list_below
    if order not in ORDERS:
        raise UsageError(f"order is {quote(order)}; expected {name_choices(order, ORDERS)}.")
    return list_below(need_path(folder), order)

"""What a person sees on a terminal while scans are classified; elsewhere nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from gadoscope.classification.options import Progress


class SilentDisplay:
    """Shows nothing: the standard error is a file or a pipe."""

    def show_progress(self, progress: "Progress") -> None:
        """Take note of how far the run is."""

    def show_row(self, n_rows: int) -> None:
        """Take note of how many rows were written."""


class TerminalDisplay(SilentDisplay):
    """A line that counts, and once the number of series is known a bar with the time left."""

    def __init__(self, bar: "Bar") -> None:
        self._bar = bar
        # Until all files have been looked at nobody knows how many series there are.
        self._task = bar.add_task("", total=None, said="", rate="")
        self._is_looking = True
        self._n_rows = 0

    def show_progress(self, progress: "Progress") -> None:
        """Show files and instances; then the series answered."""
        if progress.n_series is None:
            said = f"{progress.n_files:,} files, {progress.n_instances:,} DICOM, {self._n_rows:,} rows"
            n_done = progress.n_files
        else:
            said = f"{progress.n_series_done:,} of {progress.n_series:,} series"
            n_done = progress.n_series_done
            if self._is_looking:
                self._bar.reset(self._task, total=progress.n_series)
                self._is_looking = False
        speed = self._bar.tasks[0].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._bar.update(self._task, completed=n_done, said=said, rate=rate)

    def show_row(self, n_rows: int) -> None:
        """Take note of how many rows were written."""
        self._n_rows = n_rows


@contextmanager
def open_display() -> Iterator[SilentDisplay]:
    """Yield what shows the progress of a run."""
    if not sys.stderr.isatty():
        yield SilentDisplay()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[said]}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield TerminalDisplay(bar)

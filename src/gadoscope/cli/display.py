"""How far a command is: on a terminal a bar for each of its steps, elsewhere a line now and then."""

import sys
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gadoscope.cli.console import say_aside
from gadoscope.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_SECONDS = 60.0
"""Where no bars can be shown a step says how far it is each so long."""


@dataclass
class _Lines:
    """What a step said in lines: when it began, and when it is to say more."""

    began: float
    due: float = LINE_SECONDS


class Display:
    """Bars on the standard error while it is entered, one for each step that it is told of.

    Where that is no terminal each step says a line each minute: ``answering: 1,200 of 5,000 series, ...``.

    Parameters
    ----------
    stays
        Whether the bars are left standing when the command ends.
    is_shown
        Whether there are bars; by default where the standard error is a terminal.
    is_quiet
        Whether it shows and says nothing at all.
    """

    def __init__(self, *, stays: bool = False, is_shown: bool | None = None, is_quiet: bool = False) -> None:
        self._stays, self._is_quiet = stays, is_quiet
        self.is_shown = not is_quiet and (sys.stderr.isatty() if is_shown is None else is_shown)
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lines: dict[str, _Lines] = {}

    def __enter__(self) -> Self:
        if self.is_shown:
            self._bars = _open_bars(stays=self._stays)
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def tell(self, what: str, done: int, of: int) -> None:
        """Show how far one step is: an `OnProgress`."""
        self.show(what, what, done, of, f"{done}/{of}")

    def show(self, step: str, title: str, done: int, of: int | None, said: str) -> None:
        """Show how far one step is, in other words.

        Parameters
        ----------
        step
            Which; the first word of a new one makes its bar.
        title, said
            What stands before its bar, and after it.
        of
            None while nobody knows it.
        """
        if self._bars is None:
            if self.has_more_to_say(step):
                self._say_how_far(step, title, done, of, said)
            return
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(title, total=of, said=said)
        task = self._tasks[step]
        self._bars.update(task, description=title, completed=done, said=said)
        if of is not None:  # which rich takes for "as it was" where it is None
            self._bars.update(task, total=of)

    def has_more_to_say(self, step: str) -> bool:
        """Return whether what is shown of a step would reach anybody now: most often asked, and cheap."""
        if self._is_quiet or self.is_shown:
            return self.is_shown
        lines = self._lines.setdefault(step, _Lines(monotonic()))
        return monotonic() - lines.began >= lines.due

    def _say_how_far(self, step: str, title: str, done: int, of: int | None, said: str) -> None:
        lines = self._lines[step]
        took = monotonic() - lines.began
        lines.due = took + LINE_SECONDS
        speed = done / took
        left = f", {show_time((of - done) / speed)} left" if of is not None and done else ""
        say_aside(f"{title}: {said}, {speed:,.1f} a second{left}")

    def find_speed(self, step: str) -> float:
        """Return how many a second one step does, for its bar; 0 while that cannot be told."""
        if self._bars is None or step not in self._tasks:
            return 0.0
        return self._bars.tasks[self._tasks[step]].speed or 0.0

    def say(self, line: str) -> None:
        """Print a line, above the bars where there are any."""
        if self._bars is None:
            say_aside(line)
            return
        from rich.text import Text

        self._bars.console.print(Text(printable(line)))


def show_time(seconds: float) -> str:
    """Return a time as ``0:09``, ``12:05`` or ``3:20:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _open_bars(*, stays: bool) -> "Bars":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=not stays)

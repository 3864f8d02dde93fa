"""How far a command is: on a terminal a bar for each of its steps, elsewhere only lines."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gadoscope.cli.console import say_aside
from gadoscope.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Display:
    """Bars on the standard error while it is entered, one for each step that it is told of.

    Parameters
    ----------
    stays
        Whether the bars are left standing when the command ends.
    is_shown
        Whether there are bars; by default where the standard error is a terminal.
    """

    def __init__(self, *, stays: bool = False, is_shown: bool | None = None) -> None:
        self._stays = stays
        self.is_shown = sys.stderr.isatty() if is_shown is None else is_shown
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}

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
            return
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(title, total=of, said=said)
        task = self._tasks[step]
        self._bars.update(task, description=title, completed=done, said=said)
        if of is not None:  # which rich takes for "as it was" where it is None
            self._bars.update(task, total=of)

    def find_speed(self, step: str) -> float:
        """Return how many a second one step does; 0 while that cannot be told."""
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

"""What a person sees while a network trains: a bar on a terminal, a line an epoch elsewhere."""

import os
import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from gadoscope.cli.console import say_aside
from gadoscope.text import printable
from gadoscope.training.config import TrainingConfig
from gadoscope.training.loop import Moment


class TrainingDisplay:
    """Shows the moments of a run; several processes of one run have one display."""

    def __init__(self, config: TrainingConfig) -> None:
        self.epochs = config.epochs
        self.is_first = os.environ.get("RANK", "0") == "0" and os.environ.get("LOCAL_RANK", "0") == "0"
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not (self.is_first and sys.stderr.isatty()),
        )
        self.task: TaskID | None = None
        self.preparing: TaskID | None = None
        self.warned: set[str] = set()
        self.part = ""

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def note(self, notice: str) -> None:
        """Print what a person should know before it begins."""
        if self.is_first:
            self._print(f"note: {notice}")

    def begin(self, part: str) -> None:
        """Print which of several runs begins."""
        if self.is_first:
            self.part = f"{part}, "
            self._print(f"{part}:")

    def warn(self, sentence: str) -> None:
        """Print what makes the figures of this training worth less; the same sentence once."""
        if self.is_first and sentence not in self.warned:
            self.warned.add(sentence)
            self._print(f"WARNING: {sentence}")

    def on_prepared(self, done: int, total: int) -> None:
        """Show how many images are decoded."""
        if self.preparing is None:
            self.preparing = self.progress.add_task("decoding", total=total, losses="")
        self.progress.update(self.preparing, completed=done, losses=f"{done} of {total} images")

    def watch(self, moment: Moment) -> None:
        """Show a step; print the epoch's row when it ends."""
        if not self.is_first:
            return
        if self.task is None:
            self.task = self.progress.add_task("training", total=None, losses="")
        self.progress.update(
            self.task,
            description=f"{self.part}epoch {moment.epoch}/{self.epochs}",
            total=self.epochs * moment.n_steps,
            completed=(moment.epoch - 1) * moment.n_steps + moment.step,
            losses=f"loss {moment.loss:.4f}",
        )
        if moment.row is not None:
            self._print_row(moment)

    def _print_row(self, moment: Moment) -> None:
        row = moment.row or {}
        line = (
            f"epoch {moment.epoch:>2}/{self.epochs}  "
            f"loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.3f}  "
            f"validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.3f}  "
            f"{row['seconds']:.1f} s"
        )
        self._print(line)

    def _print(self, line: str) -> None:
        if self.progress.disable:
            say_aside(line)
        else:
            self.progress.console.print(Text(printable(line)))

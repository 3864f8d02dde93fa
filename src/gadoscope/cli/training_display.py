"""What a person sees while a network trains: a bar on a terminal, a line an epoch elsewhere."""

import os
import sys
from types import TracebackType
from typing import Self

from gadoscope.cli.display import Display
from gadoscope.training.config import TrainingConfig
from gadoscope.training.loop import Moment


class TrainingDisplay:
    """Shows the moments of a run; several processes of one run have one display."""

    def __init__(self, config: TrainingConfig) -> None:
        self.epochs = config.epochs
        self.is_first = os.environ.get("RANK", "0") == "0" and os.environ.get("LOCAL_RANK", "0") == "0"
        self.display = Display(stays=True, is_shown=self.is_first and sys.stderr.isatty())
        self.warned: set[str] = set()
        self.part = ""

    def __enter__(self) -> Self:
        self.display.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.display.__exit__(kind, error, trace)

    def note(self, notice: str) -> None:
        """Print what a person should know before it begins."""
        if self.is_first:
            self.display.say(f"note: {notice}")

    def begin(self, part: str) -> None:
        """Print which of several runs begins."""
        if self.is_first:
            self.part = f"{part}, "
            self.display.say(f"{part}:")

    def warn(self, sentence: str) -> None:
        """Print what makes the figures of this training worth less; the same sentence once."""
        if self.is_first and sentence not in self.warned:
            self.warned.add(sentence)
            self.display.say(f"WARNING: {sentence}")

    def tell(self, what: str, done: int, of: int) -> None:
        """Show how many images are decoded, or scored."""
        self.display.show(what, what, done, of, f"{done} of {of} images")

    def watch(self, moment: Moment) -> None:
        """Show a step; print the epoch's row when it ends."""
        if not self.is_first:
            return
        self.display.show(
            "training",
            f"{self.part}epoch {moment.epoch}/{self.epochs}",
            (moment.epoch - 1) * moment.n_steps + moment.step,
            self.epochs * moment.n_steps,
            f"loss {moment.loss:.4f}",
        )
        if moment.row is not None:
            self._say_row(moment)

    def _say_row(self, moment: Moment) -> None:
        row = moment.row or {}
        self.display.say(
            f"epoch {moment.epoch:>2}/{self.epochs}  "
            f"loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:.3f}  "
            f"validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.3f}  "
            f"{row['seconds']:.1f} s"
        )

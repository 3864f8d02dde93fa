"""One trial of a search: what it tried, how it ended, and what it reached; and the table of all of them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gadoscope.experiments.tuning.space import describe
from gadoscope.files import write_text
from gadoscope.sheets import SheetWriter
from gadoscope.wording import plural

FINISHED, PRUNED, FAILED = "finished", "pruned", "failed"
FIGURES = ("n_epochs", "validation_loss", "validation_accuracy", "validation_auc")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial that has ended; what is not known is None.

    Attributes
    ----------
    number
        From 1, in the order in which they were tried.
    state
        ``finished``; ``pruned``, ended early for being worse than the median; ``failed``, as ``note`` says.
    values
        What was tried, by setting.
    seed, sampler_seed
        Of the training, the same for all; and of the choice of the values.
    n_epochs
        How many were trained.
    validation_loss
        At the weights that were kept; of one that did not finish, of its last epoch.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    seed: int
    sampler_seed: int
    n_epochs: int = 0
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_auc: float | None = None
    note: str = ""

    @property
    def folder(self) -> str:
        """Return the name of its run's folder, which is kept if it has finished."""
        return name_folder(self.number)

    def describe(self) -> str:
        """Return a line on it."""
        loss = "" if self.validation_loss is None else f", validation loss {self.validation_loss:.4f}"
        done = f"{self.state} after {plural(self.n_epochs, 'epoch')}{loss}"
        return f"trial {self.number}: {done}; {describe(self.values)}"


def name_folder(number: int) -> str:
    """Return the name of a trial's folder."""
    return f"trial-{number:03}"


def find_best(trials: Sequence[Trial]) -> Trial | None:
    """Return the finished trial of the smallest validation loss, of equals the first; None without one."""
    finished = [trial for trial in trials if trial.state == FINISHED]
    return min(finished, key=lambda trial: (trial.validation_loss, trial.number), default=None)


def write_trials(trials: Sequence[Trial], path: Path) -> None:
    """Write a CSV with a row a trial and a column a setting; what is not known is empty."""
    settings = list(trials[0].values) if trials else []
    text = io.StringIO(newline="")
    sheet = SheetWriter(text, ["trial", "state", *settings, *FIGURES, "seed", "sampler_seed", "note"])
    for trial in trials:
        figures = [getattr(trial, name) for name in FIGURES]
        values = [trial.values[name] for name in settings]
        cells = [trial.number, trial.state, *values, *figures, trial.seed, trial.sampler_seed, trial.note]
        sheet.write(["" if cell is None else str(cell) for cell in cells])
    write_text(path, text.getvalue())

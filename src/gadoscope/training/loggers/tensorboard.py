"""TensorBoard: an event file in the run's folder `tensorboard`. The one file that knows the library."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from gadoscope.training.loggers.config import TENSORBOARD

FOLDER = "tensorboard"
"""In the run's folder: `tensorboard --logdir runs` shows all runs below it by their names."""


class TensorBoardLogger:
    """Writes an event file; one epoch is one step."""

    name = TENSORBOARD

    def __init__(self, run: Path, settings: Mapping[str, str]) -> None:
        self._writer = SummaryWriter(str(run / FOLDER))
        table = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
        self._writer.add_text("settings", f"| setting | value |\n|---|---|\n{table}")
        self._last = 0

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Write the figures: those of one kind, as `loss`, stand in one group."""
        for name, value in figures.items():
            side, _, kind = name.partition("_")
            self._writer.add_scalar(f"{kind}/{side}" if kind else name, value, epoch)
        self._writer.flush()
        self._last = epoch

    def end(self, figures: Mapping[str, float], _state: str) -> None:
        """Write the figures of the run at its last epoch, and close the file."""
        for name, value in figures.items():
            self._writer.add_scalar(f"run/{name}", value, self._last)
        self._writer.close()

"""Learning curves that grow in a notebook while a network trains."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gadoscope.training.loop import Moment


class LiveCurves:
    """The ``watch`` of a training that shows its learning curves below the cell, epoch by epoch.

    ::

        gs.train(config, data="slices", output="run", watch=gs.LiveCurves())

    One is for one training. Where there is no notebook nothing is shown.

    Attributes
    ----------
    rows
        What each epoch has measured: ``epoch``, ``train_loss``, ``train_accuracy``, ``validation_loss``,
        ``validation_accuracy``, ``seconds``.
    """

    def __init__(self) -> None:
        self.rows: list[Mapping[str, float]] = []
        self._shown: Any = None

    def __call__(self, moment: "Moment") -> None:
        """Take a moment of the training; an epoch that ends is drawn."""
        if moment.row is not None:
            self.rows.append(moment.row)
            if _is_notebook():
                self._show()

    def _show(self) -> None:
        from IPython.display import display

        from gadoscope.report.curves import learning_curves_svg

        row = self.rows[-1]
        pictures = {
            "image/svg+xml": learning_curves_svg(self.rows),
            "text/plain": f"epoch {row['epoch']}: loss {row['train_loss']:.4f}, "
            f"validation loss {row['validation_loss']:.4f}",
        }
        if self._shown is None:
            self._shown = display(pictures, raw=True, display_id=True)
        else:
            self._shown.update(pictures, raw=True)


def _is_notebook() -> bool:
    """Return whether IPython runs this; who has not loaded it has none."""
    python = sys.modules.get("IPython")
    return python is not None and python.get_ipython() is not None

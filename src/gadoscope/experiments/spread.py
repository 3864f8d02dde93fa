"""The figures of several runs side by side, and how far they lie apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from gadoscope.wording import DASH

Cell = float | int | str | None
MAX_NAME = 24
"""Letters of a row's name on a terminal; the names of sources have no limit of their own."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One row of figures a run; a figure that a run does not define is None in its row.

    Attributes
    ----------
    unit
        What the runs differ in, and the key of each row's name: seed, fold or source.
    figures
        The other columns, which every row has.
    """

    unit: str
    rows: tuple[Mapping[str, Cell], ...]
    figures: tuple[str, ...]

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Return mean, standard deviation, smallest and largest value of each figure.

        None where no run, for the deviation where only one run, defines the figure.
        """
        return {name: _summarise([row[name] for row in self.rows]) for name in self.figures}

    def to_dict(self) -> dict[str, Any]:
        """Return rows and summary for JSON."""
        return {"rows": list(self.rows), "summary": self.summary()}

    def to_text(self) -> str:
        """Return a table for the terminal: a line a run, then the spread."""
        width = max(len(name) for name in self.figures) + 2
        names = [self.unit, *(str(row[self.unit])[:MAX_NAME] for row in self.rows)]
        first = max(6, max(len(name) for name in names) + 2)
        lines = [self.unit.ljust(first) + "".join(name.rjust(width) for name in self.figures)]
        for name, row in zip(names[1:], self.rows, strict=True):
            lines.append(name.ljust(first) + "".join(_write(row[key]).rjust(width) for key in self.figures))
        summary = self.summary()
        for statistic in ("mean", "sd", "min", "max"):
            cells = (_write(summary[key][statistic]).rjust(width) for key in self.figures)
            lines.append(statistic.ljust(first) + "".join(cells))
        return "\n".join(lines) + "\n"


def _summarise(cells: list[Cell]) -> dict[str, float | None]:
    values = [float(value) for value in cells if isinstance(value, int | float)]
    if not values:
        return dict.fromkeys(("mean", "sd", "min", "max"))
    return {
        "mean": mean(values),
        "sd": stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def _write(value: Cell) -> str:
    return f"{value:.4f}" if isinstance(value, float) else DASH if value is None else str(value)

"""`gadoscope runs`: what was trained, how far it came, and what it reached."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.options import output_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gadoscope.api.folders import RunOrder
    from gadoscope.experiments.listing import RunRow


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@click.option(
    "--sort",
    "order",
    type=click.Choice(["date", "folder", "validation", "test"]),
    default="date",
    show_default=True,
    help="The newest first; by folder; by AUC, the best first.",
)
@output_option("Write all that is known as a CSV, too.", kind="CSV")
def command(folder: Path, order: "RunOrder", output: Path | None) -> None:
    """List the runs below a folder with their figures.

    FOLDER is `runs` unless another is named. Validation chose threshold, calibration and often the
    epoch, so its figures flatter. Test figures are those of the last `gadoscope evaluate` of the
    run's own test images; each look takes a little of what they are worth. A run that is not
    finished, or damaged, is a row that says so.

    \b
    gadoscope runs
    gadoscope runs runs/tuning --sort validation
    gadoscope runs --output runs.csv
    """
    from gadoscope.api.folders import list_runs
    from gadoscope.cli.console import say
    from gadoscope.experiments.listing import write_runs

    rows = list_runs(folder, order=order)
    if output is not None:
        write_runs(rows, output)
    say(*_format(rows, folder))


def _format(rows: "Sequence[RunRow]", folder: Path) -> list[str]:
    if not rows:
        return [f"{folder} holds no run of `gadoscope train`."]
    head = ("run", "model", "date", "epochs", "loss", "acc.", "AUC", "test acc.", "test AUC")
    table = [head, *map(_show, rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in table
    ]
    notes = [f"{row.run}: {row.state}; {row.note}" for row in rows if row.note]
    return [*(line.rstrip() for line in lines), *([""] if notes else []), *notes]


def _show(row: "RunRow") -> tuple[str, ...]:
    """Return the cells of a run: the bundle, or of an unfinished run its name."""
    return (
        row.run,
        row.bundle or f"({row.name or '?'})",
        row.date or "",
        _count(row),
        _number(row.validation_loss, 4),
        _percent(row.validation_accuracy),
        _number(row.validation_auc, 3),
        _percent(row.test_accuracy),
        _number(row.test_auc, 3),
    )


def _count(row: "RunRow") -> str:
    """Return how many epochs of how many, and which of them was kept where that is not the last."""
    kept = f", kept {row.kept_epoch}" if row.kept_epoch not in (None, row.epochs) else ""
    return f"{_or_unknown(row.epochs)}/{_or_unknown(row.planned)}{kept}"


def _or_unknown(value: Any) -> str:
    return "?" if value is None else str(value)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"

"""Results for a person at a terminal: one table, its file names made safe to show, and what became of all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gadoscope.labels import SeriesResult, Status
from gadoscope.results.ledger import Ledger
from gadoscope.results.tables import WriteRow
from gadoscope.text import printable

MAX_ROWS = 200
"""More rows than anyone reads on a screen; the ledger counts them all, and a file holds them."""
NAME_SHARE, MIN_NAME_WIDTH = 0.4, 24
"""Of the terminal's width a name takes so much, and at least so many characters, before it is broken."""

COLOURS = {
    Status.ANSWERED: "green",
    Status.INDETERMINATE: "yellow",
    Status.REFUSED: "magenta",
    Status.FAILED: "red",
}


@contextmanager
def open_terminal_table(stream: TextIO, *, width: int | None = None) -> Iterator[WriteRow]:
    """Yield a function that takes one row; the table is printed to ``stream`` when the block ends well.

    Parameters
    ----------
    stream
        Where to print.
    width
        Columns of characters; the terminal's own where ``None``.
    """
    shown: list[SeriesResult] = []
    n_more = 0

    def write(result: SeriesResult) -> None:
        nonlocal n_more
        if len(shown) < MAX_ROWS:
            shown.append(result)
        else:
            n_more += 1

    yield write
    console = Console(file=stream, width=width)
    console.print(_lay_out(shown, max(MIN_NAME_WIDTH, round(NAME_SHARE * console.width))))
    if n_more:
        console.print(f"and {n_more:,} more; --output results.csv keeps them all.")


def _lay_out(results: Sequence[SeriesResult], name_width: int) -> Table:
    folder = _common_folder(results)
    table = Table(
        f"in {printable(folder)}" if folder else "input",
        "status",
        "phase",
        "P(post)",
        "remark",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in table.columns[1:4]:
        column.no_wrap = True
    for result in results:
        name = os.path.relpath(result.path, folder) if folder else result.path
        if result.volume_index is not None:
            name += f" volume {result.volume_index}"
        remarks = [*filter(None, [result.reason, _describe_conflict(result)]), *result.warnings]
        table.add_row(
            Text(_break_at_folders(printable(name), name_width), overflow="fold"),
            Text(result.status, style=COLOURS[result.status]),
            Text(result.phase or ""),
            Text("" if result.probability is None else f"{result.probability:.3f}"),
            Text(printable("; ".join(remarks))),
        )
    return table


def _break_at_folders(name: str, width: int) -> str:
    """Return a path over as many lines as it takes, each ending at a slash where that can be."""
    lines = [""]
    for part in name.replace("/", "/\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _describe_conflict(result: SeriesResult) -> str:
    """Return what the header says where the pixels say otherwise."""
    if result.agreement != "conflict":
        return ""
    return f"the header says {result.header_state}: {result.header_quote}"


def _common_folder(results: Sequence[SeriesResult]) -> str:
    """Return the folder that holds every input, or an empty text where there is none worth naming."""
    folders = {str(Path(result.path).parent) for result in results}
    if not folders or len({Path(folder).is_absolute() for folder in folders}) > 1:
        return ""
    common = os.path.commonpath(folders)
    return "" if common in ("", ".", os.sep) else common


def print_summary(ledger: Ledger, stream: TextIO) -> None:
    """Print what became of the inputs, a line each status and reason, then the ledger's lines."""
    table = Table("status", "inputs", "reason", header_style="bold", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for status in Status:
        rows = list(_list_reasons(ledger, status))
        count = ledger.by_status[status]
        if count:
            table.add_row(
                Text(status, style=COLOURS[status]), f"{count:,}", rows[0] if len(rows) == 1 else ""
            )
        for row in rows if len(rows) > 1 else ():
            table.add_row("", "", row)
    console = Console(file=stream)
    console.print(table)
    for line in (str(ledger), ledger.phases(), ledger.agreement(), ledger.studies()):
        if line:
            console.print(Text(line), soft_wrap=True)


def _list_reasons(ledger: Ledger, status: Status) -> Iterator[str]:
    counts = [(n, code) for (of, code), n in ledger.by_reason.items() if of is status]
    for n, code in sorted(counts, key=lambda entry: (-entry[0], entry[1])):
        yield f"{code} {n:,}"

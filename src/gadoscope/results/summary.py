"""The end of a run on a terminal: the ledger as a small table."""

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gadoscope.labels import Status
from gadoscope.results.ledger import Ledger
from gadoscope.results.terminal import COLOURS


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

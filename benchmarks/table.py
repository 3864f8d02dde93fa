"""What every benchmark reports: rows, each a figure beside what was asked, the peer and the limit.

A benchmark prints its rows as a table. With ``--rows FILE`` it also writes them for `python -m benchmarks`,
which puts those of all on one page.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

EMPTY_UNLESS_SAID = ("peer", "limit")
"""Columns that a table has only where one of its rows says something there."""
BAR = r"\|"
"""A bar in a cell."""
MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True)
class Row:
    """One figure, with its unit.

    Parameters
    ----------
    name
        What was measured.
    asked
        What it has to be; empty where nothing was asked.
    measured
        What it is.
    met
        Whether it is what was asked.
    peer
        What others take for the same, in the same run.
    limit
        What it cannot fall below here, and why.
    """

    name: str
    asked: str
    measured: str
    met: bool | None = None
    peer: str = ""
    limit: str = ""


def begin_parser(text: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark whose docstring is ``text``."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, metavar="FILE", help="also write the rows here, as JSON")
    return parser


def finish(rows: Sequence[Row], path: Path | None) -> None:
    """Print the rows of a benchmark, and write them where ``--rows`` says."""
    write_rows(rows, path)
    print(format_table(rows))


def write_rows(rows: Sequence[Row], path: Path | None) -> None:
    """Write the rows of a benchmark where ``--rows`` says, if it does."""
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    """Return the rows that a benchmark wrote."""
    return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    extra = [name for name in EMPTY_UNLESS_SAID if any(getattr(row, name) for row in rows)]
    heads = ["figure", "measured", "asked", *extra, "met"]
    lines = [join_cells(heads), join_cells(["---"] * len(heads)).replace(" ", "")]
    for row in rows:
        said = [getattr(row, name) for name in extra]
        lines.append(join_cells([row.name, row.measured, row.asked, *said, MET[row.met]]))
    return "\n".join(lines)


def join_cells(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"

"""The page of all benchmarks: what was measured where, what was not met first, then every row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.plan import Benchmark
from benchmarks.table import Row, format_table, join_cells

HEAD = """# Benchmarks

Written by `{command}`, {date}, from {commit}.

Beside each figure stand what was asked, a peer that does the same in the same run, and the limit: what
cannot be undercut on this machine. Ratios hold from machine to machine, seconds drift. What was measured
earlier, and why something falls short, stands in the [log](log.md).
"""
QUICK = """
This was the quick run: the rows of `make bench` from smaller work, in which starting a process weighs more.
"""
BUSY = """
**The machine was busy with other work**: seconds on the wall say little here, and ratios less than usual.
"""
SECONDS_A_MINUTE = 60


@dataclass(frozen=True)
class Result:
    """What a benchmark reported.

    Parameters
    ----------
    benchmark
        Which one.
    rows
        Its figures; one that says why, where it failed.
    seconds
        How long it took, on the wall.
    """

    benchmark: Benchmark
    rows: tuple[Row, ...]
    seconds: float


@dataclass(frozen=True)
class Circumstances:
    """How it was measured.

    Parameters
    ----------
    command
        That writes the page.
    date, commit
        When, and from what.
    machine
        What is known of it, by name.
    is_quick, is_busy
        Whether sizes were small; whether the machine did other work.
    """

    command: str
    date: str
    commit: str
    machine: Mapping[str, str]
    is_quick: bool
    is_busy: bool


def render(results: Sequence[Result], how: Circumstances) -> str:
    """Return the page, as Markdown."""
    took = {"took": show_seconds(sum(result.seconds for result in results))}
    parts = [
        HEAD.format(command=how.command, date=how.date, commit=how.commit),
        QUICK if how.is_quick else "",
        BUSY if how.is_busy else "",
        "\n| machine | |\n|---|---|\n",
        *(f"{join_cells(pair)}\n" for pair in {**how.machine, **took}.items()),
        _sum_up(results),
        *map(_render_section, results),
    ]
    return "".join(parts)


def _sum_up(results: Sequence[Result]) -> str:
    """Return what was met, and first of all what was not."""
    judged = [(result, row) for result in results for row in result.rows if row.met is not None]
    missed = [(result, row) for result, row in judged if not row.met]
    n_rows = sum(len(result.rows) for result in results)
    n_met = len(judged) - len(missed)
    text = f"\n## In short\n\nFigures: {n_rows}. Something was asked of {len(judged)}, and {n_met} met it."
    if not missed:
        return f"{text}\n"
    rows = [
        join_cells((row.name, row.measured, row.asked, f"[{result.benchmark.title}](#{_anchor(result)})"))
        for result, row in missed
    ]
    return "\n".join(
        [text + " Not met:\n", "| figure | measured | asked | of |", "|---|---|---|---|", *rows, ""]
    )


def _render_section(result: Result) -> str:
    name = result.benchmark.name
    how = f"[`benchmarks/{name}.py`](../benchmarks/{name}.py), {show_seconds(result.seconds)}."
    return f"\n## {result.benchmark.title}\n\n{result.benchmark.says} {how}\n\n{format_table(result.rows)}\n"


def _anchor(result: Result) -> str:
    """Return a heading's anchor, as GitHub and the site name it."""
    return re.sub(r"[^\w\- ]", "", result.benchmark.title.lower()).replace(" ", "-")


def show_seconds(seconds: float) -> str:
    """Return a duration for a person."""
    minutes, rest = divmod(round(seconds), SECONDS_A_MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

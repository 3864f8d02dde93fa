"""`gadoscope results --reviews`: what readers decided, as rows or as a manifest."""

import sys
from collections import Counter
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gadoscope.cli.console import explain_output, say, say_aside, say_json
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from gadoscope.results.store.decided import DecisionRow
    from gadoscope.results.store.query import Query


def give_decisions(
    store: str, query: "Query", reader: str | None, output: Path | None, *, as_json: bool
) -> None:
    """Write decisions to a file, as JSON Lines or as CSV to a pipe; count them on a terminal."""
    from gadoscope.files import write_beside
    from gadoscope.results.store.decided import DecidedReader

    if output is not None and output.suffix.lower() != ".csv":
        raise UsageError(f"decisions are written as CSV; name {output.with_suffix('.csv')}.")
    rows = DecidedReader(store, say=say_aside).decisions(query, reader)
    first = list(islice(rows, 1))  # before anything is written: there may be no store
    every = chain(first, rows)
    if as_json:
        for row in every:
            say_json(row._asdict())
    elif output is not None:
        with write_beside(output) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
            say_aside(f"{_write_sheet(stream, every):,} decisions: {output}")
    elif not sys.stdout.isatty():
        with explain_output():
            _write_sheet(sys.stdout, every)
    else:
        say(*_count(every))


def give_labels(store: str, reader: str | None, manifest: Path) -> None:
    """Write the series that readers gave one label as a manifest, and say what was left out."""
    from gadoscope.results.store.decided import DecidedReader, LeftOut
    from gadoscope.results.store.manifest import write_labels

    left_out = LeftOut()
    n_written = write_labels(DecidedReader(store, say=say_aside).labels(left_out, reader), manifest)
    say(f"{n_written:,} series: {manifest}")
    reasons = {
        "on which readers disagree (--reader takes the word of one)": left_out.disputed,
        **{f"that readers call {verdict}": n for verdict, n in left_out.by_verdict.items()},
        "that lie where they lay no more": left_out.gone,
    }
    if left_out.n:
        said = ", ".join(f"{n:,} {why}" for why, n in reasons.items() if n)
        say(f"{left_out.n:,} left out: {said}")


def _write_sheet(stream: TextIO, rows: "Iterable[DecisionRow]") -> int:
    from gadoscope.results.store.decided import DecisionRow
    from gadoscope.sheets import SheetWriter

    sheet, n_rows = SheetWriter(stream, DecisionRow._fields), 0
    for row in rows:
        sheet.write(["" if value is None else str(value) for value in row])
        n_rows += 1
    return n_rows


def _count(rows: "Iterable[DecisionRow]") -> list[str]:
    """Return how many decisions there are, by reader and by verdict."""
    from gadoscope.results.store.decided import HOLDS

    by_reader: dict[str, Counter[str]] = {}
    for row in rows:
        by_reader.setdefault(row.reader, Counter())[row.verdict if row.state == HOLDS else ""] += 1
    lines = [f"{sum(said.total() for said in by_reader.values()):,} decisions"]
    for reader, verdicts in by_reader.items():
        n_past = verdicts.pop("", 0)
        said = ", ".join(f"{n:,} {verdict}" for verdict, n in verdicts.most_common()) or "none that holds"
        lines.append(f"  {reader}: {said}" + (f"; {n_past:,} hold no more" if n_past else ""))
    return lines

"""`gadoscope results`: the answers of many runs, asked of their store."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import say, say_aside, say_json
from gadoscope.cli.options import json_option, output_option
from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane, Status

if TYPE_CHECKING:
    from gadoscope.results.ledger import Ledger
    from gadoscope.results.store.query import Query
    from gadoscope.results.store.reader import Pair, StoreReader

MOST_SHOWN = 20
"""Differences on a screen; --output has them all."""


@click.command(name="results")
@click.argument("store", metavar="STORE")
@click.option("--phase", type=click.Choice([phase.value for phase in Phase]), help="Rows of this phase.")
@click.option("--plane", type=click.Choice([plane.value for plane in Plane]), help="Rows of this plane.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Rows of this status.")
@click.option("--reason", metavar="WORD", help="Rows whose reason begins with this word.")
@click.option(
    "--agreement",
    type=click.Choice(("conflict", "agree", "silent")),
    help="Rows whose header and pixels agree so.",
)
@click.option("--model", metavar="MODEL", help="Rows of this model: its name, or how its SHA-256 begins.")
@click.option(
    "--since",
    metavar="TIME",
    help="Answered then or after: 2026-11-30, 2026-11-30T22:00, with a Z of UTC, 36h, 7d.",
)
@click.option("--until", metavar="TIME", help="Answered before then.")
@click.option("--run", type=int, metavar="N", help="Answered by this run; --runs tells their numbers.")
@click.option("--all-versions", is_flag=True, help="Also what older versions of Gadoscope answered.")
@click.option("--gone", is_flag=True, help="Also what lies where it lay no more.")
@output_option(
    "Table to write: .csv, .tsv, .json, .jsonl or .parquet; with --compare the differences as .csv. "
    "Without it, rows go as CSV to a pipe.",
    kind="FILE",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Write the answered series as a manifest for train, evaluate and audit; with --reviews those that "
    "readers gave a label.",
)
@click.option(
    "--compare", nargs=2, metavar="MODEL MODEL", help="Hold the answers of two models side by side."
)
@click.option(
    "--reviews", is_flag=True, help="What readers decided in `gadoscope serve`, in the place of rows."
)
@click.option("--reader", metavar="NAME", help="With --reviews: the decisions of this reader alone.")
@click.option("--runs", "lists_runs", is_flag=True, help="List the runs.")
@json_option("JSON Lines on the standard output.")
def command(
    store: str,
    *,
    output: Path | None,
    manifest: Path | None,
    compare: tuple[str, str] | None,
    reviews: bool,
    reader: str | None,
    lists_runs: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Ask a store for the answers of all its runs.

    STORE is what `classify --store` was given: sqlite:///answers.db, postgresql://user@host/database, or the
    name of a file of SQLite. Rows are those of result tables: of each place, and of each model, the answer
    that was asked for last. On a terminal it counts them; with --output, --json or in a pipe it writes them.

    \b
    Example:
        gadoscope results sqlite:///answers.db
        gadoscope results sqlite:///answers.db --phase POST_CONTRAST --agreement conflict --output look.csv
        gadoscope results sqlite:///answers.db --compare default lesson
        gadoscope results sqlite:///answers.db --model default --manifest manifest.csv
        gadoscope results sqlite:///answers.db --reviews --manifest labels.csv
    """
    from gadoscope.extras import name_what_is_missing

    with name_what_is_missing("this command", "store"):
        from gadoscope.results.store.query import Query
        from gadoscope.results.store.reader import StoreReader

    _check_options(output, manifest, compare, asked["model"], as_json=as_json, lists_runs=lists_runs)
    _check_reviews(asked, reader, reviews=reviews, is_other=compare is not None or lists_runs)
    kept, query = StoreReader(store, say=say_aside), Query(**asked)
    if reviews:
        from gadoscope.cli.reviews import give_decisions, give_labels

        if manifest is not None:
            give_labels(store, reader, manifest)
        else:
            give_decisions(store, query, reader, output, as_json=as_json)
    elif lists_runs:
        _list_runs(kept, as_json=as_json)
    elif compare is not None:
        _compare(kept.pairs(*compare, query), compare, output, as_json=as_json)
    elif manifest is not None:
        from gadoscope.results.store.manifest import write_manifest

        say(f"{write_manifest(kept.rows(query), manifest):,} series: {manifest}")
    else:
        _give_rows(kept, query, output, as_json=as_json)


def _check_options(
    output: Path | None,
    manifest: Path | None,
    compare: tuple[str, str] | None,
    model: str | None,
    *,
    as_json: bool,
    lists_runs: bool,
) -> None:
    if sum((manifest is not None, compare is not None, lists_runs)) > 1:
        raise UsageError("--manifest, --compare and --runs are three questions; ask one at a time.")
    if output is not None and as_json:
        raise UsageError("--json prints and --output writes a file; name the file something.jsonl.")
    if output is not None and (manifest is not None or lists_runs):
        raise UsageError("--output is for rows and for --compare; leave it out.")
    if compare is not None and model is not None:
        raise UsageError("--compare names its models; leave --model out.")
    if compare is not None and output is not None and output.suffix.lower() != ".csv":
        raise UsageError(f"differences are written as CSV; name {output.with_suffix('.csv')}.")


def _check_reviews(asked: dict[str, Any], reader: str | None, *, reviews: bool, is_other: bool) -> None:
    if not reviews:
        if reader is not None:
            raise UsageError("--reader is one of --reviews; name that too.")
        return
    if is_other:
        raise UsageError("--reviews, --compare and --runs are three questions; ask one at a time.")
    of_rows = [name for name, said in asked.items() if said and name not in ("since", "until")]
    if of_rows:
        raise UsageError(
            f"--{of_rows[0].replace('_', '-')} narrows rows; decisions are asked for by --reader, --since "
            "and --until."
        )


def _give_rows(reader: "StoreReader", query: "Query", output: Path | None, *, as_json: bool) -> None:
    from gadoscope.cli.table_output import open_standard_output
    from gadoscope.results.tables import check_table_path, open_table

    if output is not None:
        check_table_path(output)
    is_table = output is not None or as_json or not sys.stdout.isatty()
    if is_table:
        rows = reader.rows(query)
        first = list(islice(rows, 1))  # before anything is written: there may be no store
        target = open_standard_output(as_json, True) if output is None else open_table(output)
        with target as write:
            for row in chain(first, rows):
                write(row)
    _say_ledger(reader.ledger(query), aside=is_table)
    if output is not None:
        say_aside(f"table: {output}")


def _say_ledger(ledger: "Ledger", *, aside: bool) -> None:
    lines = (ledger.phases(), *ledger.reasons(), ledger.agreement(), ledger.studies())
    (say_aside if aside else say)(str(ledger), *(f"  {line}" for line in lines if line))


def _list_runs(reader: "StoreReader", *, as_json: bool) -> None:
    for run in reader.runs():
        if as_json:
            say_json(run._asdict())
        else:
            said = (run.run, run.begun, f"{run.state:<11}", run.model, run.version, run.roots, run.counts)
            say("  ".join(map(str, said)))


def _compare(pairs: "Iterator[Pair]", models: tuple[str, str], output: Path | None, *, as_json: bool) -> None:
    """Count what two models say of the same, and show or write where they differ."""
    counts: Counter[tuple[str, str]] = Counter()
    differences = _count(pairs, counts)
    if output is not None:
        _write_differences(differences, output)
    elif as_json:
        for one in differences:
            say_json(one._asdict())
    else:
        shown: list[Pair] = []
        for one in differences:
            if len(shown) < MOST_SHOWN:
                shown.append(one)
        say(*_describe(counts, models), *(_show(one) for one in shown))
        return
    say_aside(*_describe(counts, models), *([f"differences: {output}"] if output is not None else []))


def _count(pairs: "Iterable[Pair]", counts: "Counter[tuple[str, str]]") -> "Iterator[Pair]":
    """Count what each pair says, and pass on those that differ."""
    for pair in pairs:
        said = (pair.phase or pair.status, pair.other_phase or pair.other_status)
        counts[said] += 1
        if said[0] != said[1]:
            yield pair


def _describe(counts: "Counter[tuple[str, str]]", models: tuple[str, str]) -> list[str]:
    n_same = sum(n for (one, other), n in counts.items() if one == other)
    lines = [f"{counts.total():,} rows of {models[0]} and {models[1]}: {n_same:,} say the same"]
    differing = sorted(((n, said) for said, n in counts.items() if said[0] != said[1]), reverse=True)
    return lines + [f"  {one} -> {other}: {n:,}" for n, (one, other) in differing]


def _show(pair: "Pair") -> str:
    where = pair.path if pair.volume_index is None else f"{pair.path} volume {pair.volume_index}"
    one, other = (
        f"{phase or status}{'' if probability is None else f' ({probability:.3f})'}"
        for status, phase, probability in (pair[3:6], pair[6:9])
    )
    return f"{where}: {one} -> {other}"


def _write_differences(differences: "Iterable[Pair]", output: Path) -> None:
    from gadoscope.files import write_beside
    from gadoscope.results.store.reader import Pair
    from gadoscope.sheets import SheetWriter

    with write_beside(output) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        sheet = SheetWriter(stream, Pair._fields)
        for one in differences:
            sheet.write([_cell(value) for value in one])


def _cell(value: str | int | float | None) -> str:
    from gadoscope.results.tables import PROBABILITY_FORMAT

    if value is None:
        return ""
    return format(value, PROBABILITY_FORMAT) if isinstance(value, float) else str(value)

"""`gadoscope classify`: images and folders become a table of answers."""

import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gadoscope.errors import OutputError, UsageError

if TYPE_CHECKING:
    from gadoscope.labels import SeriesResult
    from gadoscope.results.tables import WriteRow

EXIT_SOME_FAILED = 3
"""The run finished, but some inputs could not be read."""


@click.command(name="classify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--model", type=click.Path(path_type=Path), metavar="FILE", help="Bundle (.onnx) to use.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Table to write: .csv, .jsonl or .parquet. Without it, the table goes to the terminal, or "
    "as CSV to a pipe.",
)
@click.option(
    "--jobs", type=click.IntRange(min=0), default=0, help="Worker threads; 0 takes one for each core."
)
@click.option("--json", "as_json", is_flag=True, help="JSON Lines on the standard output.")
def command(
    paths: tuple[Path, ...], model: Path | None, output: Path | None, jobs: int, as_json: bool
) -> None:
    """Tell the contrast phase of images and of folders of images.

    Every input becomes one row: answered, indeterminate, refused or failed, with the reason. The
    ledger at the end (standard error) counts them all.

    \b
    Example:
        gadoscope classify slices/ --model lesson.onnx --output results.csv

    The table is written whole or not at all; Ctrl-C keeps the rows answered so far and says so.
    Exit code: 0 no input failed, 2 wrong usage, 3 some inputs failed, 130 interrupted.
    """
    from gadoscope.classify import find_model, iter_results
    from gadoscope.cli.interrupt import stop_on_signal
    from gadoscope.results.ledger import Ledger
    from gadoscope.results.tables import check_table_path

    if output is not None:
        check_table_path(output)
        if as_json:
            raise UsageError("--json prints and --output writes a file; name the file something.jsonl.")
    ledger = Ledger()
    with (
        closing(iter_results(paths, model=find_model(model), jobs=jobs)) as results,
        stop_on_signal() as stop,
        _open_destination(output, as_json) as write,
    ):
        for result in _with_progress(_refuse_none(results, paths)):
            write(result)
            ledger.add(result)
            if stop.signal_number is not None:
                break
    if stop.signal_number is not None:
        held = "the table" if output is None else str(output)
        click.echo(f"Interrupted: {held} holds the first {ledger.n_inputs} inputs only.", err=True)
    for line in (str(ledger), *(f"  {line}" for line in ledger.reasons())):
        click.echo(line, err=True)
    sys.exit(stop.exit_code or (EXIT_SOME_FAILED if ledger.n_failed else 0))


def _refuse_none(results: "Iterator[SeriesResult]", paths: tuple[Path, ...]) -> "Iterable[SeriesResult]":
    first = next(results, None)
    if first is None:
        raise UsageError(
            f"there is no input in {', '.join(map(str, paths))}; "
            "name image files or a folder that holds some."
        )
    return chain([first], results)


def _open_destination(output: Path | None, as_json: bool) -> "AbstractContextManager[WriteRow]":
    from gadoscope.results.tables import open_table

    return _open_standard_output(as_json) if output is None else open_table(output)


@contextmanager
def _open_standard_output(as_json: bool) -> "Iterator[WriteRow]":
    from gadoscope.results.tables import ODD_BYTES, csv_writer, json_lines_writer

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A table is UTF-8 whatever the terminal's language, and its reader gets each row as it comes.
        sys.stdout.reconfigure(encoding="utf-8", errors=ODD_BYTES, line_buffering=True)
    try:
        if not as_json and sys.stdout.isatty():
            from gadoscope.results.terminal import open_terminal_table

            with open_terminal_table(sys.stdout) as write:
                yield write
        else:
            yield json_lines_writer(sys.stdout) if as_json else csv_writer(sys.stdout)
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read us has enough; the command line ends quietly
            raise
        # Python would try once more at its exit, and complain in words of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(
            f"cannot write to the standard output: {error.strerror or error}. Name a file with --output."
        ) from error


def _with_progress(results: "Iterable[SeriesResult]") -> "Iterator[SeriesResult]":
    """Pass the results on, counting them on the standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:,} inputs"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    # No total and no bar: counting a million files first would delay the first answer.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, rate="")
        for result in results:
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:,.0f}/s" if speed else "")
            yield result

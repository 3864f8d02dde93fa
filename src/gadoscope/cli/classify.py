"""`gadoscope classify`: scans and folders become a table of answers."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import check_output, say_aside
from gadoscope.cli.engine import engine_options, find_engine
from gadoscope.cli.options import jobs_option, json_option, model_option, output_option, store_option
from gadoscope.cli.table_output import open_standard_output
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from gadoscope.classification.options import Progress
    from gadoscope.classification.page import Page
    from gadoscope.cli.display import Display
    from gadoscope.cli.interrupt import StopRequest
    from gadoscope.labels import SeriesResult
    from gadoscope.reading.given import PathStream
    from gadoscope.reading.remote.path import Location
    from gadoscope.results.journal import Journal
    from gadoscope.results.ledger import Ledger
    from gadoscope.results.store.store import Store
    from gadoscope.results.tables import WriteRow, Written

EXIT_SOME_FAILED = 3
"""The run finished, but some inputs could not be read."""
EXIT_STORE_GONE = 4
"""The run finished, but its store went away and did not come back: the rest is in a journal."""
EXIT_PRE, EXIT_POST, EXIT_NEITHER = 10, 11, 12
"""With ``--exit-phase``: all answers say one phase; or they differ, one is undecided, or there is none."""

STANDARD_INPUT = Path("-")
"""In place of paths."""

STANDARD_OUTPUT = Path("-")
"""As everywhere on the command line."""


class _StoppedError(Exception):
    """A signal asked to stop while no row came."""


class _NamedPath(click.Path):
    """A path that is not empty: a variable that is not set in a shell is not the folder that one is in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            raise UsageError("an empty text names no path; '.' is the folder that you are in.")
        if isinstance(value, str) and "://" in value:
            from gadoscope.reading.remote.naming import locate

            return locate(value)
        return super().convert(value, param, ctx)


@click.command(name="classify")
@click.argument("paths", nargs=-1, required=True, type=_NamedPath(path_type=Path), metavar="PATH...")
@model_option("Bundle (.onnx) to use; `default` comes with the installation.")
@output_option(
    "Table to write: .csv, .tsv, .json, .jsonl or .parquet; - is CSV on the standard output. Without "
    "it, the table goes to the terminal, or as CSV to a pipe.",
    kind="FILE",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Page (.html) to look at afterwards: all counts, and with pictures what to look at first.",
)
@jobs_option
@engine_options
@click.option(
    "--resume",
    is_flag=True,
    help="Take over what earlier runs with this --output answered; known by content and model, not by place.",
)
@store_option
@click.option("--quiet", is_flag=True, help="No progress and no ledger on the standard error; errors only.")
@click.option(
    "--exit-phase",
    is_flag=True,
    help="Exit code 10 where every answer says pre-contrast, 11 post-contrast, 12 otherwise; 3 as ever.",
)
@click.option("--series-alone", is_flag=True, help="Judge each series without the others of its study.")
@click.option(
    "--quote",
    type=click.Choice(("words", "full")),
    default="words",
    show_default=True,
    help="What of a header a row quotes: the words that decided, or the full text, which may hold patient "
    "data that somebody typed into it.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Only what was written or moved since then (2026-11-30, 2026-11-30T22:00, 36h, 7d); a study with "
    "something new is judged whole.",
)
@json_option("JSON Lines on the standard output.")
def command(  # noqa: PLR0913 - one for each option
    paths: "tuple[Location, ...]",
    *,
    model: Path,
    output: Path | None,
    report: Path | None,
    jobs: int,
    scheduler: str | None,
    workers: int | None,
    resume: bool,
    store_url: str | None,
    quiet: bool,
    exit_phase: bool,
    series_alone: bool,
    quote: str,
    since: str | None,
    as_json: bool,
) -> None:
    """Tell the contrast phase of scans and of folders of scans.

    Scans are DICOM, NIfTI, BIDS, slice images, and zips and tars of them, on disk or at an address such as
    s3://bucket/folder; `-` reads paths and addresses from the standard input, one after the other, a line
    each, or between NULs as `find -print0` writes them. Every series becomes one row:
    answered, indeterminate, refused or failed, with the reason, and with what its header says of contrast.
    The ledger at the end (standard error) counts them all.

    \b
    Example:
        gadoscope classify my_scan
        gadoscope classify archive/ --model lesson.onnx --output results.csv
        find archive -name '*.nii.gz' | gadoscope classify - --json

    The table is written whole or not at all; Ctrl-C keeps the rows answered so far, beside a table that is
    there already, and says so. results.csv.journal takes each answer as it comes: after a crash, --resume
    goes on from there. With --store a database takes them instead, and what it knows is taken over. Exit
    code: 0 no input failed, 2 wrong usage, 3 some inputs failed, 4 the store went away (a journal has the
    rest), 130 interrupted.
    """
    from gadoscope.classification.classifier import classify
    from gadoscope.classification.options import RunOptions
    from gadoscope.cli.display import Display
    from gadoscope.cli.interrupt import stop_on_signal
    from gadoscope.labels import QuoteMode
    from gadoscope.moments import parse_moment
    from gadoscope.results.ledger import Ledger
    from gadoscope.results.tables import Written

    output, is_piped = (None, True) if output == STANDARD_OUTPUT else (output, False)
    _check_options(output, resume=resume, as_json=as_json, has_store=store_url is not None)
    store = _name_store(store_url)
    what = tuple(map(_take_path, paths))
    engine = find_engine(scheduler, workers, jobs)
    page = _begin_page(report)
    ledger = Ledger() if page is None else page.ledger
    take = ledger.add if page is None else page.add
    written = Written(output, "--resume" if store is None else "the same command")
    with ExitStack() as stack:
        journal = None if store else _open_journal(stack, output, resume=resume)
        display = stack.enter_context(Display(is_quiet=quiet))
        stop = stack.enter_context(stop_on_signal())
        if store is not None:
            store.say = display.say
            stack.enter_context(store)

        def watch(progress: "Progress") -> None:
            _show(display, progress, ledger.n_inputs)
            if stop.signal_number is not None:
                raise _StoppedError

        options = RunOptions(
            journal=store or journal,
            series_alone=series_alone,
            quote=QuoteMode(quote),
            watch=watch,
            since=None if since is None else parse_moment(since, "--since").timestamp(),
            pictures=page is not None,
            engine=engine,
        )
        results = classify(what, model, jobs, options=options)
        if journal is not None and resume and not quiet:
            _say_what_is_known(journal)
        with closing(results):
            rows = _until_stopped(results, stop, written)
            written_rows = _write_each(
                rows, written, as_json=as_json, is_piped=is_piped, may_be_empty=since is not None
            )
            for result in written_rows:
                take(result)
    if page is not None and report is not None:
        page.write(report, str(model))
    _report(ledger, written, is_quiet=quiet)
    code = EXIT_SOME_FAILED if ledger.n_failed else _find_phase_code(ledger) if exit_phase else 0
    if store is not None and store.kept_in is not None:
        code = EXIT_STORE_GONE
    sys.exit(stop.exit_code if written.is_part else code)


def _take_path(path: "Location") -> "Location | PathStream":
    """Return a path, or of `STANDARD_INPUT` those that are read there while earlier ones are answered."""
    if path != STANDARD_INPUT:
        return path
    from gadoscope.cli.path_list import iter_names
    from gadoscope.reading.given import PathStream

    return PathStream(map(os.fsdecode, iter_names(sys.stdin.buffer)), "what the standard input names")


def _begin_page(report: Path | None) -> "Page | None":
    """Return what takes the rows for the page, before anything is read."""
    if report is None:
        return None
    from gadoscope.classification.page import Page, check_page_path

    check_page_path(report)
    return Page()


def _find_phase_code(ledger: "Ledger") -> int:
    """Return the exit code of the one phase that every answer says; what is no T1 brain has none."""
    from gadoscope.labels import Phase, Status

    codes = {Phase.PRE_CONTRAST: EXIT_PRE, Phase.POST_CONTRAST: EXIT_POST}
    n_answers = ledger.by_status[Status.ANSWERED] + ledger.by_status[Status.INDETERMINATE]
    said = [code for phase, code in codes.items() if 0 < ledger.by_phase[phase] == n_answers]
    return said[0] if said else EXIT_NEITHER


def _show(display: "Display", progress: "Progress", n_rows: int) -> None:
    """Show files and instances; then, once all files were looked at, the series answered."""
    if not display.has_more_to_say("looking" if progress.n_series is None else "answering"):
        return
    if progress.n_series is None:
        step, done = "looking", progress.n_files
        said = f"{done:,} files, {progress.n_instances:,} DICOM, {n_rows:,} rows"
    else:
        step, done = "answering", progress.n_series_done
        said = f"{done:,} of {progress.n_series:,} series"
    speed = display.find_speed(step)
    display.show(step, step, done, progress.n_series, f"{said}  {speed:,.0f}/s" if speed else said)


def _check_options(output: Path | None, *, resume: bool, as_json: bool, has_store: bool) -> None:
    from gadoscope.results.tables import check_table_path

    if resume and has_store:
        raise UsageError("what is in a store is always taken over; leave --resume out.")
    if output is not None:
        check_table_path(output)
        if as_json:
            raise UsageError("--json prints and --output writes a file; name the file something.jsonl.")
        return
    if resume:
        raise UsageError("--resume goes on from the journal beside a table; name the table with --output.")
    check_output()


def _open_journal(stack: ExitStack, output: Path | None, *, resume: bool) -> "Journal | None":
    if output is None:
        return None
    from gadoscope.results.journal import Journal, journal_path

    return stack.enter_context(Journal(journal_path(output), is_resuming=resume))


def _name_store(url: str | None) -> "Store | None":
    """Return the store of this run, which is opened when the run begins."""
    if url is None:
        return None
    from gadoscope.extras import name_what_is_missing

    with name_what_is_missing("--store", "store"):
        from gadoscope.results.store.store import Store

        return Store(url)


def _say_what_is_known(journal: "Journal") -> None:
    n_own, n_others = journal.count()
    if n_own:
        said = f"holds {n_own} answers of this model; what has not changed is taken over"
    elif n_others:
        said = f"holds {n_others} answers, all of another model or version of Gadoscope; none is taken over"
    else:
        said = "holds no answers yet; all inputs are answered"
    say_aside(f"{journal.path} {said}.")


def _until_stopped(
    results: "Iterable[SeriesResult]", stop: "StopRequest", written: "Written"
) -> "Iterator[SeriesResult]":
    """Pass results on until a signal asks to stop; the table is a part then."""
    try:
        for result in results:
            yield result
            if stop.signal_number is not None:
                raise _StoppedError
    except _StoppedError:
        written.is_part = True


def _write_each(
    rows: "Iterator[SeriesResult]", written: "Written", *, as_json: bool, is_piped: bool, may_be_empty: bool
) -> "Iterator[SeriesResult]":
    """Write rows and pass them on; without a row nothing is opened, unless the table may be empty."""
    first = next(rows, None)
    if first is None and (written.is_part or not may_be_empty):
        return
    with _open_destination(written, as_json=as_json, is_piped=is_piped) as write:
        for result in chain([] if first is None else [first], rows):
            write(result)
            yield result


def _report(ledger: "Ledger", written: "Written", *, is_quiet: bool) -> None:
    """Say on the standard error what became of the inputs, and where the table is."""
    if written.is_part:
        say_aside(written.describe_part(ledger.n_inputs))
    if is_quiet:
        return
    if sys.stderr.isatty():
        from gadoscope.results.terminal import print_summary

        print_summary(ledger, sys.stderr)
    else:
        lines = (ledger.phases(), *ledger.reasons(), ledger.agreement(), ledger.studies())
        say_aside(str(ledger), *(f"  {line}" for line in lines if line))
    if written.path is not None:
        say_aside(f"table: {written.path}")


def _open_destination(
    written: "Written", *, as_json: bool, is_piped: bool
) -> "AbstractContextManager[WriteRow]":
    from gadoscope.results.tables import open_table

    if written.output is None:
        return open_standard_output(as_json, is_piped)
    return open_table(written.output, written.choose)

"""The standard streams: whole even where they were closed, and safe against what names hold."""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from gadoscope.errors import OutputError
from gadoscope.text import ODD_BYTES, printable

STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR = 0, 1, 2
"""Their numbers in the system."""
REMEDY = "Name a file with --output."


def open_standard_streams() -> None:
    """Put nothing in the place of a standard stream that was closed (``2>&-``, as some schedulers do).

    The next file that is opened would get its number, and what a library writes to the standard error would
    stand in the middle of a table. `sys.stdout` stays ``None`` where it was closed: see `check_output`.
    """
    for number in (STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system gives the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for as long as we live
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=ODD_BYTES)  # a terminal of few characters ends no run


def check_output() -> None:
    """Raise OutputError if there is nothing to print to, before work begins that nobody would see."""
    if sys.stdout is None:
        raise OutputError(f"the standard output is closed. {REMEDY}")


def say(*lines: str) -> None:
    """Print each text as one line; what a terminal would obey in a name is shown and not obeyed.

    Raises
    ------
    OutputError
        If the standard output takes nothing; a reader that has enough ends the command quietly.
    """
    with explain_output():
        for line in lines:
            click.echo(printable(line))


def say_json(value: object, *, indent: int | None = None) -> None:
    """Print a value as JSON, in ASCII: there is nothing in it that a terminal obeys."""
    with explain_output():
        click.echo(json.dumps(value, indent=indent))


def say_aside(*lines: str) -> None:
    """Do as `say` on the standard error; one that takes nothing (its reader is gone) ends no run."""
    try:
        for line in lines:
            click.echo(printable(line), err=True)
    except OSError:
        _silence(STANDARD_ERROR)


@contextmanager
def explain_output() -> Iterator[None]:
    """Turn what goes wrong with the standard output into OutputError, but for a reader that has enough."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:  # the command line ends quietly
            raise
        _silence(STANDARD_OUTPUT)
        raise OutputError(
            f"cannot write to the standard output: {error.strerror or error}. {REMEDY}"
        ) from error


def _silence(number: int) -> None:
    """Let a stream end in nothing: Python would try once more at its exit, and complain in its own words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)

"""Rows on the standard output: a table for a person, CSV for a pipe, JSON Lines for a program."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gadoscope.cli.console import explain_output

if TYPE_CHECKING:
    from gadoscope.results.tables import WriteRow


@contextmanager
def open_standard_output(as_json: bool, is_piped: bool) -> "Iterator[WriteRow]":
    """Yield a function that writes one row; ``is_piped`` treats a terminal as a pipe."""
    from gadoscope.results.tables import csv_writer, json_lines_writer
    from gadoscope.text import ODD_BYTES

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A table is UTF-8 whatever the terminal's language, and its reader gets each row as it comes.
        sys.stdout.reconfigure(encoding="utf-8", errors=ODD_BYTES, line_buffering=True)
    with explain_output():
        if not as_json and not is_piped and sys.stdout.isatty():
            from gadoscope.results.terminal import open_terminal_table

            with open_terminal_table(sys.stdout) as write:
                yield write
        else:
            yield json_lines_writer(sys.stdout) if as_json else csv_writer(sys.stdout)

"""The command line, run within the process of the tests: what starts no process of its own costs a tenth.

What a test says about a process (signals, closed streams, terminals) needs one: a copy of this one, see
`tests.support.copies`. What a cold start imports, and the limits of a system, need a fresh one: see
`GADOSCOPE`.
"""

import io
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, nullcontext
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest

from gadoscope.cli.main import main

GADOSCOPE = (sys.executable, "-c", "from gadoscope.cli.main import main; main()")
"""The words that begin a command which is a process of its own."""

EXIT_UNCAUGHT = 1
"""Of Python, where an exception ends a program."""


def run_command(
    *arguments: str | Path,
    folder: Path | None = None,
    given: str = "",
    environment: Mapping[str, str] | None = None,
    together: bool = False,
) -> CompletedProcess[str]:
    """Return how ``gadoscope`` ends with these arguments: exit code, standard output, standard error.

    Parameters
    ----------
    folder
        Where it runs; by default where the tests do.
    given
        What stands on its standard input.
    environment
        Variables that it has beside those of the tests.
    together
        Whether the standard error goes where the standard output goes, as after ``2>&1``.
    """
    words = ["gadoscope", *map(str, arguments)]
    streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8") for name in ("stdin", "stdout", "stderr")}
    streams["stdin"].buffer.write(given.encode())
    streams["stdin"].seek(0)
    streams["stderr"].reconfigure(errors="backslashreplace")
    said = streams["stdout"], streams["stderr"]
    if together:
        streams["stderr"] = streams["stdout"]
    with chdir(folder) if folder else nullcontext(), _as_a_program(words, streams, environment or {}):
        code = run_main()
    return CompletedProcess(words, code, *map(_read, said))


@contextmanager
def _as_a_program(
    words: list[str], streams: Mapping[str, io.TextIOWrapper], environment: Mapping[str, str]
) -> Iterator[None]:
    """Show a program what it would see of itself: words, streams, variables, and a `__main__` of its own."""
    with pytest.MonkeyPatch.context() as seen:
        seen.setattr(sys, "argv", words)
        for name, stream in streams.items():
            seen.setattr(sys, name, stream)
        for name, value in environment.items():
            seen.setenv(name, value)
        seen.setitem(sys.modules, "__main__", ModuleType("__main__"))  # as far as click and workers look
        loaded = sys.modules.get(f"gadoscope.cli.{words[1].replace('-', '_')}") if words[1:] else None
        if loaded is not None and hasattr(loaded, "command"):
            # click keeps the help option of whoever asked first; a test may have called the command alone.
            seen.setattr(loaded.command, "_help_option", None)
        yield


def run_main() -> int:
    """Return the exit code of the command that `sys.argv` names."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201 — as Python does
            return EXIT_UNCAUGHT
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return EXIT_UNCAUGHT
    return 0


def _read(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()

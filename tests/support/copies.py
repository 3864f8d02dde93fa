"""The command line in a copy of the process of the tests: it has streams, signals and an end of its own.

What a process says of signals and of closed streams needs one, but not its start, which costs more than all
that it is asked to do. Where a test is about the start as well, see `GADOSCOPE`.
"""

import io
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TextIO

import pytest

from gadoscope.labels import SeriesResult
from gadoscope.results.ledger import Ledger
from tests.support.commands import EXIT_UNCAUGHT, run_main

PATIENCE_SECONDS = 300.0
EXIT_FLUSH_FAILED = 120
"""Of Python, where a standard stream does not take what is left of it."""
STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


class Copy:
    """A process that is a copy of this one: of a `subprocess.Popen` what the tests ask."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended, or None; minus the number of the signal that ended it."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        """Return how it ended."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (code := self.poll()) is None:
            assert time.monotonic() < end
            time.sleep(0.002)
        return code

    def kill(self) -> None:
        """End it, whatever it does."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


def start_copy_of_command(
    words: Sequence[object],
    streams: Sequence[int | None],
    *,
    before: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> Copy:
    """Start ``gadoscope`` with these arguments in a copy of this process.

    Parameters
    ----------
    streams
        The descriptors that are its standard input, output and error; None is a stream that is closed.
    before
        Called in the copy, before the command.
    environment
        Variables that it has beside those of the tests.
    """

    def run() -> int:
        _take_streams(streams)
        sys.argv = ["gadoscope", *map(str, words)]
        sys.modules["__main__"] = ModuleType("__main__")  # as far as click and workers look
        os.environ.update(environment or {})
        before()
        code = run_main()
        return code if _flush() else EXIT_FLUSH_FAILED

    return start_copy(run)


def start_copy(run: Callable[[], int]) -> Copy:
    """Start a copy of this process that runs this, and ends with the code that it returns."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a process that can be copied")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # what is left in them is not the copy's to say
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning
        )
        pid = os.fork()
    if pid == 0:
        code = EXIT_UNCAUGHT
        try:
            code = run()
        except BaseException:
            traceback.print_exc()  # as Python does; what is captured of it stands in the report
        finally:
            os._exit(code)  # nothing that the tests have opened is closed twice
    return Copy(pid)


def _take_streams(streams: Sequence[int | None]) -> None:
    """Put these descriptors in the place of the standard streams, and tell Python."""
    kept = [None if stream is None else os.dup(stream) for stream in streams]
    for number, (stream, (name, mode)) in enumerate(zip(kept, STREAMS, strict=True)):
        if stream is None:
            os.close(number)
            setattr(sys, name, None)
            continue
        os.dup2(stream, number)
        os.close(stream)
        setattr(sys, name, _open_as_python_does(number, name, mode))


def _open_as_python_does(number: int, name: str, mode: str) -> io.IOBase:
    is_error = name == "stderr"
    how = {"buffering": 1, "errors": "backslashreplace"} if is_error else {}
    return open(number, mode, encoding="utf-8", closefd=False, **how)  # type: ignore[call-overload,no-any-return]


def _flush() -> bool:
    said: list[TextIO | None] = [sys.stdout, sys.stderr]
    try:
        for stream in said:
            if isinstance(stream, io.TextIOWrapper):
                stream.flush()
    except OSError:
        return False
    return True


def start_with_files(
    words: Sequence[object], folder: Path, *, before: Callable[[], None] = lambda: None
) -> Copy:
    """Start it with files of this folder, `stdout` and `stderr`, in the place of its streams."""
    folder.mkdir(exist_ok=True)
    with (
        Path(os.devnull).open() as given,
        (folder / "stdout").open("w") as out,
        (folder / "stderr").open("w") as error,
    ):
        streams = [stream.fileno() for stream in (given, out, error)]
        return start_copy_of_command(words, streams, before=before)


def signal_at_row(number: signal.Signals, row: int) -> None:
    """Send this process a signal as soon as it has written and counted so many rows."""
    count = Ledger.add
    n_counted = 0

    def count_and_signal(self: Ledger, result: SeriesResult) -> None:
        nonlocal n_counted
        count(self, result)
        n_counted += 1
        if n_counted == row:
            os.kill(os.getpid(), number)

    Ledger.add = count_and_signal  # type: ignore[method-assign]  # in a copy, which ends

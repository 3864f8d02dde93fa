"""A polite end: the first Ctrl-C, SIGTERM or SIGHUP asks a loop to stop between two steps.

The second breaks it. SIGHUP comes when the terminal is closed; where it is ignored, as under ``nohup``,
that stays so.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNAL_EXIT_BASE = 128
"""A shell reports a program that a signal ended as 128 + the signal's number: 130 for Ctrl-C."""
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals of the system that end a program; Windows has no SIGHUP."""


@dataclass
class StopRequest:
    """Which signal asked to stop; ``None`` while none did."""

    signal_number: int | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code of a command that stopped for this request."""
        return SIGNAL_EXIT_BASE + self.signal_number if self.signal_number else 0


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Yield a request that SIGINT, SIGTERM and SIGHUP fill in; the handlers of before come back afterwards.

    A row is thus never cut in two by a signal. A second signal raises KeyboardInterrupt at once.
    """
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        if request.signal_number is not None:
            raise KeyboardInterrupt
        request.signal_number = number

    with _handled((signal.SIGINT, *_not_ignored(ENDING)), note):
        yield request


@contextmanager
def end_on_signal() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that whatever is half-written is taken away.

    Not in a process that ``torchrun`` started: it may wait for others, and has to end at once.
    """

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(SIGNAL_EXIT_BASE + number)

    with _handled(() if "RANK" in os.environ else _not_ignored(ENDING), end):
        yield


@contextmanager
def _handled(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _not_ignored(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN)

"""A polite end: the first Ctrl-C (or SIGTERM) asks a loop to stop between two steps, the second breaks it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNAL_EXIT_BASE = 128
"""A shell reports a program that a signal ended as 128 + the signal's number: 130 for Ctrl-C."""


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
    """Yield a request that SIGINT and SIGTERM fill in; the handlers of before come back afterwards.

    A row is thus never cut in two by a signal. A second signal raises KeyboardInterrupt at once.
    """
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        if request.signal_number is not None:
            raise KeyboardInterrupt
        request.signal_number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""A database that goes away: it is waited for, and after a minute answers are kept on this machine."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from gadoscope.results.store.address import Address
from gadoscope.results.store.refusals import is_away

WAIT_SECONDS = 60.0
"""A server that is restarted, or fails over to another one, is back by then."""
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.2, 5.0
"""Each pause is twice the one before, so that many runs do not ask a server that starts all at once."""

Say = Callable[[str], None]
Given = TypeVar("Given")


class GoneError(Exception):
    """The database did not come back."""


class Patience:
    """Asks a database, and again where it is away. For several threads.

    Parameters
    ----------
    shown
        What the database is called.
    say
        Takes the sentence that it is waited for.
    """

    def __init__(self, shown: str, say: Say) -> None:
        self._shown, self._say = shown, say
        self._lock = threading.Lock()
        self._is_waiting = False
        self.is_gone = False
        """Whether it was waited for in vain; nothing is asked from then on."""

    def ask(self, step: Callable[[], Given]) -> Given:
        """Return what one transaction gives, which is asked again as a whole.

        Raises
        ------
        GoneError
            If the database is away for longer than `WAIT_SECONDS`, or was before.
        """
        until, pause = 0.0, FIRST_PAUSE_SECONDS
        while not self.is_gone:
            try:
                given = step()
            except DBAPIError as error:
                if not is_away(error):
                    raise
            else:
                self._note(is_waiting=False)
                return given
            until = until or time.monotonic() + WAIT_SECONDS
            self._note(is_waiting=True)
            if time.monotonic() + pause > until:
                self.is_gone = True
                break
            time.sleep(pause)
            pause = min(2 * pause, MOST_PAUSE_SECONDS)
        raise GoneError

    def _note(self, *, is_waiting: bool) -> None:
        with self._lock:
            if self._is_waiting is is_waiting:
                return
            self._is_waiting = is_waiting
            if is_waiting:
                self._say(f"{self._shown} is away; waiting for up to {WAIT_SECONDS:.0f} s.")
            else:
                self._say(f"{self._shown} is there again.")


def say_on_stderr(sentence: str) -> None:
    """Say something where a program says things that are no results."""
    sys.stderr.write(f"{sentence}\n")


def state_folder() -> Path:
    """Return where programs of this user keep what is no configuration and no cache."""
    base = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".local" / "state") / "gadoscope"


def name_kept(address: Address) -> Path:
    """Return where this process keeps answers while a store is away."""
    return state_folder() / f"{address.key}-{os.getpid()}.journal"


def iter_kept(address: Address) -> Iterator[Path]:
    """Yield what runs on this machine kept while a store was away."""
    yield from sorted(state_folder().glob(f"{address.key}-*.journal"))

"""The server's log: lines of JSON on the standard error, without a path, a name or an identifier of patients.

An address holds numbers of ours and identifiers; what is logged is its pattern.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Write = Callable[[str], object]
_lock = threading.Lock()


class Log:
    """Writes one line for one thing that happened. For several threads.

    Parameters
    ----------
    write
        Takes a line with its end; by default the standard error.
    """

    def __init__(self, write: Write | None = None) -> None:
        self._write = write or _write_aside

    def __call__(self, event: str, **said: Any) -> None:
        """Write what happened, and when.

        Parameters
        ----------
        event
            One word.
        said
            Values that JSON has; those that are None are left out.
        """
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        line |= {name: value for name, value in said.items() if value is not None}
        self._write(json.dumps(line) + "\n")

    def fault(self, error: BaseException, **said: Any) -> None:
        """Write that something went wrong that nobody foresaw: its kind and where, not its words.

        The words of an error may quote a path, and a path a patient's name.
        """
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}" for frame in frames[-8:]]
        self("fault", error=type(error).__name__, where=where, **said)


class JsonLines(logging.Handler):
    """Takes what libraries log, from warnings on, as lines of the same log.

    Of a library that tells of an error the kind is kept and not the words, which are not ours.
    """

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._log.fault(error, of=record.name)
        else:
            self._log("library", of=record.name, level=record.levelname.lower(), said=str(record.msg))


def _write_aside(line: str) -> None:
    with _lock:
        try:
            sys.stderr.write(line)
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more; requests are answered all the same
            return

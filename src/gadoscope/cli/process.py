"""The end of a command's process: what Python does then for programs that go on is left out."""

import atexit
import os
import sys
import threading


def end_now(end: SystemExit) -> None:
    """End this process without freeing its objects one by one: the system frees them all at once.

    Returns where Python has to end it: a thread is running, a stream takes nothing, or something is to be
    said.
    """
    code = end.code or 0
    if not isinstance(code, int) or threading.active_count() > 1:
        return
    try:
        _flush()
        atexit._run_exitfuncs()  # as multiprocessing ends its processes: what is registered is run
        _flush()
    except (OSError, ValueError):
        return
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()

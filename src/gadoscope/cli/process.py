"""The process of a command: what Python does for long programs at the start and at the end is left out."""

import atexit
import gc
import os
import sys
import threading

ALLOCATIONS = 20_000
"""Between two looks for cycles of objects; Python's own 700 make it look through all modules again and again
while they are imported, a tenth of a short run. What is in no cycle, as images are, goes at once as ever."""


def look_for_cycles_rarely() -> None:
    """Let Python look for cycles seldom; before the imports."""
    gc.set_threshold(ALLOCATIONS)


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

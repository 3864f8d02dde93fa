"""Ordered work a little ahead of whoever reads it, and workers that end with their parent."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from gadoscope.cycles import look_rarely
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

Given = TypeVar("Given")
Made = TypeVar("Made")

_AHEAD = 4  # results a thread may be ahead of the reader: keeps threads busy, and memory small


def count_jobs(jobs: int) -> int:
    """Return ``jobs``, or the number of CPU cores this process may use if it is 0.

    Raises
    ------
    UsageError
        If so many workers cannot be.
    """
    if not hasattr(jobs, "__index__") or jobs < 0:
        raise UsageError(f"jobs must be 0 (one for each core) or more, a whole number, but it is {jobs!r}.")
    if jobs > 0:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ahead(
    pool: Executor, function: Callable[[Given], Made], given: Iterable[Given], n_ahead: int
) -> Iterator[Made]:
    """Yield ``function`` of each of ``given``, in their order; at most ``n_ahead`` are under way.

    ``given`` is taken only as results leave, so it may be endless. What is under way when the reader
    stops is cancelled, or runs to its end in the pool.
    """
    rest = iter(given)
    under_way: deque[Future[Made]] = deque()
    try:
        for one in islice(rest, n_ahead):
            under_way.append(pool.submit(function, one))
        while under_way:
            made = under_way.popleft().result()
            for one in islice(rest, 1):
                under_way.append(pool.submit(function, one))
            yield made
    finally:
        for future in under_way:
            future.cancel()


def in_groups(given: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Yield lists of ``size``, the last one perhaps shorter."""
    rest = iter(given)
    return iter(lambda: list(islice(rest, size)), [])


def map_in_order(function: Callable[[Given], Made], given: Iterable[Given], jobs: int) -> Iterator[Made]:
    """Yield ``function`` of each of ``given``, in their order, made by threads, at most a few ahead.

    Pillow lets go of the interpreter while it decodes, so threads are enough and nothing is copied.
    """
    n_threads = count_jobs(jobs)
    with ThreadPoolExecutor(n_threads) as pool:
        yield from map_ahead(pool, function, given, n_threads * _AHEAD + 1)


def prepare_worker() -> None:
    """Make a worker process end when its parent does, leave Ctrl-C to the parent, and seldom look for cycles.

    A pool's worker waits for tasks on a pipe that it holds open itself: nothing else would tell it that its
    parent was killed.
    """
    from multiprocessing import parent_process  # noqa: PLC0415 — whoever starts no process does without

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    look_rarely()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: "BaseProcess") -> None:
    parent.join()
    os._exit(0)

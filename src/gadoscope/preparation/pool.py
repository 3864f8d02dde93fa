"""Work through files with a few threads, in order, holding few results at a time.

Pillow lets go of the interpreter while it decodes, so threads are enough and nothing is copied.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_AHEAD = 4  # results a thread may be ahead of the reader: keeps threads busy, and memory small


def count_jobs(jobs: int) -> int:
    """Return ``jobs``, or the number of CPU cores this process may use if it is 0."""
    if jobs > 0:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(function: Callable[[Given], Made], given: Iterable[Given], jobs: int) -> Iterator[Made]:
    """Yield ``function`` of each of ``given``, in their order, at most a few results ahead."""
    n_threads = count_jobs(jobs)
    running: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for one in given:
                running.append(pool.submit(function, one))
                if len(running) > n_threads * _AHEAD:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:  # the reader stopped early, or a result raised: start nothing more
            for future in running:
                future.cancel()

"""Processes that read the headers of DICOM instances, for archives of many files."""

import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from gadoscope.parallel import map_ahead, prepare_worker
from gadoscope.reading.discover import Found
from gadoscope.reading.scan import Scanned, in_whole_groups, scan_files, split_groups

FILES_PER_TASK = 64
"""About 10 ms of work: far more than handing it over, and little to wait for at the end."""
TASKS_PER_WORKER = 3
"""Under way: enough that a slow group at the front keeps no process waiting."""


class HeaderWorkers:
    """A pool of processes; where it breaks, this process reads the headers itself.

    Parameters
    ----------
    n_workers
        Processes; each takes about 25 MB.
    """

    def __init__(self, n_workers: int) -> None:
        self._n_tasks = n_workers * TASKS_PER_WORKER
        # A fresh interpreter a worker: forking a process that runs threads may hang.
        self._processes = ProcessPoolExecutor(
            n_workers, mp_context=get_context("spawn"), initializer=prepare_worker
        )
        self._waiting = ThreadPoolExecutor(
            self._n_tasks, thread_name_prefix="headers", initializer=_leave_interrupts_to_others
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.shutdown(wait=False, cancel_futures=True)
        self._processes.shutdown(wait=True, cancel_futures=True)
        self._waiting.shutdown(wait=True)

    def scan(self, found: Iterable[Found]) -> Iterator[tuple[Sequence[Found], Scanned]]:
        """Yield groups of ``found``, in their order, with what was found in each."""
        tasks = map_ahead(self._waiting, self._scan, in_whole_groups(found, FILES_PER_TASK), self._n_tasks)
        return chain.from_iterable(tasks)

    def _scan(self, files: Sequence[Found]) -> list[tuple[Sequence[Found], Scanned]]:
        try:
            scanned = self._processes.submit(scan_files, files).result()
        except _NO_PROCESS:
            scanned = scan_files(files)
        return list(zip(split_groups(files), scanned, strict=True))


# A process was killed; the system gives none; or this one is a daemon, which may have none (an assertion
# in multiprocessing).
_NO_PROCESS = (BrokenProcessPool, OSError, AssertionError)


def _leave_interrupts_to_others() -> None:
    """Block Ctrl-C in this thread, and so in the processes that it starts, from their first moment on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

"""Worker processes that end with the process that started them, whatever ends that one."""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess


def prepare_worker() -> None:
    """Make a worker process end when its parent does, and leave Ctrl-C to the parent.

    A pool's worker waits for tasks on a pipe that it holds open itself: nothing else would tell it that its
    parent was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(0)

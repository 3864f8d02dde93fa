"""Libraries that warn about the files they read are kept quiet, one thread at a time.

Warning filters belong to the whole process: two threads that each set and restore them may leave them
changed for good. Hence one lock for all readers; hold it while parsing, which the interpreter serialises
anyway, and not while waiting for a disk.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

WARNINGS_LOCK = threading.RLock()


@contextmanager
def quiet_library() -> Iterator[None]:
    """Silence warnings inside the block. What they tell of a file, our own checks tell better."""
    with WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

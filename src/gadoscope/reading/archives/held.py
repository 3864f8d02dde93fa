"""Files that lie in memory: bytes under a number, known for as long as somebody holds them.

Headers wait in the index of a run as text, which cannot hold the bytes that they came from: the number can.
"""

import itertools
import threading
from io import BufferedReader, BytesIO
from weakref import WeakValueDictionary

from gadoscope.errors import ReadError


class Held:
    """The content of a file, in memory. Copied with its content into other processes, under another number.

    Parameters
    ----------
    content
        All of it.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        with _lock:
            self.number = next(_numbers)
            _known[self.number] = self

    def open(self) -> BufferedReader:
        """Open it for reading, seekable; nothing is copied."""
        return BufferedReader(BytesIO(self.content))

    def __reduce__(self) -> tuple[type["Held"], tuple[bytes]]:
        return type(self), (self.content,)


_numbers = itertools.count(1)
_known: "WeakValueDictionary[int, Held]" = WeakValueDictionary()
_lock = threading.Lock()


def find_held(number: int) -> Held:
    """Return what has this number.

    Raises
    ------
    ReadError
        If nobody holds it any more.
    """
    with _lock:
        held = _known.get(number)
    if held is None:
        raise ReadError("missing", "what lay in memory is gone; hand it over again.")
    return held

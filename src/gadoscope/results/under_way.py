"""Which files were decoded last: after a crash, the next run knows whom to suspect.

A decoder that crashes ends the run and says nothing; or it spoils the memory, and what comes next crashes.
So each thread writes the digest of its file into a place of its own before it decodes it, and a few remain.
It costs one short write a file, which reaches the system at once and the disk whenever that likes: a process
that dies does not lose it.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".decoding"
"""After a dot, for it is no input where it lies among some, and the whole name of the journal."""
DIGEST_BYTES = 32
"""SHA-256."""
REMEMBERED = 8
"""Files of each thread."""
MOST_BYTES = 4096 * REMEMBERED * DIGEST_BYTES
"""More threads than any run has; what is longer is no file of ours and is not read."""
_NOBODY = bytes(DIGEST_BYTES)


def under_way_path(journal: Path) -> Path:
    """Return where the file lies that belongs to a journal."""
    return journal.with_name(f".{journal.name}{SUFFIX}")


class UnderWay:
    """Digests of the files under way, and of the last few before, in a small file. For several threads.

    Parameters
    ----------
    path
        Where it lies; made when the first file is noted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._free: list[int] = []
        self._n_noted: list[int] = []  # by place

    def read(self) -> set[str]:
        """Return the digests, as hexadecimal text, that a run which died left here."""
        try:
            if not self.path.is_file() or self.path.stat().st_size > MOST_BYTES:
                return set()
            data = self.path.read_bytes()
        except OSError:  # nobody's fault of this run, which can do without
            return set()
        places = (data[at : at + DIGEST_BYTES] for at in range(0, len(data), DIGEST_BYTES))
        return {place.hex() for place in places if place != _NOBODY and len(place) == DIGEST_BYTES}

    @contextmanager
    def note(self, digest: str) -> Iterator[None]:
        """Note a file that the block decodes; where that cannot be written the block runs all the same."""
        with self._lock:
            if not self._free:
                self._free.append(len(self._n_noted))
                self._n_noted.append(0)
            place = self._free.pop()
            self._write(place * REMEMBERED + self._n_noted[place] % REMEMBERED, bytes.fromhex(digest))
            self._n_noted[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._free.append(place)

    def close(self) -> None:
        """Take the file away: this run did not die."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.path.unlink(missing_ok=True)

    def _write(self, number: int, content: bytes) -> None:
        try:
            if self._file is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
                self._file = os.open(self.path, flags, 0o600)
            os.lseek(self._file, number * DIGEST_BYTES, os.SEEK_SET)
            os.write(self._file, content)
        except OSError:  # a full disk; the journal says so
            return

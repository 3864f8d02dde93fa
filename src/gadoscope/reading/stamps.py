"""Whether a file is as it was when it was last read: asked of the system, not of its bytes.

Writing into a file changes the time of its inode (``st_ctime``), which no program can set back, whatever it
does to the time of its content (``st_mtime``). On Windows ``st_ctime`` is the time of creation, and a stamp
notices less there: not a change that keeps the size and sets back the content's time.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gadoscope.reading.archives.sources import Source

NS = 1e9
UNKNOWN_NS = 2**63 - 1
"""When objects were written: an ETag does not say, so they may be new."""
DIGEST_BYTES = 16
"""Of a digest: two that are equal by chance are not to be feared."""
TICK_S = 0.1
"""Clocks of file systems tick every 10 ms at most. What was written this tick may be written again in it, and
have the same times then; so one waits until a stamp is older than this."""


@dataclass(frozen=True)
class Stamp:
    """What the system says of some files.

    Parameters
    ----------
    digest
        Of their places, sizes, times and inodes, in hexadecimal.
    newest_ns
        When the last of them was written, moved or made, in nanoseconds since 1970.
    """

    digest: str
    newest_ns: int


def stamp_files(sources: Sequence[Source], said: Sequence[str] = ()) -> Stamp | None:
    """Return the stamp of some files, in their order; members of archives have that of the archive.

    Parameters
    ----------
    sources
        Where they lie.
    said
        What else shall be the same.

    Returns
    -------
    Stamp or None
        ``None`` where one of them is in memory, is gone, or is an object of which a listing said nothing that
        changes with its content.
    """
    stamp = _stamp(sources, said)
    if stamp is not None and 0 <= (age := time.time() - stamp.newest_ns / NS) < TICK_S:
        time.sleep(TICK_S - age)
        stamp = _stamp(sources, said)
    return stamp


def is_older(stamps: Sequence[Stamp | None], since: float) -> bool:
    """Return whether all of some files were written, moved or made before a time, in seconds since 1970.

    What has no stamp may have been written at any time.
    """
    return all(stamp is not None and stamp.newest_ns < since * NS for stamp in stamps)


def _stamp(sources: Sequence[Source], said: Sequence[str]) -> Stamp | None:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    newest = 0
    for source in sources:
        if source.held is not None:
            return None
        if (remote := source.remote) is not None:
            if remote.seen is None or not remote.seen.stamp:
                return None
            digest.update(repr((str(remote), source.member, *remote.seen)).encode())
            newest = UNKNOWN_NS
            continue
        try:
            status = os.stat(source.text)  # noqa: PTH116 - a path of it takes longer than the system's answer
        except (OSError, ValueError):  # gone, or a name that no file can have
            return None
        times = status.st_mtime_ns, status.st_ctime_ns
        newest = max(newest, *times)
        # Not its device, which another machine that mounts the same share numbers otherwise.
        path = os.path.abspath(source.text)  # noqa: PTH100 - as text
        place = (path, source.member, status.st_size, *times, status.st_ino)
        digest.update(repr(place).encode())  # which escapes what is no UTF-8
    for line in said:
        digest.update(line.encode())
    return Stamp(digest.hexdigest(), newest)

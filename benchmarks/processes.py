"""A process from its start to its end: how long it took, and the most memory it and its children held.

The count that the system keeps of a child (`ru_maxrss`) begins with what its parent held, which here has
torch loaded: it says hundreds of MB of a process that takes a hundred. So memory is looked at all the while.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Finished:
    """A process that has ended: seconds on the wall; largest memory of it and its children, in MB."""

    wall_s: float
    peak_mb: float
    output: str


def run(command: Sequence[object]) -> Finished:
    """Run a command and wait for it, summing its memory and its children's all the while."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
        peaks: list[float] = [0.0]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done))
        watcher.start()
        process.wait()
        wall_s = time.perf_counter() - start
        done.set()
        watcher.join()
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{text}")
    return Finished(wall_s=wall_s, peak_mb=max(peaks), output=text)


def measure_memory_mb(pid: int) -> float:
    """Return the memory of a process that runs, and of all that descend from it, in MB."""
    return sum(map(_memory_mb, _family(pid)))


def _watch(pid: int, peaks: list[float], done: threading.Event) -> None:
    while not done.wait(SAMPLE_S):
        peaks[0] = max(peaks[0], measure_memory_mb(pid))


def _family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = status.read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended meanwhile
            continue
        children[int(parent)].append(int(status.parent.name))
    members = [pid]
    for member in members:
        members += children[member]
    return members


def _memory_mb(pid: int) -> float:
    """Return the resident memory of a process; what several share counts for each of them."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:  # it has ended meanwhile
        return 0.0
    return pages * PAGE_BYTES / 2**20

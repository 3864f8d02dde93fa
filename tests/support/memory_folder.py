"""Temporary files of tests lie in memory where there is room.

Tables, journals and databases wait for the disk before they say that they are written. Tests write thousands
and keep none: on a disk a commit of SQLite takes 15 ms, in memory 0.04.
"""

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 — Linux's own, a file system in memory
LEAST_FREE_BYTES = 6 * 2**30
"""More than several runs at once need, all tests of each; containers often have 64 MB."""


def use_memory() -> None:
    """Let this process and those that it starts make temporary files in memory.

    They stay on the disk where ``TMPDIR`` names a place already, and where memory has too little room or
    no program may be started from it.
    """
    if "TMPDIR" not in os.environ and _is_fit(IN_MEMORY):
        os.environ["TMPDIR"] = str(IN_MEMORY)
        tempfile.tempdir = None  # what was looked up before is forgotten


def _is_fit(folder: Path) -> bool:
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return False
    runs_nothing = os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)
    return not runs_nothing and shutil.disk_usage(folder).free >= LEAST_FREE_BYTES

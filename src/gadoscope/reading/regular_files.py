"""A file of the disk, opened: nothing else by mistake, and with one sentence where it cannot be."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from gadoscope.errors import ReadError
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.remote.path import Location, RemotePath


@contextmanager
def open_regular_file(path: Location) -> Iterator[BufferedReader]:
    """Open a file or an object for reading; a named pipe or a device never, for it could wait for ever.

    Raises
    ------
    ReadError
        If the system cannot open or read it, also inside the block.
    """
    if isinstance(path, RemotePath):
        from gadoscope.reading.remote.file import open_remote  # noqa: PLC0415 — disks do without

        with open_remote(path) as remote:
            yield remote
        return
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
            raise ReadError("not_a_file", f"this is {kind}, not an image file; name the file itself.")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise explain_os_error(error) from error
    except ValueError as error:
        if "\0" not in os.fspath(path):
            raise
        raise ReadError("missing", "no file can have this name; check the path.") from error

"""Write beside, then rename: the old file or the new one, never half of one."""

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gadoscope.errors import OutputError, UsageError
from gadoscope.text import ODD_BYTES

HAS_LOCKS = importlib.util.find_spec("fcntl") is not None
"""Not on Windows, which does not rename an open file either: what a killed run leaves there stays."""
if HAS_LOCKS:
    import fcntl

SUFFIX = ".partial"
"""Of what is not whole yet: .results.csv.k3_x9b2q.partial."""
MAX_NAME_BYTES = 200
"""Of the whole file's name in that of its partial; file systems take 255 bytes in all."""
_RANDOM = re.compile(r"[a-z0-9_]{8}")
"""What `tempfile` puts between prefix and suffix."""
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refuse_file(path: Path, what: str) -> None:
    """Raise OutputError if a file lies where the folder of ``what`` is to be."""
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file; name a folder for {what}.")


@contextmanager
def write_beside(path: Path, place: Callable[[], Path | None] | None = None) -> Iterator[Path]:
    """Yield a path to write to; rename it to ``path`` when the block ends well.

    What a killed run left beside ``path`` is taken away first; what a living one writes stays.

    Parameters
    ----------
    path
        Of the whole file.
    place
        Asked when the block has ended well: where the file goes instead, in the same folder; ``None`` drops
        it.

    Raises
    ------
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    beside: Path | None = None
    held: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        beside, held = _make_own(path, _make_file)
        yield beside
        beside.chmod(0o666 & ~_umask())  # mkstemp gives 0600; a result is as readable as any file
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        target = path if place is None else place()
        if target is not None:
            beside.replace(target)
    except OSError as error:
        raise OutputError(explain_refusal(path, error)) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def write_text(path: Path, text: str) -> None:
    r"""Write ``text`` as UTF-8, whole or not at all; halves of characters as ``\udcXX``."""
    with write_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", errors=ODD_BYTES)


@contextmanager
def create_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to fill; rename it to ``path`` when the block ends well.

    What a killed run left beside ``path`` is taken away first; what a living one fills stays.

    Raises
    ------
    UsageError
        If ``path`` exists and is not an empty folder.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    beside: Path | None = None
    held: int | None = None
    try:
        if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"{path} exists already; name another folder or remove it first.")
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        beside, held = _make_own(path, _make_folder)
        beside.chmod(0o777 & ~_umask())
        yield beside
        beside.replace(path)  # POSIX renames a folder over an empty one
    except OSError as error:
        raise OutputError(explain_refusal(path, error)) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
        if held is not None:
            os.close(held)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yield a folder beside ``path`` that nobody else may enter, and take it away with all that lies in it.

    What a killed process left there is taken away first; what a living one uses stays.

    Raises
    ------
    OutputError
        If the system cannot write.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        beside, held = _make_own(path, _make_folder)
    except OSError as error:
        raise OutputError(explain_refusal(path, error)) from error
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if held is not None:
            os.close(held)


def explain_refusal(path: Path, error: OSError) -> str:
    """Return in one sentence why the system does not write ``path``, and what to do."""
    if error.errno in _NO_PERMISSION:
        remedy = f"You have no permission to write in {path.parent}: name another output, or ask who owns it."
    elif error.errno in _NO_SPACE:
        remedy = "Free some space or name another output, then run the command again."
    else:
        remedy = "Name another output, then run the command again."
    return f"cannot write {path}: {error.strerror or error}. {remedy}"


def _prefix(path: Path) -> str:
    name = os.fsencode(path.name)
    if len(name) > MAX_NAME_BYTES:
        return f".{hashlib.sha256(name).hexdigest()}."
    return f".{path.name}."


def _make_own(path: Path, make: Callable[[Path], tuple[Path, int | None]]) -> tuple[Path, int | None]:
    """Make what is to become ``path``, and lock it for as long as this process lives.

    Whoever makes the name owns it: two runs that write one file cannot meet half-way. The lock says that its
    run is alive; another run that looked before it was there may have cleared it, and then it is made again.
    """
    while True:
        beside, handle = make(path)
        if handle is None:
            return beside, None
        with suppress(OSError):  # a network drive without locks: what is left there stays
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.path.lexists(beside):
            return beside, handle
        os.close(handle)


def _make_file(path: Path) -> tuple[Path, int | None]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=SUFFIX)
    if not HAS_LOCKS:
        os.close(handle)
        return Path(name), None
    return Path(name), handle


def _make_folder(path: Path) -> tuple[Path, int | None]:
    beside = tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=SUFFIX)
    return Path(beside), os.open(beside, os.O_RDONLY) if HAS_LOCKS else None


def _clear(path: Path) -> None:
    """Take away what killed runs left beside ``path``; what cannot be listed or locked stays."""
    if not HAS_LOCKS:
        return
    prefix = _prefix(path)
    with suppress(OSError):
        for name in os.listdir(path.parent):  # noqa: PTH208 - names, not paths
            middle = name[len(prefix) : -len(SUFFIX)]
            if name.startswith(prefix) and name.endswith(SUFFIX) and _RANDOM.fullmatch(middle):
                _clear_one(path.parent / name)


def _clear_one(beside: Path) -> None:
    with suppress(OSError):  # another run was quicker, or a living one holds it
        handle = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if beside.is_dir():
                shutil.rmtree(beside, ignore_errors=True)
            else:
                beside.unlink(missing_ok=True)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def hash_file(path: Path) -> str:
    """Return a file's SHA-256, empty where it cannot be read: reading it will say why."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""

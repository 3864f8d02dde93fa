"""Write beside, then rename: a reader sees the old file or the new one, never half of one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gadoscope.errors import OutputError, UsageError


@contextmanager
def write_beside(path: Path) -> Iterator[Path]:
    """Yield a path to write to; rename it to ``path`` when the block ends well.

    Raises
    ------
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever makes the name owns it: two runs that write one file cannot meet half-way.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
        os.close(handle)
        beside = Path(name)
        yield beside
        beside.chmod(0o666 & ~_umask())  # mkstemp gives 0600; a result is as readable as any file
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(_explain(path, error)) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with write_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def create_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to fill; rename it to ``path`` when the block ends well.

    Raises
    ------
    UsageError
        If ``path`` exists and is not an empty folder.
    OutputError
        If the system cannot write; nothing half-written stays behind.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"{path} exists already; name another folder or remove it first.")
    beside: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=".", suffix=".partial"))
        beside.chmod(0o777 & ~_umask())
        yield beside
        beside.replace(path)  # POSIX renames a folder over an empty one
    except OSError as error:
        raise OutputError(_explain(path, error)) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _explain(path: Path, error: OSError) -> str:
    return (
        f"cannot write {path}: {error.strerror or error}. "
        "Free some space or name another output, then run the command again."
    )

"""What an upload holds, unpacked, is counted before anything of it is answered: a bomb gets a 4xx."""

import zipfile
from pathlib import Path

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.archives.unpack import begin_unpacking, iter_unpacked
from gadoscope.reading.archives.zip_limits import check_contents
from gadoscope.reading.formats import GZIP, Kind
from gadoscope.web.problems import Problem, too_many
from gadoscope.web.settings import Limits
from gadoscope.web.uploads import Upload

_MOST_SHRUNK = 1032
"""How far DEFLATE shrinks anything, at most (zlib's Technical Details)."""


def check_unpacked(uploads: list[Upload], limits: Limits) -> None:
    """Raise a Problem if uploads hold more files or bytes than one request may; tars are not taken at all.

    What is damaged, or odd in a way of its own, is left to whoever answers it: that becomes a row.
    """
    n_files = n_bytes = 0
    for one in uploads:
        if one.kind is Kind.TAR:
            raise Problem(415, "unsupported-archive", "tars are read from disk alone; send a zip.")
        files, unpacked = _count(one, limits.unpacked_bytes - n_bytes)
        n_files, n_bytes = n_files + files, n_bytes + unpacked
        if n_files > limits.files:
            raise too_many(limits.files)
        if n_bytes > limits.unpacked_bytes:
            raise _too_large(limits)


def _count(one: Upload, left: int) -> tuple[int, int]:
    """Return how many files an upload holds, and bytes; of more than are left no matter how many more."""
    try:
        if one.kind is Kind.ZIP:
            return _count_zip(one.path)
        with one.path.open("rb") as file:
            is_packed = file.read(len(GZIP)) == GZIP
        if not is_packed or one.n_bytes * _MOST_SHRUNK <= left:
            return 1, one.n_bytes
        return 1, _count_gzip(one.path, left)
    except RefusedError as error:
        raise Problem(413, error.reason.replace("_", "-"), error.sentence) from None
    except InputError:
        return 1, one.n_bytes


def _count_zip(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        check_contents(file)
        try:
            members = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return 1, path.stat().st_size
    return len(members), sum(one.file_size for one in members)


def _count_gzip(path: Path, left: int) -> int:
    n_bytes = 0
    with path.open("rb") as file:
        stream = begin_unpacking(file)
        if stream is None:
            return path.stat().st_size
        for chunk in iter_unpacked(stream, path.stat().st_size, left):
            n_bytes += len(chunk)
    return n_bytes


def _too_large(limits: Limits) -> Problem:
    return Problem(
        413,
        "unpacked-too-large",
        f"unpacked, this is more than {limits.unpacked_bytes:,} bytes; send a series, or a study, at a time.",
    )

"""An upload becomes files in a private folder, as it comes; no name that it brings becomes a path.

Files lie there under numbers. What somebody called them is kept as a text: it stands in the answer, and may
say something of contrast, as everywhere.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from gadoscope.reading.archives.held import Held
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found, iter_inputs
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.given import Input
from gadoscope.text import printable
from gadoscope.web.problems import Problem, too_many

MULTIPART = b"multipart/form-data"
FIELD = "files"
MAX_NAME = 255
"""Characters of a name, as of most file systems."""
_NAMELESS = "upload"


@dataclass(frozen=True)
class Upload:
    """One file.

    Parameters
    ----------
    name
        What its sender calls it, without folders; no two of one request share one.
    path
        Where it lies.
    kind
        What its first bytes say.
    """

    name: str
    path: Path
    kind: Kind

    @property
    def n_bytes(self) -> int:
        """Return its length."""
        return self.path.stat().st_size


class _SpooledFile(Held):
    """The file as one that has no place, only a name and a content: nothing is looked for beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(b"")
        self._path = path

    def open(self) -> BufferedReader:
        """Open it for reading."""
        return self._path.open("rb")

    def __reduce__(self) -> tuple[type["_SpooledFile"], tuple[Path]]:  # type: ignore[override]
        return type(self), (self._path,)


def iter_uploaded(uploads: list[Upload]) -> Iterator[Input]:
    """Yield the inputs that uploads are; what lies in a zip is found when it is answered."""
    for one in uploads:
        if one.kind is Kind.ZIP:
            yield from iter_inputs([one.path])
        else:
            held = _SpooledFile(one.path)
            yield Found(Source(Path(one.name), held=held), is_named=True, stays=True)


async def receive_uploads(request: Request, folder: Path, most: int) -> list[Upload]:
    """Return the files of a multipart body once they lie in ``folder``.

    Raises
    ------
    Problem
        If the body is no multipart one, is cut off, holds anything else, or more than ``most`` files.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != MULTIPART or not boundary:
        raise Problem(
            415,
            "no-multipart",
            f"send files as multipart/form-data, each in a field {FIELD!r}; or a path as JSON.",
        )
    receiver = _Receiver(folder, most)
    try:
        parser = MultipartParser(boundary, receiver.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except Problem as problem:
        # Else the server would read the rest, to find the next request behind it.
        raise Problem(
            problem.status_code, problem.kind, problem.detail, headers={"Connection": "close"}
        ) from None
    except MultipartParseError:
        raise _damaged() from None
    except ClientDisconnect:
        raise Problem(400, "cut-off", "the connection ended before the body did.") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Problem(507, "no-space", "there is no space left for uploads; send less, or later.") from None
    finally:
        receiver.close()
    if not receiver.is_whole:
        raise _damaged()
    if not receiver.files:
        raise Problem(422, "no-file", f"the body holds no file; send at least one in a field {FIELD!r}.")
    return [_look_at(name, path) for name, path in receiver.files]


class _Receiver:
    """What the parser tells of: the parts of a body, one after the other."""

    def __init__(self, folder: Path, most: int) -> None:
        self.files: list[tuple[str, Path]] = []
        self.is_whole = False
        self._folder, self._most = folder, most
        self._names: set[str] = set()
        self._file: BinaryIO | None = None
        self._header = self._value = b""
        self._disposition = b""

    def callbacks(self) -> dict[str, object]:
        """Return what is called when."""
        return {
            name: getattr(self, f"_{name}")
            for name in (
                "on_part_begin",
                "on_header_field",
                "on_header_value",
                "on_header_end",
                "on_headers_finished",
                "on_part_data",
                "on_part_end",
                "on_end",
            )
        }

    def close(self) -> None:
        """Close the file that was being written when the body ended too early."""
        if self._file is not None:
            self._file.close()

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        field = options.get(b"name", b"").decode(errors="replace")
        if field != FIELD or b"filename" not in options:
            raise Problem(
                422,
                "unknown-field",
                f"each part of the body is a file in a field {FIELD!r}; this one is none.",
            )
        if len(self.files) == self._most:
            raise too_many(self._most)
        path = self._folder / str(len(self.files))
        self.files.append((self._name(options[b"filename"]), path))
        self._file = path.open("wb")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None  # noqa: S101 — opened when its headers ended
        self._file.write(memoryview(data)[start:end])

    def _on_part_end(self) -> None:
        self.close()
        self._file = None

    def _on_end(self) -> None:
        self.is_whole = True

    def _name(self, given: bytes) -> str:
        """Return the last part of a name, as one can see it; another one where two are the same."""
        last = given.decode(errors="replace").replace("\\", "/").rstrip("/").rpartition("/")[2]
        name = printable(last)[-MAX_NAME:].strip()
        if name in ("", ".", ".."):
            name = _NAMELESS
        if name in self._names:
            name = f"{name} ({len(self.files) + 1})"
        self._names.add(name)
        return name


def _look_at(name: str, path: Path) -> Upload:
    with path.open("rb") as file:
        return Upload(name, path, find_kind(file.read(PREFIX_BYTES)))


def _damaged() -> Problem:
    return Problem(400, "damaged-body", "the body is no whole multipart one; send it again.")

"""A process that decodes pictures for its parent, and may die of them.

    python -m gadoscope.reading.decoding.decoder_process

Reads requests from standard input and answers on standard output until its parent closes them, or is gone.
What it may take of the processor for one picture, and of memory, the system limits: a decoder that hangs, or
that a forged stream makes greedy, ends alone, even where the parent has been killed meanwhile.

A request is about a compressed frame of DICOM (JSON: transfer syntax, rows, columns, bits allocated; answered
with NumPy's name of the values' type and their precision), or about an image file (nothing; rows, columns and
warnings). The frame or the file follows; the values do so in the answer.
"""

import io
import json
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gadoscope.errors import InputError, RefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

REQUEST = struct.Struct("<cIQ")
"""`FRAME` or `SLICE`; bytes of JSON and of the picture that follow."""
FRAME, SLICE = b"d", b"s"
RESPONSE = struct.Struct("<cIQ")
"""`VALUES`, `FAILED` or `REFUSED`; bytes of JSON, with reason and sentence of an error, and of values."""
VALUES, FAILED, REFUSED = b"v", b"f", b"r"
DECODING_SECONDS = 6
"""Of the processor, for one picture: the largest that is read takes two."""
MORE_MEMORY_BYTES = 2**30
"""Beyond what the libraries map: the largest picture takes 200 MB."""


def main() -> None:
    """Answer requests until there are none."""
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    _limit_memory()
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        _limit_time()
        _answer(head, requests, responses)


def _answer(head: bytes, requests: BinaryIO, responses: BinaryIO) -> None:
    kind, n_about, n_bytes = REQUEST.unpack(head)
    about, data = json.loads(requests.read(n_about)), requests.read(n_bytes)
    try:
        said, values = _decode_slice(data) if kind == SLICE else _decode_frame(data, about)
    except InputError as error:
        failed = REFUSED if isinstance(error, RefusedError) else FAILED
        text = json.dumps([error.reason, error.sentence]).encode()
        responses.write(RESPONSE.pack(failed, len(text), 0) + text)
    else:
        text = json.dumps(said).encode()
        responses.write(RESPONSE.pack(VALUES, len(text), values.nbytes) + text)
        responses.write(values.data.cast("B"))
    responses.flush()


def _decode_frame(stream: bytes, about: list[Any]) -> "tuple[list[Any], NDArray[Any]]":
    import numpy as np  # noqa: PLC0415 — only what a request needs

    from gadoscope.reading.dicom.codecs import decode_stream  # noqa: PLC0415 — as above

    values, bits = decode_stream(stream, *about)
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return [f"{values.dtype.kind}{values.dtype.itemsize}", bits], values


def _decode_slice(data: bytes) -> "tuple[list[Any], NDArray[Any]]":
    import numpy as np  # noqa: PLC0415 — as above

    from gadoscope.reading.images import decode_slice  # noqa: PLC0415 — as above

    image = decode_slice(io.BytesIO(data))
    return [*image.pixels.shape, image.warnings], np.ascontiguousarray(image.pixels)


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415 — not everywhere

        n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = n_pages * resource.getpagesize() + MORE_MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # this system has no such limits


def _limit_time() -> None:
    try:
        import resource  # noqa: PLC0415 — not everywhere

        limit = int(time.process_time()) + 1 + DECODING_SECONDS
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, most))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)  # its parent is gone

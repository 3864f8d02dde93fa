"""A process that decodes compressed frames for its parent, and may die of them.

    python -m gadoscope.reading.dicom.decoder_process

Reads requests from standard input and answers on standard output until its parent closes them, or is gone.
What it may take of the processor for one frame, and of memory, the system limits: a decoder that hangs, or
that a forged stream makes greedy, ends alone, even where the parent has been killed meanwhile.
"""

import json
import struct
import sys
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.dicom.codecs import decode_stream

REQUEST = struct.Struct("<64sIIHQ")
"""Transfer syntax, rows, columns, bits allocated, bytes of the stream that follows."""
RESPONSE = struct.Struct("<c2sHQ")
"""`VALUES`, `FAILED` or `REFUSED`; NumPy's name of the values' type; their precision; bytes that follow."""
VALUES, FAILED, REFUSED = b"v", b"f", b"r"
DECODING_SECONDS = 6
"""Of the processor, for one frame: the largest that is read takes two."""
MORE_MEMORY_BYTES = 2**30
"""Beyond what the libraries map: the largest frame takes 200 MB."""


def main() -> None:
    """Answer requests until there are none."""
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    _limit_memory()
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        _limit_time()
        _answer(head, requests, responses)


def _answer(head: bytes, requests: BinaryIO, responses: BinaryIO) -> None:
    syntax, rows, columns, bits_allocated, n_bytes = REQUEST.unpack(head)
    stream = requests.read(n_bytes)
    try:
        values, bits = decode_stream(stream, syntax.rstrip(b"\0").decode(), rows, columns, bits_allocated)
    except InputError as error:
        kind = REFUSED if isinstance(error, RefusedError) else FAILED
        said = json.dumps([error.reason, error.sentence]).encode()
        responses.write(RESPONSE.pack(kind, b"", 0, len(said)) + said)
    else:
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
        name = f"{values.dtype.kind}{values.dtype.itemsize}".encode()
        responses.write(RESPONSE.pack(VALUES, name, bits, values.nbytes))
        responses.write(values.data.cast("B"))
    responses.flush()


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

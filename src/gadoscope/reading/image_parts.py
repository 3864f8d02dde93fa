"""How many parts a picture file has, counted before Pillow takes a microsecond and memory for each.

References
----------
PNG (ISO/IEC 15948) 5.3, chunks; JPEG (ITU-T T.81) B.1, marker segments
"""

import struct
from typing import BinaryIO

from gadoscope.errors import RefusedError

MAX_PARTS = 20_000
"""The largest PNG that is read has 4,096 rows, and some programs write each as a chunk of its own."""
MAX_GIF_BYTES = 2**24
"""Twice the largest picture, a byte a pixel: GIF's blocks are too small to be counted."""
_PNG_SIGNATURE_BYTES, _CHUNK = 8, struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
_SCAN, _FILL = 0xDA, 0xFF
_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xDA)))
"""Markers that stand alone: TEM, RST, SOI, EOI."""


def check_parts(file: BinaryIO, name: str, n_bytes: int) -> None:
    """Refuse a PNG, JPEG or GIF of more parts than pictures have; ``name`` is the format's.

    Raises
    ------
    RefusedError
        ``too_large``.
    """
    if name == "PNG":
        _check_chunks(file, n_bytes)
    elif name == "JPEG":
        _check_segments(file)
    elif name == "GIF" and n_bytes > MAX_GIF_BYTES:
        raise RefusedError("too_large", f"{n_bytes} bytes is no slice as GIF; export the slice as PNG.")


def _check_chunks(file: BinaryIO, n_bytes: int) -> None:
    at = _PNG_SIGNATURE_BYTES
    for _ in range(MAX_PARTS):
        file.seek(at)
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            return
        length, kind = _CHUNK.unpack(head)
        at += _CHUNK.size + length + _CHECKSUM_BYTES
        if kind == b"IEND" or at > n_bytes:
            return
    raise _too_many()


def _check_segments(file: BinaryIO) -> None:
    """Go through the segments before the scan; what follows it only the decoder reads."""
    file.seek(2)
    for _ in range(MAX_PARTS):
        head = file.read(2)
        if len(head) < 2 or head[1] == _SCAN:  # noqa: PLR2004 — a marker has two bytes
            return
        if head[0] != _FILL or head[1] == _FILL:
            file.seek(-1, 1)  # fill bytes, or garbage that Pillow steps over byte by byte
            continue
        if head[1] in _NO_LENGTH:
            continue
        length = int.from_bytes(file.read(2), "big")
        file.seek(max(0, length - 2), 1)
    raise _too_many()


def _too_many() -> RefusedError:
    return RefusedError(
        "too_large", f"the picture consists of more than {MAX_PARTS} parts; no slice does: export it again."
    )

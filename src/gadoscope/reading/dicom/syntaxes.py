"""How a data set is written: transfer syntaxes, and what tells them where they are not said.

References
----------
DICOM PS3.5 A (transfer syntaxes), A.5 (deflated); PS3.6 table A-1 (their UIDs); PS3.10 7.1 (preamble)
"""

import zlib
from typing import BinaryIO

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE_SYNTAXES = {
    IMPLICIT: "Implicit VR Little Endian",
    EXPLICIT: "Explicit VR Little Endian",
    DEFLATED: "Deflated Explicit VR Little Endian",
    BIG_ENDIAN: "Explicit VR Big Endian",
}
RLE = "1.2.840.10008.1.2.5"
JPEG_SYNTAXES = {
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless SV1",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
}
JPEG_2000_SYNTAXES = {
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.4.201": "HTJ2K Lossless",
    "1.2.840.10008.1.2.4.202": "HTJ2K Lossless RPCL",
    "1.2.840.10008.1.2.4.203": "HTJ2K",
}
COMPRESSED_SYNTAXES = {RLE: "RLE Lossless", **JPEG_SYNTAXES, **JPEG_2000_SYNTAXES}
"""Name of every compressed transfer syntax that is decoded, by UID."""
LOSSY_SYNTAXES = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91, 203)}
"""Those whose values may come back a little beyond the range that they had."""
DEFLATED_CHUNK_BYTES = 256 * 1024
"""Read at a time where the data set is deflated."""
_PREAMBLE_BYTES, _MAGIC = 128, b"DICM"
META_AT = _PREAMBLE_BYTES + len(_MAGIC)
"""Where the file meta information begins behind the preamble."""
META_GROUP = 0x0002
_DEFLATED = b"\x02\x00\x10\x00UI\x16\x00" + DEFLATED.encode()


def has_preamble(prefix: bytes) -> bool:
    """Return whether a file begins as DICOM files do."""
    return prefix.startswith(_MAGIC, _PREAMBLE_BYTES)


def is_deflated(prefix: bytes) -> bool:
    """Return whether the data set is deflated (PS3.5 A.5)."""
    return has_preamble(prefix) and _DEFLATED in prefix


def guess_implicit(data: bytes) -> bool:
    """Return whether a data set is written without value representations, by its first element."""
    return not (data[4:6].isalpha() and data[4:6].isupper())


def inflate(file: BinaryIO, begin: int, n_bytes: int) -> bytes:
    """Return the first bytes of a deflated data set.

    No more is inflated than is asked for: a few kilobytes can inflate to gigabytes of pixels.

    Parameters
    ----------
    begin
        Where the data set begins in the file.

    Raises
    ------
    zlib.error
        If it cannot be inflated.
    """
    file.seek(begin)
    stream, parts = zlib.decompressobj(-zlib.MAX_WBITS), []
    while n_bytes > 0 and (deflated := stream.unconsumed_tail or file.read(DEFLATED_CHUNK_BYTES)):
        parts.append(stream.decompress(deflated, n_bytes))
        n_bytes -= len(parts[-1])
        if stream.eof:
            break
    return b"".join(parts)

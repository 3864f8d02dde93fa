"""What a compressed stream says of itself, read before any decoder sees it.

A decoder takes what memory and time the stream's header asks for. So what could ask for too much is read
here: the size of the image, and in JPEG 2000 also tiles, layers, precincts and code blocks (4 kB with
precincts of 2 x 2 pixels took a decoder 4 GB).

References
----------
ITU-T T.81 B.1, B.2 (JPEG), T.87 C.1 (JPEG-LS), T.800 A.3 to A.6 and I (JPEG 2000, JP2)
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MARKER, _SOI, _EOI = 0xFF, 0xD8, 0xD9
END_OF_IMAGE = bytes((_MARKER, _EOI))
"""Ends JPEG, JPEG-LS and JPEG 2000 streams; none of them lets these two bytes stand inside its data."""
_SOF_OF_DICOM = {0xC0, 0xC1, 0xC3}  # sequential and lossless, with Huffman codes; progressive is retired
_SOF_OTHER = {0xC2, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_SOF_JPEG_LS = 0xF7
_STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and RSTn have no length
_SOC_SIZ = b"\xff\x4f\xff\x51"
_COD, _COC, _SOT, _SOD = 0x52, 0x53, 0x90, 0x93
_COD_BYTES = 10  # Scod, SGcod (4), SPcod (5), then the precincts
_COC_BYTES = 7  # component, Scoc, SPcoc (5), then the precincts
_SIZ = struct.Struct(">4xHHIIIIIIIIHBBB")
_SOT_SEGMENT = struct.Struct(">HHIBB")
_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"

# Far beyond what encoders of DICOM write: one tile, up to 20 layers, precincts from 128 pixels, code blocks
# of 32 or 64 pixels.
MAX_TILES = 1024
MAX_LAYERS = 64
SMALLEST_PRECINCT_EXPONENT = 4
SMALLEST_BLOCK_EXPONENTS = 6
"""Sum of both exponents of a code block: 8 x 8 pixels, or as many in another shape."""


@dataclass(frozen=True)
class StreamHeader:
    """What a compressed stream says of itself.

    Attributes
    ----------
    rows, columns, components
        Its size.
    bits
        Of each value.
    is_signed
        Only JPEG 2000 can say so.
    kind
        ``jpeg``, ``jpeg_ls`` or ``jpeg_2000``.
    """

    rows: int
    columns: int
    components: int
    bits: int
    is_signed: bool
    kind: str


def read_stream_header(stream: bytes) -> StreamHeader | None:
    """Return what a JPEG, JPEG-LS or JPEG 2000 stream says of itself.

    Returns
    -------
    StreamHeader or None
        ``None`` if it is no such stream, or one that no encoder of DICOM writes.
    """
    if stream.startswith(_SOC_SIZ):
        return _read_siz(stream) if _is_coded_as_usual(stream) else None
    if stream[:2] == bytes((_MARKER, _SOI)):
        return _read_sof(stream)
    return None


def _read_sof(stream: bytes) -> StreamHeader | None:
    at = 2
    while at + 10 <= len(stream) and stream[at] == _MARKER:
        marker = stream[at + 1]
        if marker == _MARKER:  # fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _SOF_OF_DICOM or marker == _SOF_JPEG_LS:
            bits, rows, columns, components = struct.unpack_from(">BHHB", stream, at + 4)
            kind = "jpeg_ls" if marker == _SOF_JPEG_LS else "jpeg"
            return StreamHeader(rows, columns, components, bits, False, kind)
        elif marker in _SOF_OTHER or marker == _EOI:
            return None
        else:
            at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    return None


def _read_siz(stream: bytes) -> StreamHeader | None:
    if len(stream) < _SIZ.size:
        return None
    siz = _SIZ.unpack_from(stream)
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = siz[2:10]
    components, depth, step_x, step_y = siz[10:]
    if not (tile_width and tile_height and right > left and bottom > top):
        return None
    n_tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if n_tiles > MAX_TILES or (components == 1 and (step_x, step_y) != (1, 1)):
        return None
    bits, is_signed = (depth & 0x7F) + 1, bool(depth & 0x80)
    return StreamHeader(bottom - top, right - left, components, bits, is_signed, "jpeg_2000")


def _is_coded_as_usual(stream: bytes) -> bool:
    """Return whether layers, precincts and code blocks are such as encoders write."""
    for marker, segment in _iter_segments(stream):
        if marker == _COD and len(segment) >= _COD_BYTES:
            n_layers = struct.unpack_from(">H", segment, 2)[0]
            if n_layers > MAX_LAYERS or not _is_style_usual(segment[0], segment[5:]):
                return False
        is_coc = marker == _COC and len(segment) >= _COC_BYTES
        if is_coc and not _is_style_usual(segment[1], segment[2:]):
            return False
    return True


def _is_style_usual(style: int, parameters: bytes) -> bool:
    """Judge SPcod or SPcoc: levels, code block width and height, their style, transformation, precincts."""
    _levels, width, height = parameters[:3]
    if (width & 0x0F) + 2 + (height & 0x0F) + 2 < SMALLEST_BLOCK_EXPONENTS:
        return False
    has_precincts = style & 1
    sizes = parameters[5:] if has_precincts else b""
    return all(min(size & 0x0F, size >> 4) >= SMALLEST_PRECINCT_EXPONENT for size in sizes)


def _iter_segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of the segments in the main header and the headers of the tile parts."""
    at, next_tile_part = 2, 0
    while at + 4 <= len(stream) and stream[at] == _MARKER:
        marker = stream[at + 1]
        if marker == _SOD:
            if next_tile_part <= at:
                return
            at = next_tile_part
            continue
        length = struct.unpack_from(">H", stream, at + 2)[0]
        if marker == _SOT and at + 2 + _SOT_SEGMENT.size <= len(stream):
            n_bytes = _SOT_SEGMENT.unpack_from(stream, at + 2)[2]
            next_tile_part = at + n_bytes if n_bytes else 0  # 0: up to the end of the stream
        yield marker, stream[at + 4 : at + 2 + length]
        at += 2 + length


def unbox_jp2(stream: bytes) -> bytes:
    """Return the codestream inside a JP2 file; DICOM wants it bare, but some encoders box it."""
    if not stream.startswith(_JP2_SIGNATURE):
        return stream
    at = 0
    while at + 8 <= len(stream):
        length, name = struct.unpack_from(">I4s", stream, at)
        head = 8
        if length == 1 and at + 16 <= len(stream):
            length, head = struct.unpack_from(">Q", stream, at + 8)[0], 16
        if name == b"jp2c":
            return stream[at + head :]
        if length < head:
            break
        at += length
    return b""

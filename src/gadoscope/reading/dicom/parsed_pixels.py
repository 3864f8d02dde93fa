"""The header that decoding frames needs, parsed by pydicom: of what `plain_header` finds odd."""

from functools import partial
from io import BytesIO
from typing import BinaryIO

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.data_set import read_header, read_meta, take_apart
from gadoscope.reading.dicom.element_walk import damaged
from gadoscope.reading.dicom.elements import UID
from gadoscope.reading.dicom.frame_scales import find_scales
from gadoscope.reading.dicom.long_header import ParsedHeader
from gadoscope.reading.dicom.objects import elements_in
from gadoscope.reading.dicom.pixel_header import ALL_TAGS, PixelHeader, PixelPlace, interpret, read_data_set
from gadoscope.reading.dicom.syntaxes import (
    BIG_ENDIAN,
    COMPRESSED_SYNTAXES,
    EXPLICIT,
    IMPLICIT,
    NATIVE_SYNTAXES,
    guess_implicit,
)

FIRST_BYTES = 64 * 1024
"""Read at first; the header of a classic instance is shorter."""
LONGEST_TABLE_BYTES = 1024 * 1024
"""Of an Extended Offset Table, eight bytes a frame; longer values are private."""

_FIRST_PIXEL_TAG, _LAST_PIXEL_TAG = tags.FLOAT_PIXEL_DATA, tags.PIXEL_DATA
_SCALE_MACROS = frozenset(
    (
        tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
        tags.FRAME_VOILUT_SEQUENCE,
    )
)


def parse_pixel_header(file: BinaryIO) -> PixelHeader:
    """Do what `read_pixel_header` does, whatever the file holds."""
    file.seek(0)
    syntax, begin = _read_transfer_syntax(file.read(FIRST_BYTES))
    _, parsed = read_header(
        partial(read_data_set, file, syntax, begin),
        FIRST_BYTES,
        parse_plain=partial(_parse_plain, syntax),
        parse_long=partial(_parse_long, syntax),
        explain=damaged,
    )
    if not parsed.has_pixels:
        raise _no_pixels()
    place = PixelPlace(syntax, begin, parsed.pixel_tag, parsed.pixels_at, parsed.n_pixel_bytes)
    return interpret(elements_in(parsed.dataset), place, partial(find_scales, parsed.dataset))


def _read_transfer_syntax(prefix: bytes) -> tuple[str, int]:
    """Return the UID of the transfer syntax, and where the data set begins."""
    try:
        meta, begin = read_meta(prefix)
    except Exception as error:  # as in `data_set`: whatever a damaged header makes pydicom trip over
        raise damaged() from error
    syntax = meta.find_text(tags.TRANSFER_SYNTAX_UID) or _guess_syntax(prefix[begin:])
    if syntax not in NATIVE_SYNTAXES and syntax not in COMPRESSED_SYNTAXES:
        named = f" ({syntax})" if UID.fullmatch(syntax) else ""
        raise RefusedError(
            "unsupported_transfer_syntax",
            f"its pixels are written in a transfer syntax that is not read{named}; convert the file to "
            "Explicit VR Little Endian.",
        )
    return syntax, begin


def _guess_syntax(data: bytes) -> str:
    """Return what a file without a transfer syntax is written in: VR or no VR after the first tag."""
    return IMPLICIT if guess_implicit(data) else EXPLICIT


def _parse_plain(syntax: str, data: bytes) -> ParsedHeader:
    """Parse a short header by pydicom."""
    buffer = BytesIO(data)
    found: list[tuple[int, int, int]] = []

    def is_pixels(tag: BaseTag, _representation: str | None, length: int) -> bool:
        if tag < _FIRST_PIXEL_TAG:
            return False
        found.append((int(tag), buffer.tell(), length))
        return True

    dataset = read_dataset(
        buffer,
        is_implicit_VR=syntax == IMPLICIT,
        is_little_endian=syntax != BIG_ENDIAN,
        stop_when=is_pixels,
        specific_tags=list(ALL_TAGS),
        defer_size=LONGEST_TABLE_BYTES,
    )
    if not found:
        return ParsedHeader(dataset, end=0, has_pixels=False)  # taking it apart would find none either
    pixel_tag, pixels_at, n_pixel_bytes = found[0]
    if pixel_tag > _LAST_PIXEL_TAG or pixels_at > len(data):
        raise _no_pixels()
    return ParsedHeader(dataset, pixels_at, True, pixel_tag, pixels_at, n_pixel_bytes)


def _parse_long(syntax: str, data: bytes, is_whole: bool) -> ParsedHeader | None:
    """Parse a header that is long."""
    return take_apart(data, 0, syntax, longest=LONGEST_TABLE_BYTES, macros=_SCALE_MACROS, is_whole=is_whole)


def _no_pixels() -> ReadError:
    return ReadError("no_pixels", "the file has a header, but no pixel data; copy it again from its source.")

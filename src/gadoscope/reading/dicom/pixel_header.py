"""What decoding the frames of a DICOM instance needs to know, read once and kept while they are decoded.

References
----------
DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.6.16 (functional groups); PS3.5 8 (pixel data), A (transfer syntaxes)
"""

import zlib
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import BinaryIO

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.codecs import COMPRESSED_SYNTAXES
from gadoscope.reading.dicom.data_set import (
    BIG_ENDIAN,
    DEFLATED,
    guess_implicit,
    inflate,
    read_header,
    read_meta,
    take_apart,
)
from gadoscope.reading.dicom.element_walk import UNDEFINED_LENGTH, damaged
from gadoscope.reading.dicom.elements import UID, Elements
from gadoscope.reading.dicom.long_header import ParsedHeader
from gadoscope.reading.dicom.pixel_layout import FLOAT_BITS, find_layout, find_scales
from gadoscope.reading.dicom.values import Scale, StoredLayout
from gadoscope.reading.images import MAX_PIXELS

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
NATIVE_SYNTAXES = {
    IMPLICIT: "Implicit VR Little Endian",
    EXPLICIT: "Explicit VR Little Endian",
    DEFLATED: "Deflated Explicit VR Little Endian",
    BIG_ENDIAN: "Explicit VR Big Endian",
}
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
_TAGS = [
    tags.SAMPLES_PER_PIXEL,
    tags.PHOTOMETRIC_INTERPRETATION,
    tags.NUMBER_OF_FRAMES,
    tags.ROWS,
    tags.COLUMNS,
    tags.BITS_ALLOCATED,
    tags.BITS_STORED,
    tags.HIGH_BIT,
    tags.PIXEL_REPRESENTATION,
    tags.PIXEL_PADDING_VALUE,
    tags.PIXEL_PADDING_RANGE_LIMIT,
    tags.FLOAT_PIXEL_PADDING_VALUE,
    tags.DOUBLE_FLOAT_PIXEL_PADDING_VALUE,
    tags.WINDOW_CENTER,
    tags.WINDOW_WIDTH,
    tags.RESCALE_INTERCEPT,
    tags.RESCALE_SLOPE,
    tags.VOILUT_FUNCTION,
    tags.MODALITY_LUT_SEQUENCE,
    tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,
    tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags.EXTENDED_OFFSET_TABLE,
]


@dataclass(frozen=True, slots=True)
class PixelHeader:
    """All that decoding a frame needs; small, and threads may share it.

    Parameters
    ----------
    syntax
        UID of the transfer syntax.
    begin
        Where the data set begins in the file.
    rows, columns, n_frames
        Size of the pixel data.
    layout
        How stored values are written.
    is_float
        Float or Double Float Pixel Data.
    pixels_at, n_pixel_bytes
        Where the value of the pixel data begins, counted in the data set, and its length as stated.
    extended_offsets
        Value of the Extended Offset Table, empty where there is none.
    scales
        One, or one for each frame.
    warnings
        Repairs; one sentence each.
    """

    syntax: str
    begin: int
    rows: int
    columns: int
    n_frames: int
    layout: StoredLayout
    is_float: bool
    pixels_at: int
    n_pixel_bytes: int
    extended_offsets: bytes
    scales: tuple[Scale, ...]
    warnings: tuple[str, ...]

    @property
    def frame_bytes(self) -> int:
        """Return the bytes of one frame without compression."""
        return self.rows * self.columns * self.layout.bits_allocated // 8

    def scale_of(self, frame_index: int) -> Scale:
        """Return how the stored values of a frame become values."""
        return self.scales[frame_index] if len(self.scales) > 1 else self.scales[0]


def read_pixel_header(file: BinaryIO) -> PixelHeader:
    """Read what decoding needs.

    Parameters
    ----------
    file
        Seekable; read from its beginning.

    Raises
    ------
    ReadError
        ``damaged_header``; ``no_pixels``; ``missing_attribute``, where Rows or Columns are missing or 0.
    RefusedError
        ``unsupported_transfer_syntax``; ``colour``; ``unsupported_pixels``; ``too_large``.
    """
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
    return _interpret(parsed, syntax, begin)


def read_data_set(file: BinaryIO, syntax: str, begin: int, n_bytes: int) -> bytes:
    """Return the first bytes of the data set, inflated where it is deflated.

    Parameters
    ----------
    begin
        Where the data set begins in the file.

    Raises
    ------
    ReadError
        ``truncated``, if it cannot be inflated.
    """
    if syntax != DEFLATED:
        file.seek(begin)
        return file.read(n_bytes)
    try:
        return inflate(file, begin, n_bytes)
    except zlib.error as error:
        raise ReadError(
            "truncated", "its deflated content is damaged; copy the file again from its source."
        ) from error


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
        specific_tags=_TAGS,
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


def _interpret(parsed: ParsedHeader, syntax: str, begin: int) -> PixelHeader:
    elements = Elements(dict(parsed.dataset.items()))
    rows, columns = elements.find_integer(tags.ROWS), elements.find_integer(tags.COLUMNS)
    if not rows or not columns or rows < 0 or columns < 0:
        raise ReadError(
            "missing_attribute", "Rows or Columns is missing or 0; copy the file from its source."
        )
    if rows * columns > MAX_PIXELS:
        raise RefusedError(
            "too_large",
            f"{rows} x {columns} pixels is no slice; at most {MAX_PIXELS} pixels in all are read.",
        )
    if tags.MODALITY_LUT_SEQUENCE in elements:
        raise RefusedError(
            "unsupported_pixels", "its values are rescaled by a table (Modality LUT), which is not read."
        )
    warnings: list[str] = []
    layout = find_layout(elements, parsed.pixel_tag, syntax, warnings)
    n_frames = max(elements.find_integer(tags.NUMBER_OF_FRAMES) or 1, 1)
    n_needed = n_frames * rows * columns * layout.bits_allocated // 8
    if n_needed + 1 < parsed.n_pixel_bytes < UNDEFINED_LENGTH:  # one byte makes the length even
        warnings.append(
            "the pixel data are longer than the header says: what follows the last frame was left"
        )
    return PixelHeader(
        syntax=syntax,
        begin=begin,
        rows=rows,
        columns=columns,
        n_frames=n_frames,
        layout=layout,
        is_float=parsed.pixel_tag in FLOAT_BITS,
        pixels_at=parsed.pixels_at,
        n_pixel_bytes=parsed.n_pixel_bytes,
        extended_offsets=elements.find_bytes(tags.EXTENDED_OFFSET_TABLE),
        scales=find_scales(parsed.dataset, n_frames),
        warnings=tuple(warnings),
    )

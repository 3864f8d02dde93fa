"""What decoding the frames of a DICOM instance needs to know, read once and kept while they are decoded.

References
----------
DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.6.16 (functional groups); PS3.5 8 (pixel data), A (transfer syntaxes)
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.element_walk import UNDEFINED_LENGTH
from gadoscope.reading.dicom.elements import Elements
from gadoscope.reading.dicom.pixel_layout import FLOAT_BITS, find_layout
from gadoscope.reading.dicom.plain_header import Asked, read_plain_header
from gadoscope.reading.dicom.syntaxes import DEFLATED, inflate
from gadoscope.reading.dicom.values import Scale, StoredLayout, find_scale
from gadoscope.reading.images import MAX_PIXELS

_SEQUENCES = frozenset(
    (
        tags.MODALITY_LUT_SEQUENCE,
        tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    )
)
_WANTED = frozenset(
    (
        *(tags.SAMPLES_PER_PIXEL, tags.PHOTOMETRIC_INTERPRETATION, tags.NUMBER_OF_FRAMES, tags.ROWS),
        *(tags.COLUMNS, tags.BITS_ALLOCATED, tags.BITS_STORED, tags.HIGH_BIT, tags.PIXEL_REPRESENTATION),
        *(tags.PIXEL_PADDING_VALUE, tags.PIXEL_PADDING_RANGE_LIMIT, tags.FLOAT_PIXEL_PADDING_VALUE),
        *(tags.DOUBLE_FLOAT_PIXEL_PADDING_VALUE, tags.WINDOW_CENTER, tags.WINDOW_WIDTH),
        *(tags.RESCALE_INTERCEPT, tags.RESCALE_SLOPE, tags.VOILUT_FUNCTION, tags.EXTENDED_OFFSET_TABLE),
    )
)
_ASKED = Asked(wanted=_WANTED, sequences=_SEQUENCES)
ALL_TAGS = _WANTED | _SEQUENCES
"""Whatever is asked."""


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


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where pixel data lie.

    Parameters
    ----------
    syntax
        UID of the transfer syntax.
    begin
        Where the data set begins in the file.
    tag
        Of the pixel data.
    at, n_bytes
        Where their value begins, counted in the data set, and its length as stated.
    """

    syntax: str
    begin: int
    tag: int
    at: int
    n_bytes: int


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
    plain = read_plain_header(file, _ASKED)
    if plain is None or not plain.has_pixels:
        from gadoscope.reading.dicom.parsed_pixels import parse_pixel_header  # noqa: PLC0415 — needs pydicom

        return parse_pixel_header(file)
    place = PixelPlace(
        plain.syntax, plain.begin, plain.pixel_tag, plain.pixels_at - plain.begin, plain.n_pixel_bytes
    )
    elements = plain.elements
    return interpret(elements, place, lambda _n_frames: (find_scale(elements, elements, None),))


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


def interpret(
    elements: Elements, place: PixelPlace, find_scales: Callable[[int], tuple[Scale, ...]]
) -> PixelHeader:
    """Return what the elements of a header say of its pixels; errors as `read_pixel_header`.

    Parameters
    ----------
    find_scales
        Of so many frames; called last.
    """
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
    layout = find_layout(elements, place.tag, place.syntax, warnings)
    n_frames = max(elements.find_integer(tags.NUMBER_OF_FRAMES) or 1, 1)
    n_needed = n_frames * rows * columns * layout.bits_allocated // 8
    if n_needed + 1 < place.n_bytes < UNDEFINED_LENGTH:  # one byte makes the length even
        warnings.append(
            "the pixel data are longer than the header says: what follows the last frame was left"
        )
    return PixelHeader(
        syntax=place.syntax,
        begin=place.begin,
        rows=rows,
        columns=columns,
        n_frames=n_frames,
        layout=layout,
        is_float=place.tag in FLOAT_BITS,
        pixels_at=place.at,
        n_pixel_bytes=place.n_bytes,
        extended_offsets=elements.find_bytes(tags.EXTENDED_OFFSET_TABLE),
        scales=find_scales(n_frames),
        warnings=tuple(warnings),
    )

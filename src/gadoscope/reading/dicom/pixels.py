"""One frame of a DICOM instance becomes numbers that are larger where the image is brighter.

Only the frame that is asked for is read and decoded. Everything that could make a decoder take much memory is
checked against the header before: a 10,000 x 10,000 frame in a tiny file costs no more than its header.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ReadError
from gadoscope.reading.dicom.frames import read_frame_bytes
from gadoscope.reading.dicom.pixel_header import PixelHeader, read_pixel_header
from gadoscope.reading.dicom.syntaxes import BIG_ENDIAN, COMPRESSED_SYNTAXES, LOSSY_SYNTAXES
from gadoscope.reading.dicom.values import find_padding, grey_window, interpret_stored, scale_values
from gadoscope.reading.os_errors import explain_os_error

if TYPE_CHECKING:
    from gadoscope.reading.dicom.codecs import StoredFrame

__all__ = ["DecodedFrame", "PixelHeader", "decode_frame", "read_pixel_header"]


@dataclass(frozen=True, kw_only=True)
class DecodedFrame:
    """One frame, decoded and rescaled.

    Attributes
    ----------
    values
        Shape (row, column), float32, after the modality rescale; larger is brighter.
    window
        Values shown as black and as white; ``None`` where the header does not say.
    warnings
        Repairs; one sentence each, without values of this file.
    """

    values: NDArray[np.float32]
    window: tuple[float, float] | None
    warnings: tuple[str, ...]


def decode_frame(file: BinaryIO, frame_index: int = 0, header: PixelHeader | None = None) -> DecodedFrame:
    """Decode one frame.

    Parameters
    ----------
    file
        Seekable; a whole DICOM file.
    frame_index
        From 0.
    header
        What `read_pixel_header` returned for the same file: for a multi-frame object it saves parsing the
        functional groups of all its frames again.

    Raises
    ------
    ReadError
        ``damaged_header``, ``missing_attribute``, ``no_pixels``, ``missing_frame``, ``truncated``,
        ``wrong_size``, ``undecodable``, ``missing_codec``; or why the system cannot read the file.
    RefusedError
        ``unsupported_transfer_syntax``, ``unsupported_pixels``, ``colour``, ``too_large``.
    """
    try:
        if header is None:
            header = read_pixel_header(file)
        data = read_frame_bytes(file, header, frame_index)
    except OSError as error:
        raise explain_os_error(error) from error
    if header.is_float:
        return _finish_float(data, header, frame_index)
    stored, precision = _to_stored(data, header)
    layout, scale = header.layout, header.scale_of(frame_index)
    values, warnings = interpret_stored(stored, layout, precision, is_lossy=header.syntax in LOSSY_SYNTAXES)
    padding = find_padding(stored, values, layout)
    return DecodedFrame(
        values=scale_values(values, scale, padding, is_inverted=layout.is_inverted),
        window=grey_window(scale, layout),
        warnings=header.warnings + scale.warnings + warnings,
    )


def _to_stored(data: bytes, header: PixelHeader) -> "tuple[StoredFrame, int]":
    """Return the stored values, in this machine's byte order, and how many of their bits are known."""
    bits = header.layout.bits_allocated
    if header.syntax in COMPRESSED_SYNTAXES:
        from gadoscope.reading.decoding.pictures_apart import decode_frame_apart  # noqa: PLC0415 — few files need it

        return decode_frame_apart(data, header.syntax, header.rows, header.columns, bits)
    stored = np.frombuffer(data, np.dtype(f"{_byte_order(header)}u{bits // 8}"))
    in_order = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    return in_order.reshape(header.rows, header.columns), bits


def _byte_order(header: PixelHeader) -> str:
    return ">" if header.syntax == BIG_ENDIAN else "<"


def _finish_float(data: bytes, header: PixelHeader, frame_index: int) -> DecodedFrame:
    """Finish Float and Double Float Pixel Data, of which no bit is cut off."""
    if header.syntax in COMPRESSED_SYNTAXES:
        raise ReadError("undecodable", "floating-point pixels cannot be compressed; copy the file again.")
    stored = np.frombuffer(data, np.dtype(f"{_byte_order(header)}f{header.layout.bits_allocated // 8}"))
    stored = stored.astype(np.float64).reshape(header.rows, header.columns)
    layout, scale = header.layout, header.scale_of(frame_index)
    padding = (
        None if layout.padding is None else (stored >= layout.padding[0]) & (stored <= layout.padding[1])
    )
    with np.errstate(over="ignore", invalid="ignore"):  # values beyond 32-bit floats become infinite
        values = scale_values(stored, scale, padding, is_inverted=layout.is_inverted)
    return DecodedFrame(
        values=values, window=grey_window(scale, layout), warnings=header.warnings + scale.warnings
    )

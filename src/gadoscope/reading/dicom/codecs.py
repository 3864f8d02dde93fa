"""One compressed frame becomes integers: which library decodes which transfer syntax, and what guards it.

Decoders are C libraries, which a damaged stream may crash and a forged one may exhaust. So `streams`
reads the stream's own header first, and a stream that is not as large as its instance never reaches a
decoder; and each syntax has one decoder, chosen because tens of thousands of mutated streams did not crash
it (docs/decisions/0009-codecs.md). They are called directly, not through pydicom's plugins: one decoder on
every machine, only the library that is needed gets imported, and a frame costs less. All of them release
the interpreter's lock and keep no state, so threads may decode at once.

References
----------
DICOM PS3.5 A.4 (transfer syntaxes), G (RLE)
"""

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom.streams import END_OF_IMAGE, StreamHeader, read_stream_header, unbox_jp2
from gadoscope.reading.dicom.syntaxes import COMPRESSED_SYNTAXES, JPEG_2000_SYNTAXES, JPEG_SYNTAXES, RLE

StoredFrame = NDArray[np.integer]
"""Shape (row, column); of 8, 16 or 32 bits, signed where the stream itself says so."""

_RLE_HEADER = struct.Struct("<16I")
_LONGEST_RUN = 128
"""Values that one pair of bytes may stand for; some encoders end a plane with a run that is too long."""


def decode_stream(
    stream: bytes, uid: str, rows: int, columns: int, bits_allocated: int
) -> tuple[StoredFrame, int]:
    """Decode one compressed frame.

    Parameters
    ----------
    stream
        The fragments of the frame, joined.
    uid
        Transfer syntax; one of `COMPRESSED_SYNTAXES`.
    rows, columns, bits_allocated
        Of the instance's header.

    Returns
    -------
    values : shape (row, column)
        The integers of the stream.
    bits : int
        Their precision, as the stream says; ``bits_allocated`` for RLE, which does not say.

    Raises
    ------
    ReadError
        ``wrong_size`` where the stream is of another size than the header; ``truncated`` where it has no end;
        ``undecodable`` where it is damaged; ``missing_codec`` where its library cannot be loaded.
    RefusedError
        ``colour``; ``unsupported_pixels``.
    """
    if uid == RLE:
        return _decode_rle(stream, rows, columns, bits_allocated), bits_allocated
    stream = unbox_jp2(stream)
    header = read_stream_header(stream)
    if header is None:
        raise _undecodable(COMPRESSED_SYNTAXES[uid])
    _check_stream(header, rows, columns)
    if END_OF_IMAGE not in stream:
        raise ReadError(
            "truncated", "its compressed pixels lack their end marker; copy the file again from its source."
        )
    try:
        values = np.asarray(_decoder_of(header.kind)(stream))
    except ImportError as error:
        raise _missing_codec() from error
    except Exception as error:  # each library raises errors of its own; all mean the same here
        raise _undecodable(COMPRESSED_SYNTAXES[uid]) from error
    if values.shape != (rows, columns) or values.dtype.kind not in "iu":
        raise _undecodable(COMPRESSED_SYNTAXES[uid])
    return values, header.bits


def _missing_codec() -> ReadError:
    return ReadError("missing_codec", "the library imagecodecs cannot be loaded; run `gadoscope doctor`.")


def _undecodable(name: str) -> ReadError:
    return ReadError(
        "undecodable", f"the compressed pixels ({name}) are damaged; copy the file again from its source."
    )


def _check_stream(header: StreamHeader, rows: int, columns: int) -> None:
    if header.components != 1:
        raise RefusedError("colour", "the pixels are in colour; an MR slice is grey: export the grey slice.")
    if (header.rows, header.columns) != (rows, columns):
        raise ReadError(
            "wrong_size",
            f"the compressed pixels are {header.rows} x {header.columns}, but the header says "
            f"{rows} x {columns} (Rows x Columns); copy the file again from its source.",
        )


def _decoder_of(kind: str) -> Callable[[bytes], NDArray[np.generic]]:
    """Import the one decoder that is needed."""
    if kind == "jpeg":
        from imagecodecs import jpeg8_decode  # noqa: PLC0415 — lazily: most files are not compressed

        return jpeg8_decode
    if kind == "jpeg_ls":
        from imagecodecs import jpegls_decode  # noqa: PLC0415 — lazily, as above

        # CharLS needs seconds to give up a stream that just ends; at an end marker it gives up at once.
        return lambda stream: jpegls_decode(stream + END_OF_IMAGE)
    from imagecodecs import jpeg2k_decode  # noqa: PLC0415 — lazily, as above

    return lambda stream: jpeg2k_decode(stream, numthreads=1)


def find_missing_decoders() -> set[str]:
    """Return the UIDs of the transfer syntaxes whose decoder cannot be loaded here."""
    try:
        import imagecodecs  # noqa: PLC0415 — lazily, as above
    except ImportError:
        return set(COMPRESSED_SYNTAXES)
    missing = set() if imagecodecs.PACKBITS.available else {RLE}
    if not (imagecodecs.JPEG8.available and imagecodecs.JPEGLS.available):
        missing.update(JPEG_SYNTAXES)
    if not imagecodecs.JPEG2K.available:
        missing.update(JPEG_2000_SYNTAXES)
    return missing


def _decode_rle(stream: bytes, rows: int, columns: int, bits_allocated: int) -> StoredFrame:
    """Decode the byte planes, most significant first."""
    n_planes = bits_allocated // 8
    n_pixels = rows * columns
    if len(stream) < _RLE_HEADER.size:
        raise _undecodable(COMPRESSED_SYNTAXES[RLE])
    n_segments, *offsets = _RLE_HEADER.unpack_from(stream)
    if n_segments == 3 * n_planes:
        raise RefusedError("colour", "the pixels are in colour; an MR slice is grey: export the grey slice.")
    if n_segments != n_planes:
        raise _undecodable(COMPRESSED_SYNTAXES[RLE])
    starts = offsets[:n_segments]
    planes = np.empty((n_pixels, n_planes), dtype=np.uint8)
    for plane, (start, stop) in enumerate(zip(starts, [*starts[1:], len(stream)], strict=True)):
        if not _RLE_HEADER.size <= start < stop:
            raise _undecodable(COMPRESSED_SYNTAXES[RLE])
        planes[:, plane] = _unpack_bits(stream[start:stop], n_pixels)
    return planes.view(f">u{n_planes}").reshape(rows, columns).astype(f"=u{n_planes}", copy=False)


def _unpack_bits(segment: bytes, n_pixels: int) -> NDArray[np.uint8]:
    try:
        from imagecodecs import packbits_decode  # noqa: PLC0415 — lazily, as above

        unpacked = packbits_decode(segment, out=n_pixels + _LONGEST_RUN)
    except ImportError as error:
        raise _missing_codec() from error
    except RuntimeError as error:
        raise _undecodable(COMPRESSED_SYNTAXES[RLE]) from error
    if len(unpacked) < n_pixels:
        raise _undecodable(COMPRESSED_SYNTAXES[RLE])
    return np.frombuffer(unpacked, np.uint8, n_pixels)

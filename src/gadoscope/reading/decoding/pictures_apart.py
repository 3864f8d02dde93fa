"""Compressed frames and image files are decoded in processes of their own, and refused where these crash."""

import os
from typing import BinaryIO

import numpy as np

from gadoscope.errors import ReadError
from gadoscope.reading.decoding.apart import DiedError, NoProcessError, decode_apart
from gadoscope.reading.decoding.decoder_process import FRAME, SLICE
from gadoscope.reading.dicom.codecs import StoredFrame, decode_stream
from gadoscope.reading.dicom.syntaxes import COMPRESSED_SYNTAXES
from gadoscope.reading.images import MAX_FILE_BYTES, SliceImage, decode_slice


def decode_frame_apart(
    stream: bytes, uid: str, rows: int, columns: int, bits_allocated: int
) -> tuple[StoredFrame, int]:
    """Decode one compressed frame in another process; parameters, returns and errors as `decode_stream`.

    Raises
    ------
    ReadError
        Also ``decoder_crashed``, where the decoder crashed or came to no end.
    """
    try:
        (name, bits), values = decode_apart(FRAME, (uid, rows, columns, bits_allocated), stream)
    except NoProcessError:
        return decode_stream(stream, uid, rows, columns, bits_allocated)
    except DiedError as error:
        what = "kept their decoder busy without end" if error.is_time_up else "crashed their decoder"
        raise ReadError(
            "decoder_crashed",
            f"its compressed pixels ({COMPRESSED_SYNTAXES[uid]}) {what}; "
            "copy the file again from its source.",
        ) from None
    return np.frombuffer(values, np.dtype(name)).reshape(rows, columns), bits


def decode_slice_apart(file: BinaryIO) -> SliceImage:
    """Decode the image that ``file`` holds in another process; errors as `decode_slice`.

    Raises
    ------
    ReadError
        Also ``decoder_crashed``, where the decoder crashed or came to no end.
    """
    if file.seek(0, os.SEEK_END) > MAX_FILE_BYTES:
        return decode_slice(file)  # which refuses it unread
    file.seek(0)
    try:
        (rows, columns, warnings), pixels = decode_apart(SLICE, (), file.read())
    except NoProcessError:
        return decode_slice(file)
    except DiedError as error:
        what = "kept its decoder busy without end" if error.is_time_up else "crashed its decoder"
        raise ReadError(
            "decoder_crashed", f"this image {what}; copy the file again from its source."
        ) from None
    return SliceImage(np.frombuffer(pixels, np.uint8).reshape(rows, columns), tuple(warnings))

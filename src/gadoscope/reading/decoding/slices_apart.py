"""Image files are decoded in processes of their own: what crashes there is one file, not the run."""

import os
from typing import BinaryIO

import numpy as np

from gadoscope.errors import ReadError
from gadoscope.reading.decoding.apart import DiedError, NoProcessError, decode_apart
from gadoscope.reading.decoding.decoder_process import SLICE
from gadoscope.reading.images import MAX_FILE_BYTES, SliceImage, decode_slice


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

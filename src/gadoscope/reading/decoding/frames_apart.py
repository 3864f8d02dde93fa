"""Compressed frames are decoded in processes of their own: what crashes there is one frame, not the run."""

import numpy as np

from gadoscope.errors import ReadError
from gadoscope.reading.decoding.apart import DiedError, NoProcessError, decode_apart
from gadoscope.reading.decoding.decoder_process import FRAME
from gadoscope.reading.dicom.codecs import COMPRESSED_SYNTAXES, StoredFrame, decode_stream


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

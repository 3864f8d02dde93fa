"""Pictures of millions of parts are refused before a decoder sees them."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import RefusedError
from gadoscope.reading.images import decode_slice

PIXELS = np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8)


def _picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind)
    return stream.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _storms() -> dict[str, bytes]:
    png, jpeg, gif = map(_picture, ("PNG", "JPEG", "GIF"))
    empty = _chunk(b"prVt", b"") * 1_000_000
    return {
        "chunks before the pixels": png[:33] + empty + png[33:],
        "chunks behind the pixels": png[:-12] + empty + png[-12:],
        "texts": png[:33] + _chunk(b"tEXt", b"a\0b") * 1_000_000 + png[33:],
        "comments of a JPEG": jpeg[:2] + b"\xff\xfe\0\2" * 5_000_000 + jpeg[2:],
        "fill bytes of a JPEG": jpeg[:2] + b"\xff" * 50_000_000 + jpeg[2:],
        "blocks of a GIF": gif[:-1] + b"\x21\xfe\x01a\0" * 4_000_000 + b";",
    }


@pytest.mark.parametrize("name", _storms())
def test_a_storm_of_parts_is_refused_soon(name: str) -> None:
    data = _storms()[name]
    start = time.process_time()
    with pytest.raises(RefusedError) as caught:
        decode_slice(io.BytesIO(data))
    assert caught.value.reason == "too_large"
    assert time.process_time() - start < 2


def test_a_picture_of_a_thousand_chunks_is_read() -> None:
    png = _picture("PNG")
    many = png[:33] + _chunk(b"prVt", b"") * 1000 + png[33:]
    np.testing.assert_array_equal(decode_slice(io.BytesIO(many)).pixels, PIXELS)

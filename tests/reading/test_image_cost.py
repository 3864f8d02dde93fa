"""Pictures of millions of parts are refused before a decoder sees them."""

import io
import struct
import time
import zlib
from collections.abc import Callable

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


def _png(*, before: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a PNG with more before or behind its pixels."""
    png = _picture("PNG")
    return png[:33] + before + png[33:-12] + behind + png[-12:]


def _jpeg(more: bytes) -> bytes:
    jpeg = _picture("JPEG")
    return jpeg[:2] + more + jpeg[2:]


STORMS: dict[str, Callable[[], bytes]] = {
    "chunks before the pixels": lambda: _png(before=_chunk(b"prVt", b"") * 1_000_000),
    "chunks behind the pixels": lambda: _png(behind=_chunk(b"prVt", b"") * 1_000_000),
    "texts": lambda: _png(before=_chunk(b"tEXt", b"a\0b") * 1_000_000),
    "comments of a JPEG": lambda: _jpeg(b"\xff\xfe\0\2" * 5_000_000),
    "fill bytes of a JPEG": lambda: _jpeg(b"\xff" * 50_000_000),
    "blocks of a GIF": lambda: _picture("GIF")[:-1] + b"\x21\xfe\x01a\0" * 4_000_000 + b";",
}


@pytest.mark.parametrize("name", STORMS)
def test_a_storm_of_parts_is_refused_soon(name: str) -> None:
    data = STORMS[name]()
    start = time.process_time()
    with pytest.raises(RefusedError) as caught:
        decode_slice(io.BytesIO(data))
    assert caught.value.reason == "too_large"
    assert time.process_time() - start < 2


def test_a_picture_of_a_thousand_chunks_is_read() -> None:
    many = _png(before=_chunk(b"prVt", b"") * 1000)
    np.testing.assert_array_equal(decode_slice(io.BytesIO(many)).pixels, PIXELS)

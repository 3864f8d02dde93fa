"""DICOM files whose headers cost far more than they are worth, by hand, around a phantom's instance."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import POST, classic_series
from tests.support.dicom_multiframe import enhanced

MILLION = 1_000_000
UNDEFINED = b"\xff\xff\xff\xff"
EMPTY_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
ITEM = struct.pack("<HH", 0xFFFE, 0xE000) + UNDEFINED
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
USAGE, PER_FRAME, VALUE_MAPS = (0x0018, 0x9341), (0x5200, 0x9230), (0x0040, 0x9096)
PRIVATE, IMAGE_TYPE, PIXELS = (0x4011, 0x1010), (0x0008, 0x0008), (0x7FE0, 0x0010)


@cache
def plain_file(syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Return an intact instance."""
    return file_bytes(classic_series(POST, n_slices=3, matrix=32)[0], syntax)


def long_element(tag: tuple[int, int], form: bytes, value: bytes) -> bytes:
    """Return an element with a length of four bytes."""
    return struct.pack("<HH2sHI", *tag, form, 0, len(value)) + value


def open_sequence(tag: tuple[int, int], form: bytes = b"SQ") -> bytes:
    """Return the beginning of a sequence without a length."""
    return struct.pack("<HH2sH", *tag, form, 0) + UNDEFINED


@cache
def many_private(count: int) -> bytes:
    """Return empty private elements in ascending order."""
    return b"".join(struct.pack("<HH2sH", 0x4011 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(count))


def with_element(data: bytes, element: bytes, before: tuple[int, int] = PIXELS) -> bytes:
    """Return a file with more in its header, just before one of its elements."""
    at = data.index(struct.pack("<HH", *before))
    return data[:at] + element + data[at:]


def deflated_with(element: bytes) -> bytes:
    """Return a deflated instance with more in its header."""
    data = plain_file(DeflatedExplicitVRLittleEndian)
    (length,) = struct.unpack_from("<I", data, 140)
    inner = with_element(zlib.decompress(data[144 + length :], -zlib.MAX_WBITS), element)
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return data[: 144 + length] + deflate.compress(inner) + deflate.flush()


def iter_storms() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Yield name, reason and maker of files that no scanner writes; together they are half a gigabyte."""
    items = EMPTY_ITEM * MILLION
    many, damaged = "too_many_elements", "damaged_header"
    for tag, before in ((USAGE, (0x0020, 0x000D)), (PER_FRAME, PIXELS), (VALUE_MAPS, PIXELS)):
        name = f"{tag[0]:04x}{tag[1]:04x}"
        whole = partial(long_element, tag, b"SQ", items)
        yield f"items of {name}", many, partial(_with_made, whole, before)
        unfinished = partial(_unfinished, open_sequence(tag), items)
        yield f"items of {name} without a length", many, partial(_with_made, unfinished, before)
    unknown = partial(long_element, VALUE_MAPS, b"UN", items)
    yield "items of a sequence written as unknown", many, partial(_with_made, unknown)
    private = partial(_unfinished, open_sequence(PRIVATE, b"UN"), items)
    yield "items of a private sequence", many, partial(_with_made, private)
    yield "private elements", many, lambda: with_element(plain_file(), many_private(MILLION))
    yield "deflated private elements", many, lambda: deflated_with(many_private(MILLION))
    yield "a tail of zeros", damaged, lambda: plain_file()[:300] + bytes(60 << 20)
    yield "a short tail of zeros", damaged, lambda: plain_file()[:300] + bytes(50_000)
    again = struct.pack("<HH2sH", 0x0009, 0x0001, b"LO", 0)
    yield "one element again and again", damaged, lambda: plain_file()[:300] + again * (2 << 20)
    yield "a deflated value of 80 MB", "too_large", lambda: deflated_with(_large_value())
    yield "a value of 80 MB", "too_large", lambda: with_element(plain_file(), _large_value())


def _with_made(make: Callable[[], bytes], *before: tuple[int, int]) -> bytes:
    return with_element(plain_file(), make(), *before)


def _unfinished(opening: bytes, items: bytes) -> bytes:
    return opening + items + SEQUENCE_END


def _large_value() -> bytes:
    return long_element(PRIVATE, b"OB", bytes(80 << 20))


def many_frames(n_frames: int, *, has_lengths: bool = True) -> bytes:
    """Return an Enhanced MR Image with every macro in each frame."""
    made = enhanced(classic_series(POST, n_slices=1, matrix=16))
    shared = made.SharedFunctionalGroupsSequence[0]
    (frame,) = made.PerFrameFunctionalGroupsSequence
    frame.update(shared)
    made.SharedFunctionalGroupsSequence = []
    made.NumberOfFrames = n_frames
    made.PixelData = made.PixelData[: 16 * 16 * 2] * n_frames
    data = file_bytes(made)
    if not has_lengths:
        for sequence in (element for element in made.iterall() if element.VR == "SQ"):
            sequence.is_undefined_length = True
            for item in sequence.value:
                item.is_undefined_length_sequence_item = True
        data = file_bytes(made)
    return _repeat_frames(data, n_frames, has_length=has_lengths)


def _repeat_frames(data: bytes, n_frames: int, *, has_length: bool) -> bytes:
    """Repeat the one frame's group, each with a position of its own."""
    begin = data.index(struct.pack("<HH", *PER_FRAME)) + 12
    end = data.index(struct.pack("<HH2s", *PIXELS, b"OW"))
    group = data[begin:end] if has_length else data[begin : end - len(SEQUENCE_END)]
    at = group.index(struct.pack("<HH2s", 0x0020, 0x0032, b"DS")) + 6
    (length,) = struct.unpack_from("<H", group, at)
    values = (f"{index}\\0\\0".encode().ljust(length) for index in range(n_frames))
    groups = [group[: at + 2] + value + group[at + 2 + length :] for value in values]
    body = b"".join(groups) if has_length else b"".join((*groups, SEQUENCE_END))
    n_bytes = struct.pack("<I", len(body)) if has_length else UNDEFINED
    return data[: begin - 4] + n_bytes + body + data[end:]

"""Where the bytes of one frame lie in the pixel data, and nothing read but them.

Compressed frames lie in fragments. Which of them belong to a frame is said by the Extended or the Basic
Offset Table; where there is none, or it does not fit, by their number, or by the marker that each new
stream begins with.

References
----------
DICOM PS3.5 A.4 (encapsulated pixel data), 7.5 (items)
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom.element_walk import UNDEFINED_LENGTH
from gadoscope.reading.dicom.pixel_header import PixelHeader, read_data_set
from gadoscope.reading.dicom.syntaxes import COMPRESSED_SYNTAXES, DEFLATED

ITEM, END_OF_ITEMS = 0xFFFEE000, 0xFFFEE0DD
MAX_EXPANSION = 4
"""No encoder makes a frame four times as large as it was; a longer one is damaged, or no slice."""
SMALLEST_LIMIT_BYTES = 64 * 1024
"""A tiny frame may be mostly headers."""
MAX_INFLATED_BYTES = 64 * 1024 * 1024
"""Of a deflated object everything before a frame must be inflated; no scanner deflates large ones."""
MAX_FRAGMENTS = 200_000
"""More of them in one object only cost time: 10,000 frames of 20 fragments each."""
_ITEM_HEADER = struct.Struct("<HHI")
_STREAM_BEGINS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")  # JPEG and JPEG-LS, JPEG 2000, JP2
_LONGEST_BEGIN = 8
_BASIC_ENTRY_BYTES, _EXTENDED_ENTRY_BYTES = 4, 8


@dataclass(frozen=True, slots=True)
class _Fragment:
    at: int
    n_bytes: int


def read_frame_bytes(file: BinaryIO, header: PixelHeader, frame_index: int) -> bytes:
    """Return the bytes of one frame, still compressed if they are.

    Parameters
    ----------
    file
        Seekable; of the instance that ``header`` was read from.

    Raises
    ------
    ReadError
        ``missing_frame``; ``truncated``; ``no_pixels``; ``wrong_size``; ``undecodable``.
    """
    if not 0 <= frame_index < header.n_frames:
        raise ReadError(
            "missing_frame",
            f"frame {frame_index + 1} was asked for, but NumberOfFrames is {header.n_frames}.",
        )
    if header.n_pixel_bytes == 0:
        raise ReadError("no_pixels", "its pixel data are empty; copy the file again from its source.")
    is_encapsulated = header.n_pixel_bytes == UNDEFINED_LENGTH
    if is_encapsulated != (header.syntax in COMPRESSED_SYNTAXES):
        raise ReadError(
            "undecodable",
            "its pixels are not written as its transfer syntax says; copy the file again from its source.",
        )
    if is_encapsulated:
        return _read_fragments(file, header, frame_index)
    return _read_native(file, header, frame_index)


def _read_native(file: BinaryIO, header: PixelHeader, frame_index: int) -> bytes:
    start = header.pixels_at + frame_index * header.frame_bytes
    stop = start + header.frame_bytes
    if header.pixels_at + header.n_pixel_bytes < stop:
        raise ReadError(
            "truncated",
            f"its pixel data are {header.n_pixel_bytes} bytes, too few for {header.n_frames} x {header.rows} "
            f"x {header.columns} pixels (frames x Rows x Columns); copy the file again from its source.",
        )
    if header.syntax == DEFLATED:
        if stop > MAX_INFLATED_BYTES:
            raise RefusedError("too_large", "it is deflated and too large to be inflated; convert it.")
        frame = read_data_set(file, DEFLATED, header.begin, stop)[start:]
    else:
        file.seek(header.begin + start)
        frame = file.read(header.frame_bytes)
    if len(frame) < header.frame_bytes:
        raise _truncated()
    return frame


def _truncated() -> ReadError:
    return ReadError(
        "truncated", "the file ends before its pixel data do; copy the file again from its source."
    )


def _damaged() -> ReadError:
    return ReadError(
        "undecodable",
        "the fragments of its compressed pixels are damaged; copy the file again from its source.",
    )


def _read_fragments(file: BinaryIO, header: PixelHeader, frame_index: int) -> bytes:
    fragments = _find_fragments(file, header, frame_index)
    n_bytes = sum(fragment.n_bytes for fragment in fragments)
    if not n_bytes:
        raise ReadError("no_pixels", "its pixel data are empty; copy the file again from its source.")
    if n_bytes > max(MAX_EXPANSION * header.frame_bytes, SMALLEST_LIMIT_BYTES):
        raise _damaged()
    parts = []
    for fragment in fragments:
        file.seek(fragment.at)
        parts.append(file.read(fragment.n_bytes))
    stream = b"".join(parts)
    if len(stream) < n_bytes:
        raise _truncated()
    return stream


def _find_fragments(file: BinaryIO, header: PixelHeader, frame_index: int) -> list[_Fragment]:
    table = next(_walk(file, header.begin + header.pixels_at), None)
    if table is None:
        raise _truncated()
    if header.n_frames > 1:
        listed = _find_listed(file, header, frame_index, table)
        if listed:
            return listed
    fragments = list(_walk(file, table.at + table.n_bytes))
    if header.n_frames == 1:
        return fragments
    if len(fragments) == header.n_frames:
        return [fragments[frame_index]]
    frames = _group_by_stream(file, fragments)
    if frame_index >= len(frames):
        raise _truncated()
    return frames[frame_index]


def _find_listed(file: BinaryIO, header: PixelHeader, frame_index: int, table: _Fragment) -> list[_Fragment]:
    """Return the fragments of a frame by one of the offset tables; none if there is no table that fits."""
    begin = table.at + table.n_bytes
    is_last = frame_index == header.n_frames - 1
    if len(header.extended_offsets) == _EXTENDED_ENTRY_BYTES * header.n_frames:
        at = _EXTENDED_ENTRY_BYTES * frame_index
        start = struct.unpack_from("<Q", header.extended_offsets, at)[0]
        stop = start + 1  # with this table a frame is one fragment
    elif table.n_bytes == _BASIC_ENTRY_BYTES * header.n_frames:
        n_entries = 1 if is_last else 2  # where the frame begins, and where the next one does
        file.seek(table.at + _BASIC_ENTRY_BYTES * frame_index)
        entries = file.read(_BASIC_ENTRY_BYTES * n_entries)
        if len(entries) < _BASIC_ENTRY_BYTES * n_entries:
            raise _truncated()
        start, *stops = struct.unpack(f"<{n_entries}I", entries)
        stop = stops[0] if stops else None
    else:
        return []
    try:
        return list(_walk(file, begin + start, None if stop is None else begin + stop))
    except ReadError:  # a table that leads elsewhere than to a fragment: count the fragments instead
        return []


def _walk(file: BinaryIO, at: int, stop: int | None = None) -> Iterator[_Fragment]:
    """Yield the fragments from one place to another, or to the end of the pixel data."""
    for _ in range(MAX_FRAGMENTS):
        if stop is not None and at >= stop:
            return
        file.seek(at)
        item = file.read(_ITEM_HEADER.size)
        if len(item) < _ITEM_HEADER.size:
            return  # the last frame shows whether anything is missing
        group, element, n_bytes = _ITEM_HEADER.unpack(item)
        if group << 16 | element == END_OF_ITEMS:
            return
        if group << 16 | element != ITEM or n_bytes == UNDEFINED_LENGTH:
            raise _damaged()
        at += _ITEM_HEADER.size + n_bytes
        yield _Fragment(at - n_bytes, n_bytes)
    raise _damaged()


def _group_by_stream(file: BinaryIO, fragments: list[_Fragment]) -> list[list[_Fragment]]:
    """Group fragments into frames: each frame begins with the first marker of a stream."""
    frames: list[list[_Fragment]] = []
    for fragment in fragments:
        file.seek(fragment.at)
        begins = file.read(min(fragment.n_bytes, _LONGEST_BEGIN)).startswith(_STREAM_BEGINS)
        if begins or not frames:
            frames.append([])
        frames[-1].append(fragment)
    return frames

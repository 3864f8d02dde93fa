"""The data elements of a DICOM file up to its pixel data, with values as they stand in the file.

pydicom finds the elements; the few values that every instance must give are decoded here from their bytes,
which takes a microsecond each and cannot fail, where pydicom's own objects take ten and may raise.

References
----------
DICOM PS3.5 6.2 (value representations), 7 (data elements), A.5 (deflated); PS3.10 7.1 (file meta)
"""

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator, dcmread
from pydicom.tag import BaseTag

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.long_header import parse_long_header
from gadoscope.reading.quiet import quiet_library

FIRST_BYTES = 128 * 1024
"""Read at first: nearly all headers are shorter, with the 60-100 kB that some vendors put into them, and a
disk gives as much at one go as it gives 4 KiB."""
GROWTH = 8
"""A header that is longer is read anew, so many times as much of it."""
MAX_HEADER_BYTES = 64 * 1024 * 1024
"""10,000 frames of a multi-frame object take about 30 MB of header; no acquisition holds twice that."""
MAX_PLAIN_ITEMS = 500
"""Items of sequences that pydicom parses: it takes up to 0.1 ms for each."""
SAMPLE_BYTES, SAMPLE_STEP_BYTES, MOST_IN_SAMPLE = 128, 8192, 5
"""Samples of a header: a storm of sequences that costs anything fills more than the step between two."""
LONGEST_VALUE_BYTES = 16 * 1024
"""Longer values of classic instances are private blobs or icons, which the scan steps over."""

_PREAMBLE_BYTES, _MAGIC = 128, b"DICM"
_DEFLATED = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
TRANSFER_SYNTAX, _META_GROUP = tags.TRANSFER_SYNTAX_UID, 0x0002
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_UNDEFINED = b"\xff\xff\xff\xff"
ITEM = b"\xfe\xff\x00\xe0"
UID = re.compile(r"[0-9.]{1,64}")
"""What a unique identifier looks like (PS3.5 9.1); in a damaged header it may hold the patient's name."""
# Value representations of numbers in binary: struct's letter and bytes of each (PS3.5 6.2).
_BINARY = {"US": ("H", 2), "SS": ("h", 2), "UL": ("I", 4), "SL": ("i", 4), "FL": ("f", 4), "FD": ("d", 8)}
_PADDING = " \0"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""What no text of DICOM holds (PS3.5 6.1.3: only tab, line ends, form feed, escape); element headers do."""
_LARGEST_INTEGER = 2**63  # what a database column holds

AnyElement = RawDataElement | DataElement


class Elements:
    """Data elements by tag, read tolerantly: what is missing or unreadable is empty.

    Parameters
    ----------
    by_tag
        As pydicom found them.
    """

    def __init__(self, by_tag: Mapping[int, AnyElement]) -> None:
        self._by_tag = by_tag

    def __contains__(self, tag: int) -> bool:
        return tag in self._by_tag

    def find_text(self, tag: int) -> str:
        """Return the value without padding; several values stay joined by a backslash.

        Empty too where the value holds control characters: its length is wrong, and it swallowed elements
        behind it, perhaps the patient's name.
        """
        text = self.find_bytes(tag).decode("latin-1").strip(_PADDING)
        return "" if CONTROL.search(text) else text

    def find_words(self, tag: int) -> tuple[str, ...]:
        """Return the values of a code string, in capitals."""
        text = self.find_text(tag)
        return tuple(part.strip(_PADDING).upper() for part in text.split("\\")) if text else ()

    def find_numbers(self, tag: int) -> tuple[float, ...] | None:
        """Return all values as numbers, in text or binary; ``None`` if one of them is none."""
        element = self._by_tag.get(tag)
        if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
            return None
        value = element.value
        if len(value) > LONGEST_VALUE_BYTES:
            return None
        kind = _BINARY.get(_representation(element))
        if kind is not None:
            letter, size = kind
            order = "<" if element.is_little_endian else ">"
            n_values = len(value) // size
            return struct.unpack(f"{order}{n_values}{letter}", value[: n_values * size]) or None
        try:
            return tuple(float(part.strip(b" \0")) for part in value.split(b"\\"))
        except ValueError:
            return None

    def find_number(self, tag: int) -> float | None:
        """Return the first value as a number."""
        numbers = self.find_numbers(tag)
        return float(numbers[0]) if numbers else None

    def find_integer(self, tag: int) -> int | None:
        """Return the first value as a whole number."""
        number = self.find_number(tag)
        return int(number) if number is not None and abs(number) < _LARGEST_INTEGER else None

    def find_bytes(self, tag: int) -> bytes:
        """Return the value as it stands in the file; empty for a sequence or a value stepped over."""
        element = self._by_tag.get(tag)
        value = None if element is None else element.value
        if isinstance(value, str):  # pydicom decodes the file meta information by itself
            return value.encode("latin-1", "replace")
        return value if isinstance(value, bytes) else b""

    def iter_public(self) -> Iterator[tuple[int, AnyElement]]:
        """Yield tag and element of what DICOM defines, privates left out."""
        return ((tag, element) for tag, element in self._by_tag.items() if not tag >> 16 & 1)


def _representation(element: RawDataElement) -> str:
    if element.VR is not None and element.VR != "UN":
        return element.VR
    try:
        return dictionary_VR(element.tag)
    except KeyError:
        return "UN"


@dataclass(frozen=True)
class RawHeader:
    """Everything before the pixel data.

    Parameters
    ----------
    meta, elements
        The file meta information, and the data set up to its pixels.
    dataset
        The same data set as pydicom's object, for sequences and for text in foreign scripts.
    n_bytes
        Size of the file.
    digest
        Hexadecimal BLAKE2b, 16 bytes, of everything before the pixel data.
    has_pixels
        Whether the pixel data follow.
    """

    meta: Elements
    elements: Elements
    dataset: Dataset
    n_bytes: int
    digest: str
    has_pixels: bool


def read_raw_header(
    file: BinaryIO,
    *,
    longest_value_bytes: int | None = LONGEST_VALUE_BYTES,
    macros: frozenset[int] = frozenset(),
) -> RawHeader:
    """Read a DICOM file up to its pixels.

    Parameters
    ----------
    file
        Seekable; read from its beginning.
    longest_value_bytes
        Longer values are stepped over; ``None`` for no limit.
    macros
        Sequences asked of the functional groups of each frame; of a long header the others are stepped over,
        and all of the groups where none is asked for.

    Raises
    ------
    ReadError
        With the reason ``empty_file``, ``not_dicom`` or ``damaged_header``.
    RefusedError
        With the reason ``too_large`` or ``too_many_elements``: no acquisition has such a header.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    if n_bytes == 0:
        raise ReadError("empty_file", "the file is empty (0 bytes); copy it again from its source.")
    asked = _Asked(longest_value_bytes, macros)
    prefix = file.read(FIRST_BYTES)
    is_whole = len(prefix) >= n_bytes
    parsed = _parse(prefix, asked, is_whole=is_whole)
    while parsed is None:
        if len(prefix) >= MAX_HEADER_BYTES:
            raise RefusedError("too_large", f"its header is longer than {MAX_HEADER_BYTES} bytes.")
        n_wanted = min(GROWTH * len(prefix), MAX_HEADER_BYTES)
        file.seek(0)
        prefix = file.read(n_wanted)
        is_whole = len(prefix) >= n_bytes
        parsed = _parse_long(prefix, asked, is_whole=is_whole or len(prefix) < n_wanted)
    elements = Elements(dict(parsed.dataset.items()))
    # Group 0000 stands in messages only: here zeros were read as elements, where a copy broke off.
    if not len(parsed.dataset) or 0 in elements:
        raise _explain(prefix)
    return RawHeader(
        parsed.meta,
        elements,
        parsed.dataset,
        n_bytes,
        parsed.digest,
        parsed.has_pixels,
    )


@dataclass(frozen=True)
class _Asked:
    """The longest value, and the macros of each frame, that a reader asks for."""

    longest: int | None
    macros: frozenset[int]


@dataclass(frozen=True)
class _Parsed:
    meta: Elements
    dataset: Dataset
    digest: str
    has_pixels: bool


def _parse(prefix: bytes, asked: _Asked, *, is_whole: bool) -> _Parsed | None:
    """Parse the beginning of a file; ``None`` if it must be longer for that."""
    if _is_storm(prefix):
        return _parse_long(prefix, asked, is_whole=is_whole)
    try:
        with quiet_library():
            if is_deflated(prefix):
                return _parse_deflated(prefix, asked, is_whole=is_whole)
            parsed, end = _parse_plain(prefix, asked)
    except InputError:
        raise
    # pydicom raises whatever a damaged header makes it trip over, from struct.error to RecursionError; one
    # bad file must become one row, so all of it is turned into that row here.
    except Exception as error:
        if not is_whole:
            return None
        raise _explain(prefix) from error
    if not parsed.has_pixels and not is_whole:
        return None
    if prefix.count(ITEM, 0, end) > MAX_PLAIN_ITEMS:  # pydicom parses them only when they are asked for
        return _parse_long(prefix, asked, is_whole=is_whole)
    return parsed


def _is_storm(prefix: bytes) -> bool:
    """Return whether samples of the file hold little but sequences, over which pydicom takes seconds."""
    return any(
        prefix.count(_UNDEFINED, at, at + SAMPLE_BYTES) > MOST_IN_SAMPLE
        or prefix.count(ITEM, at, at + SAMPLE_BYTES) > MOST_IN_SAMPLE
        for at in range(SAMPLE_STEP_BYTES, len(prefix), SAMPLE_STEP_BYTES)
    )


def _parse_plain(prefix: bytes, asked: _Asked) -> tuple[_Parsed, int]:
    buffer = BytesIO(prefix)
    dataset = dcmread(buffer, defer_size=asked.longest, stop_before_pixels=True, force=True)
    end = buffer.tell()
    meta = Elements(dict(dataset.file_meta.items()))
    return _Parsed(meta, dataset, _digest(prefix, end), end < len(prefix)), end


def _digest(data: bytes, end: int) -> str:
    return hashlib.blake2b(memoryview(data)[:end], digest_size=16).hexdigest()


def _explain(prefix: bytes) -> ReadError:
    if prefix[_PREAMBLE_BYTES:].startswith(_MAGIC):
        return ReadError("damaged_header", "its DICOM header is damaged; copy it again from its source.")
    return ReadError("not_dicom", "the content is not DICOM, whatever the name says.")


def _parse_long(prefix: bytes, asked: _Asked, *, is_whole: bool) -> _Parsed | None:
    """Parse the beginning of a file whose header is long; ``None`` if it must be longer for that."""
    try:
        with quiet_library():
            if is_deflated(prefix):
                return _parse_deflated(prefix, asked, is_whole=is_whole)
            meta, begin = read_meta(prefix)
            return _take_apart(meta, prefix, begin, asked, is_whole=is_whole)
    except InputError:
        raise
    except Exception as error:  # as above
        raise _explain(prefix) from error


def _take_apart(meta: Elements, data: bytes, begin: int, asked: _Asked, *, is_whole: bool) -> _Parsed | None:
    """Parse a long header in a data set that is not, or no more, deflated."""
    syntax = meta.find_text(TRANSFER_SYNTAX)
    found = parse_long_header(
        data,
        begin,
        is_implicit=guess_implicit(data[begin:]),
        is_little_endian=syntax != BIG_ENDIAN,
        longest=asked.longest,
        macros=asked.macros,
        is_whole=is_whole,
    )
    if found is None:
        return None
    return _Parsed(meta, found.dataset, _digest(data, found.end), found.pixel_tag != 0)


def _parse_deflated(prefix: bytes, asked: _Asked, *, is_whole: bool) -> _Parsed | None:
    """Inflate no more than the header needs: a few kilobytes can inflate to gigabytes of pixels."""
    meta, begin = read_meta(prefix)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    data = stream.decompress(prefix[begin:], FIRST_BYTES)
    while True:
        is_end = stream.eof or not stream.unconsumed_tail  # zlib keeps the tail that lies behind the end
        parsed = _take_apart(meta, data, 0, asked, is_whole=is_whole and is_end)
        if parsed is not None or is_end:
            return parsed
        if len(data) >= MAX_HEADER_BYTES:
            raise RefusedError("too_large", f"its header is longer than {MAX_HEADER_BYTES} bytes.")
        n_more = min((GROWTH - 1) * len(data), MAX_HEADER_BYTES - len(data))
        data += stream.decompress(stream.unconsumed_tail, n_more)


def read_meta(prefix: bytes) -> tuple[Elements, int]:
    """Return the file meta information, and where the data set begins."""
    buffer = BytesIO(prefix)
    if prefix[_PREAMBLE_BYTES:].startswith(_MAGIC):
        buffer.seek(_PREAMBLE_BYTES + len(_MAGIC))
    found = data_element_generator(buffer, False, True, _ends_meta, LONGEST_VALUE_BYTES)
    meta = Elements({element.tag: element for element in found})
    return meta, buffer.tell()


def _ends_meta(tag: BaseTag, _representation: str | None, _length: int) -> bool:
    return tag >> 16 != _META_GROUP


def is_deflated(prefix: bytes) -> bool:
    """Return whether the data set is deflated (PS3.5 A.5)."""
    return _DEFLATED in prefix[:FIRST_BYTES] and prefix[_PREAMBLE_BYTES:].startswith(_MAGIC)


def guess_implicit(data: bytes) -> bool:
    """Return whether a data set is written without value representations, by its first element."""
    return not (data[4:6].isalpha() and data[4:6].isupper())

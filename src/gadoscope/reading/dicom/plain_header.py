"""The header of an instance that is written plainly, by one walk over its bytes: no object for each element.

Plain is what nearly all files are: a preamble, explicit file meta information, little endian, tags that
ascend, sequences that tile exactly. Whatever is odd is left to pydicom, whose answers these are
(`tests/reading/dicom/test_plain_header.py` compares them, damaged files too).

References
----------
DICOM PS3.5 7 (data elements, sequences), A (transfer syntaxes); PS3.10 7.1 (file meta)
"""

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from gadoscope.reading.archives.sources import START_BYTES, Start
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.elements import Element, Elements
from gadoscope.reading.dicom.plain_patterns import ITEM_BYTES, Pattern
from gadoscope.reading.dicom.plain_walk import (
    HEAD,
    LONG,
    LONG_HEAD,
    SHORT,
    Asked,
    OddError,
    check_character_set,
    list_places,
    read_explicit,
    read_length,
    walk_elements,
)
from gadoscope.reading.dicom.sequences import CONVERTED, MAX_CONVERTED_ITEMS
from gadoscope.reading.dicom.syntaxes import (
    COMPRESSED_SYNTAXES,
    EXPLICIT,
    IMPLICIT,
    META_AT,
    META_GROUP,
    has_preamble,
)

__all__ = ["READ_BYTES", "Asked", "PlainHeader", "parse_plain_header", "read_plain_header"]

READ_BYTES = (START_BYTES, 128 * 1024)
"""Read at first, and if the header is longer: shadow headers of some vendors take 60-100 kB."""

_GROUP_LENGTH = struct.pack("<HH2sH", META_GROUP, 0, b"UL", 4)
_LENGTH_BYTES = 4
"""Of an element's length, where it is no short form."""
_META_TAGS = frozenset(
    (tags.MEDIA_STORAGE_SOP_CLASS_UID, tags.MEDIA_STORAGE_SOP_INSTANCE_UID, tags.TRANSFER_SYNTAX_UID)
)
_SYNTAXES = {uid.encode(): uid for uid in (IMPLICIT, EXPLICIT, *COMPRESSED_SYNTAXES)}
_MOST_CONVERTED_BYTES = len(ITEM_BYTES) * MAX_CONVERTED_ITEMS


@dataclass(frozen=True, slots=True)
class PlainHeader:
    """A header up to its pixels.

    Parameters
    ----------
    meta, elements
        What was asked of the file meta information, and of the data set.
    syntax
        UID of the transfer syntax.
    begin
        Where the data set begins in the file.
    n_bytes
        Size of the file.
    head
        Everything before the pixel data.
    has_pixels
        Whether the pixel data follow.
    pixel_tag, pixels_at, n_pixel_bytes
        Of the pixel data: their tag, where their value begins in the file, and its length as stated; 0 where
        there are none.
    pattern
        What it shares with other headers of its series, where that is known.
    """

    meta: Elements
    elements: Elements
    syntax: str
    begin: int
    n_bytes: int
    head: memoryview
    has_pixels: bool
    pixel_tag: int
    pixels_at: int
    n_pixel_bytes: int
    pattern: Pattern | None = None

    @property
    def digest(self) -> str:
        """Return the hexadecimal BLAKE2b, 16 bytes, of everything before the pixel data."""
        return hashlib.blake2b(self.head, digest_size=16).hexdigest()


def read_plain_header(file: BinaryIO, asked: Asked) -> PlainHeader | None:
    """Read a DICOM file up to its pixels; ``None`` where anything is odd.

    Parameters
    ----------
    file
        Seekable; read from its beginning.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    for n_wanted in READ_BYTES:
        file.seek(0)
        start = Start(file.read(n_wanted), n_bytes)
        header = parse_plain_header(start, asked)
        if header is not None or len(start.data) < n_wanted:
            return header
    return None


def parse_plain_header(start: Start, asked: Asked) -> PlainHeader | None:
    """Do the same where the beginning of the file is read; ``None`` also where the header is longer."""
    try:
        return _walk(start.data, asked, start.n_bytes, is_whole=len(start.data) >= start.n_bytes)
    except (OddError, struct.error, KeyError):
        return None


def _walk(data: bytes, asked: Asked, n_bytes: int, *, is_whole: bool) -> PlainHeader:
    if not has_preamble(data) or not data.startswith(_GROUP_LENGTH, META_AT):
        raise OddError
    known = _follow_pattern(data, asked, n_bytes) if asked.is_of_many else None
    if known is not None:
        return known
    meta, begin = _walk_meta(data)
    syntax = _SYNTAXES.get((meta[tags.TRANSFER_SYNTAX_UID][1] or b"").rstrip(b"\0"))
    if syntax is None:
        raise OddError
    found: dict[int, Element] = {}
    end, pixel_tag, pixels_at, n_pixel_bytes = walk_elements(
        data, begin, asked, found, is_implicit=syntax == IMPLICIT
    )
    _check(found, asked)
    if end == begin or (not pixel_tag and not is_whole):
        raise OddError
    header = PlainHeader(
        meta=Elements(meta),
        elements=Elements(found),
        syntax=syntax,
        begin=begin,
        n_bytes=n_bytes,
        head=memoryview(data)[:end],
        has_pixels=pixel_tag > 0,
        pixel_tag=pixel_tag,
        pixels_at=pixels_at,
        n_pixel_bytes=n_pixel_bytes,
    )
    if asked.is_of_many and pixel_tag and asked.patterns.wants():
        places = (
            list_places(data, META_AT, begin, asked, is_implicit=False),
            list_places(data, begin, end, asked, is_implicit=syntax == IMPLICIT),
        )
        asked.patterns.learn(places, data[: pixels_at - _LENGTH_BYTES], (meta, found), (syntax, pixel_tag))
    return header


def _follow_pattern(data: bytes, asked: Asked, n_bytes: int) -> PlainHeader | None:
    """Return the header of an instance that is written as the last ones of its series were."""
    known = asked.patterns.find(data, asked.longest)
    if known is None:
        return None
    pattern, (meta, found, begin, length_at) = known
    pixels_at = length_at + _LENGTH_BYTES
    return PlainHeader(
        meta=Elements(meta),
        elements=Elements(found),
        syntax=pattern.syntax,
        begin=begin,
        n_bytes=n_bytes,
        head=memoryview(data)[: pixels_at - (HEAD if pattern.syntax == IMPLICIT else LONG_HEAD)],
        has_pixels=True,
        pixel_tag=pattern.pixel_tag,
        pixels_at=pixels_at,
        n_pixel_bytes=read_length(data, length_at)[0],
        pattern=pattern,
    )


def _check(found: Mapping[int, Element], asked: Asked) -> None:
    """Check what is not seen from element to element."""
    if not found.keys().isdisjoint(asked.sequences):
        raise OddError
    values = {tag: value for tag, (_, value, _) in found.items() if value}
    for tag in found.keys() & CONVERTED:
        _, value, _ = found[tag]
        if value is None or len(value) > _MOST_CONVERTED_BYTES:  # too many of its items are refused
            raise OddError
        values.pop(tag, None)
    if ITEM_BYTES in b"".join(values.values()):  # sequences where none belongs
        raise OddError
    if tags.SPECIFIC_CHARACTER_SET in found:
        form, value, _ = found[tags.SPECIFIC_CHARACTER_SET]
        check_character_set(form, value)


def _walk_meta(data: bytes) -> tuple[dict[int, Element], int]:
    """Return what is asked of the file meta information, and where the data set begins."""
    found: dict[int, Element] = {}
    previous, at = -1, META_AT
    while True:
        group, element, code, length = read_explicit(data, at)
        if group != META_GROUP:
            break
        form = SHORT.get(code)
        at += 8
        if form is None:
            form, (length,) = LONG.get(code), read_length(data, at)
            at += 4
        end = at + length
        if form is None or element <= previous or end > len(data):
            raise OddError
        if META_GROUP << 16 | element in _META_TAGS:
            found[META_GROUP << 16 | element] = form, data[at:end], True
        previous, at = element, end
    if found.get(tags.TRANSFER_SYNTAX_UID, (None,))[0] != "UI":  # what it is by another form pydicom says
        raise OddError
    return found, at

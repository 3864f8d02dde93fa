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
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

from gadoscope.reading.archives.sources import START_BYTES, Start
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.codecs import COMPRESSED_SYNTAXES
from gadoscope.reading.dicom.element_walk import (
    DELIMITERS,
    ITEM,
    LONG_FORMS,
    PIXEL_TAGS,
    SEQUENCE_END,
    SHORT_FORMS,
    UNDEFINED_LENGTH,
)
from gadoscope.reading.dicom.elements import Element, Elements
from gadoscope.reading.dicom.sequences import COMMON_SEQUENCES, CONVERTED, MAX_CONVERTED_ITEMS
from gadoscope.reading.dicom.syntaxes import EXPLICIT, IMPLICIT, META_AT, META_GROUP, has_preamble

READ_BYTES = (START_BYTES, 128 * 1024)
"""Read at first, and if the header is longer: shadow headers of some vendors take 60-100 kB."""
DEEPEST = 8
"""Sequences of undefined length inside each other: more than any module has."""

_GROUP_LENGTH = struct.pack("<HH2sH", META_GROUP, 0, b"UL", 4)
_META_TAGS = frozenset(
    (tags.MEDIA_STORAGE_SOP_CLASS_UID, tags.MEDIA_STORAGE_SOP_INSTANCE_UID, tags.TRANSFER_SYNTAX_UID)
)
_SYNTAXES = {uid.encode(): uid for uid in (IMPLICIT, EXPLICIT, *COMPRESSED_SYNTAXES)}
_FIRST_PIXEL_TAG = tags.FLOAT_PIXEL_DATA
_GROUP_0000 = 0xFFFF
"""Its last tag: it stands in messages only; zeros were read as elements, where a copy broke off."""
_NO_END = 0
_LOOKS_EXPLICIT = re.compile(rb"[A-Z]{2}").match
_NO_LIMIT = UNDEFINED_LENGTH

# Value representations by the two letters as they stand in the file, read as one number.
_SHORT = {int.from_bytes(form, "little"): form.decode() for form in SHORT_FORMS}
_LONG = {int.from_bytes(form, "little"): form.decode() for form in LONG_FORMS}
_WIDE, _LENGTH = struct.Struct("<HHI").unpack_from, struct.Struct("<I").unpack_from
_EXPLICIT = struct.Struct("<HHHH").unpack_from
_ITEM_END = 0xFFFEE00D
_ITEM_BYTES = b"\xfe\xff\x00\xe0"
_ITEM_HEAD = 8
_MOST_CONVERTED_BYTES = len(_ITEM_BYTES) * MAX_CONVERTED_ITEMS
# Character sets whose names pydicom knows as they stand; what is misspelt it repairs, or refuses.
CHARACTER_SETS = frozenset(
    (
        *("", "ISO_IR 192", "GB18030", "GBK"),
        *(f"ISO_IR {number}" for number in (6, 13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166)),
        *(f"ISO 2022 IR {number}" for number in (6, 13, 58, 87, 100, 101, 109, 110, 126, 127, 138, 144)),
        *(f"ISO 2022 IR {number}" for number in (148, 149, 159, 166)),
    )
)


@dataclass(frozen=True)
class Asked:
    """What a reader wants of a header.

    Parameters
    ----------
    wanted
        Tags whose values are kept.
    sequences
        Tags with which a header is not plain, for this reader: he would have to enter them.
    longest
        Longer values are stepped over, bytes.
    """

    wanted: frozenset[int]
    sequences: frozenset[int] = frozenset()
    longest: int = _NO_LIMIT

    @cached_property
    def all(self) -> frozenset[int]:
        """Return everything that is looked for."""
        return self.wanted | self.sequences | CONVERTED | {tags.SPECIFIC_CHARACTER_SET}


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

    @property
    def digest(self) -> str:
        """Return the hexadecimal BLAKE2b, 16 bytes, of everything before the pixel data."""
        return hashlib.blake2b(self.head, digest_size=16).hexdigest()


class _OddError(Exception):
    """Something is not plain."""


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
    except (_OddError, struct.error, KeyError):
        return None


def _walk(data: bytes, asked: Asked, n_bytes: int, *, is_whole: bool) -> PlainHeader:
    meta, begin = _walk_meta(data)
    syntax = _SYNTAXES.get((meta[tags.TRANSFER_SYNTAX_UID][1] or b"").rstrip(b"\0"))
    if syntax is None:
        raise _OddError
    found: dict[int, Element] = {}
    walk = _walk_implicit if syntax == IMPLICIT else _walk_explicit
    end, pixel_tag, pixels_at, n_pixel_bytes = walk(data, begin, asked, found)
    _check(found, asked)
    if end == begin or (not pixel_tag and not is_whole):
        raise _OddError
    return PlainHeader(
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


def _check(found: Mapping[int, Element], asked: Asked) -> None:
    """Check what is not seen from element to element."""
    if not asked.sequences.isdisjoint(found):
        raise _OddError
    values = [value or b"" for _, value, _ in found.values()]
    for tag in CONVERTED.intersection(found):
        _, value, _ = found[tag]
        if value is None or len(value) > _MOST_CONVERTED_BYTES:  # too many of its items are refused
            raise _OddError
        values.remove(value)
    if _ITEM_BYTES in b"".join(values):  # sequences where none belongs
        raise _OddError
    if tags.SPECIFIC_CHARACTER_SET in found:
        form, value, _ = found[tags.SPECIFIC_CHARACTER_SET]
        _check_character_set(form, value)


def _check_character_set(form: str | None, value: bytes | None) -> None:
    names = (value or b"").decode("latin-1").rstrip(" \0").split("\\")
    if value is None or form not in ("CS", None) or not CHARACTER_SETS.issuperset(names):
        raise _OddError


def _walk_meta(data: bytes) -> tuple[dict[int, Element], int]:
    """Return what is asked of the file meta information, and where the data set begins."""
    if not has_preamble(data) or not data.startswith(_GROUP_LENGTH, META_AT):
        raise _OddError
    found: dict[int, Element] = {}
    previous, at = -1, META_AT
    while True:
        group, element, code, length = _EXPLICIT(data, at)
        if group != META_GROUP:
            break
        form = _SHORT.get(code)
        at += 8
        if form is None:
            form, (length,) = _LONG.get(code), _LENGTH(data, at)
            at += 4
        end = at + length
        if form is None or element <= previous or end > len(data):
            raise _OddError
        if META_GROUP << 16 | element in _META_TAGS:
            found[META_GROUP << 16 | element] = form, data[at:end], True
        previous, at = element, end
    if tags.TRANSFER_SYNTAX_UID not in found:
        raise _OddError
    return found, at


_End = tuple[int, int, int, int]
"""Where the header ends; tag of the pixel data, where their value begins, and its length."""


def _walk_explicit(data: bytes, at: int, asked: Asked, found: dict[int, Element]) -> _End:
    """Walk a data set that states each value representation; one loop, for calls would double its time."""
    short, unpack, looked_for = _SHORT, _EXPLICIT, asked.all
    longest, previous = asked.longest, _GROUP_0000
    try:
        while True:
            group, element, code, length = unpack(data, at)
            tag = group << 16 | element
            if tag <= previous:
                raise _OddError
            if code in short:
                at += 8 + length
            else:
                form, (length,) = _LONG[code], _LENGTH(data, at + 8)
                if tag >= _FIRST_PIXEL_TAG:
                    return _end_at_pixels(previous, tag, at, at + 12, length)
                if form == "SQ" and tag in asked.wanted:
                    raise _OddError
                at += 12
                if length == UNDEFINED_LENGTH:
                    end = _skip_undefined(data, tag, form, at, asked)
                    at, length = end, end - at
                else:
                    at += length
            previous = tag
            if tag in looked_for:
                value = None if length > longest else data[at - length : at]
                found[tag] = short.get(code) or form, value, True
    except struct.error:
        return _end_without_pixels(data, at, previous)


def _walk_implicit(data: bytes, at: int, asked: Asked, found: dict[int, Element]) -> _End:
    """Walk a data set that states none."""
    if _LOOKS_EXPLICIT(data, at + 4):
        raise _OddError
    unpack, looked_for = _WIDE, asked.all
    longest, previous = asked.longest, _GROUP_0000
    try:
        while True:
            group, element, length = unpack(data, at)
            tag = group << 16 | element
            if tag <= previous:
                raise _OddError
            at += 8
            if tag >= _FIRST_PIXEL_TAG:
                return _end_at_pixels(previous, tag, at - 8, at, length)
            if length == UNDEFINED_LENGTH:
                end = _skip_undefined(data, tag, None, at, asked)
                at, length = end, end - at
            else:
                at += length
            previous = tag
            if tag in looked_for:
                found[tag] = None, None if length > longest else data[at - length : at], True
    except struct.error:
        return _end_without_pixels(data, at, previous)


def _end_at_pixels(previous: int, tag: int, at: int, value_at: int, length: int) -> _End:
    if tag not in PIXEL_TAGS or previous >= _FIRST_PIXEL_TAG:
        raise _OddError
    return at, tag, value_at, length


def _end_without_pixels(data: bytes, at: int, previous: int) -> _End:
    if at != len(data) or previous >= _FIRST_PIXEL_TAG:
        raise _OddError
    return at, 0, 0, 0


def _skip_undefined(data: bytes, tag: int, form: str | None, at: int, asked: Asked) -> int:
    """Return where the element behind one of undefined length begins, if it is a sequence and not wanted."""
    is_sequence = form == "SQ" if form else _is_sequence(data, tag, at)
    if not is_sequence or tag in asked.wanted:
        raise _OddError
    return _skip_sequence(data, at, is_implicit=form is None)


def _is_sequence(data: bytes, tag: int, value_at: int) -> bool:
    """Return whether pydicom takes an element without representation and length for a sequence."""
    return tag in COMMON_SEQUENCES or (tag >> 16 & 1 == 1 and data.startswith(_ITEM_BYTES, value_at))


def _skip_sequence(data: bytes, at: int, *, is_implicit: bool, depth: int = 0) -> int:
    """Return where the element behind a sequence of undefined length begins."""
    if depth == DEEPEST:
        raise _OddError
    while True:
        group, element, length = _WIDE(data, at)
        tag, at = group << 16 | element, at + _ITEM_HEAD
        if tag == SEQUENCE_END and not length:
            return at
        if tag != ITEM:
            raise _OddError
        end = _NO_END if length == UNDEFINED_LENGTH else at + length
        at = _skip_item(data, at, end, is_implicit=is_implicit, depth=depth)


def _skip_item(data: bytes, at: int, end: int, *, is_implicit: bool, depth: int) -> int:
    """Return where an item ends, whose elements must fill it."""
    while at != end:
        group, element, length = _WIDE(data, at)
        tag, form, value_at = group << 16 | element, None, at + 8
        if tag == _ITEM_END and not length and end == _NO_END:
            return value_at
        if not is_implicit:
            code = length & 0xFFFF
            form = _SHORT.get(code)
            if form is not None:
                length >>= 16
            else:
                form, (length,) = _LONG.get(code), _LENGTH(data, value_at)
                value_at += 4
        if group == DELIMITERS or (form is None and not is_implicit):
            raise _OddError
        if length == UNDEFINED_LENGTH:
            if not (_is_sequence(data, tag, value_at) if is_implicit else form == "SQ"):
                raise _OddError
            at = _skip_sequence(data, value_at, is_implicit=is_implicit, depth=depth + 1)
        else:
            at = value_at + length
        if tag == tags.SPECIFIC_CHARACTER_SET:
            _check_character_set(form, data[value_at:at])
        if at > end > 0:
            raise _OddError
    return at

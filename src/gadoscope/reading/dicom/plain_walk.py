"""The elements of a data set that is written plainly, walked where they lie: no object for each.

References
----------
DICOM PS3.5 7 (data elements, sequences)
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.element_walk import (
    DELIMITERS,
    ITEM,
    LONG_FORMS,
    PIXEL_TAGS,
    SEQUENCE_END,
    SHORT_FORMS,
    UNDEFINED_LENGTH,
)
from gadoscope.reading.dicom.elements import Element
from gadoscope.reading.dicom.plain_patterns import ITEM_BYTES, Patterns, Place
from gadoscope.reading.dicom.plain_runs import HEAD_BYTES, MOST_BYTES_IN_A_RUN, MOST_IN_A_RUN, Part, Runs
from gadoscope.reading.dicom.sequences import COMMON_SEQUENCES, CONVERTED

DEEPEST = 8
"""Sequences of undefined length inside each other: more than any module has."""

_FIRST_PIXEL_TAG = tags.FLOAT_PIXEL_DATA
_GROUP_0000 = 0xFFFF
"""Its last tag: it stands in messages only; zeros were read as elements, where a copy broke off."""
_NO_END = 0
_LOOKS_EXPLICIT = re.compile(rb"[A-Z]{2}").match
_NO_LIMIT = UNDEFINED_LENGTH

SHORT = {int.from_bytes(form, "little"): form.decode() for form in SHORT_FORMS}
LONG = {int.from_bytes(form, "little"): form.decode() for form in LONG_FORMS}
"""Value representations by the two letters as they stand in the file, read as one number."""
_WIDE = struct.Struct("<HHI").unpack_from
read_length = struct.Struct("<I").unpack_from
read_explicit = struct.Struct("<HHHH").unpack_from
_ITEM_END = 0xFFFEE00D
HEAD, LONG_HEAD = 8, 12
_UNDEFINED = b"\xff\xff\xff\xff"
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
    is_of_many
        Whether the headers of whole series are read: then what they share is learnt.
    """

    wanted: frozenset[int]
    sequences: frozenset[int] = frozenset()
    longest: int = _NO_LIMIT
    is_of_many: bool = False

    @cached_property
    def all(self) -> frozenset[int]:
        """Return everything that is looked for."""
        return self.wanted | self.sequences | CONVERTED | {tags.SPECIFIC_CHARACTER_SET}

    @cached_property
    def explicit_runs(self) -> Runs:
        """Return what is remembered of data sets that state each value representation."""
        return Runs()

    @cached_property
    def implicit_runs(self) -> Runs:
        """Return what is remembered of those that state none."""
        return Runs()

    @cached_property
    def patterns(self) -> Patterns:
        """Return what is remembered of the last series."""
        return Patterns()


class OddError(Exception):
    """Something is not plain."""


End = tuple[int, int, int, int]
"""Where the header ends; tag of the pixel data, where their value begins, and its length; 0 where there are
none."""


class _Stop(NamedTuple):
    """Where a walk stands: where the next element begins, the last tag before it, the end if it is there."""

    at: int
    previous: int
    end: End | None = None


def walk_elements(
    data: bytes, begin: int, asked: Asked, found: dict[int, Element], *, is_implicit: bool
) -> End:
    """Walk a data set up to its pixels.

    Parameters
    ----------
    begin
        Where the data set begins in ``data``.
    found
        Takes what is asked, by tag.

    Raises
    ------
    OddError, KeyError, struct.error
        If anything is odd.
    """
    if is_implicit and _LOOKS_EXPLICIT(data, begin + 4):
        raise OddError
    runs = asked.implicit_runs if is_implicit else asked.explicit_runs
    walk = _walk_implicit if is_implicit else _walk_explicit
    at, previous, end = begin, _GROUP_0000, None
    while end is None:
        at, previous = runs.follow(data, at, previous, found)
        if runs.knows(data[at : at + HEAD_BYTES]):
            at, previous, end = walk(data, at, previous, asked, found)
        else:
            at, previous, end = _learn(runs, walk, data, _Stop(at, previous), asked, found)
    return end


def list_places(data: bytes, begin: int, end: int, asked: Asked, *, is_implicit: bool) -> list[Place]:
    """Return where the elements lie between two places; parameters and errors as of `walk_elements`."""
    walk = _walk_implicit if is_implicit else _walk_explicit
    places, stop = [], _Stop(begin, _GROUP_0000)
    while stop.at < end:
        at, form, n_head, n_length = stop.at, None, HEAD, 4
        if not is_implicit:
            code = read_explicit(data, at)[2]
            form, n_head, n_length = (SHORT[code], HEAD, 2) if code in SHORT else (LONG[code], LONG_HEAD, 4)
        value_at = at + n_head
        stop = walk(data, at, stop.previous, asked, {})
        tag = stop.previous
        has_length = n_length == 2 or data[value_at - n_length : value_at] != _UNDEFINED  # noqa: PLR2004 — bytes
        is_sequence = form == "SQ" or tag in CONVERTED or (form is None and _is_sequence(data, tag, value_at))
        places.append(Place(tag, form, at, value_at, stop.at, n_length, has_length and not is_sequence))
    return places


def _learn(
    runs: Runs, walk: "_Walk", data: bytes, stop: _Stop, asked: Asked, found: dict[int, Element]
) -> _Stop:
    """Walk some elements one by one, and remember them for the next file."""
    head, parts = data[stop.at : stop.at + HEAD_BYTES], []
    for _ in range(MOST_IN_A_RUN):
        start = stop.at
        stop = walk(data, start, stop.previous, asked, found)
        part = None if stop.end else _take_part(data, start, stop, asked, is_implicit=walk is _walk_implicit)
        if part is None:
            break
        parts.append(part)
        if runs.knows(data[stop.at : stop.at + HEAD_BYTES]):
            break
    runs.remember(head, tuple(parts))
    return stop


def _take_part(data: bytes, start: int, stop: _Stop, asked: Asked, *, is_implicit: bool) -> Part | None:
    """Return the element that was stepped over; ``None`` of one that is walked in each file.

    That is what has no length, and what is too long to be kept or to be spelt out.
    """
    form, n_head = None, HEAD
    if not is_implicit:
        code = read_explicit(data, start)[2]
        form, n_head = (SHORT[code], HEAD) if code in SHORT else (LONG[code], LONG_HEAD)
    head = data[start : start + n_head]
    n_bytes = stop.at - start - n_head
    is_kept = stop.previous in asked.all
    has_no_length = head.endswith(_UNDEFINED) and (is_implicit or n_head == LONG_HEAD)
    if has_no_length or n_bytes > min(asked.longest, MOST_BYTES_IN_A_RUN):
        return None
    return Part(stop.previous, form, head, n_bytes, is_kept)


def _walk_explicit(data: bytes, at: int, previous: int, asked: Asked, found: dict[int, Element]) -> _Stop:
    """Walk one element of a data set that states each value representation."""
    try:
        group, element, code, length = read_explicit(data, at)
        tag = group << 16 | element
        if tag <= previous:
            raise OddError
        form = SHORT.get(code)
        if form is not None:
            end = at + HEAD + length
        else:
            form, (length,) = LONG[code], read_length(data, at + HEAD)
            if tag >= _FIRST_PIXEL_TAG:
                return _Stop(at, previous, _end_at_pixels(previous, tag, at, at + LONG_HEAD, length))
            if form == "SQ" and tag in asked.wanted:
                raise OddError
            at += LONG_HEAD
            end = at + length
            if length == UNDEFINED_LENGTH:
                end = _skip_undefined(data, tag, form, at, asked)
                length = end - at
    except struct.error:
        return _Stop(at, previous, _end_without_pixels(data, at, previous))
    if tag in asked.all:
        found[tag] = form, None if length > asked.longest else data[end - length : end], True
    return _Stop(end, tag)


def _walk_implicit(data: bytes, at: int, previous: int, asked: Asked, found: dict[int, Element]) -> _Stop:
    """Walk one element of a data set that states none."""
    try:
        group, element, length = _WIDE(data, at)
        tag = group << 16 | element
        if tag <= previous:
            raise OddError
        at += HEAD
        if tag >= _FIRST_PIXEL_TAG:
            return _Stop(at, previous, _end_at_pixels(previous, tag, at - HEAD, at, length))
        end = at + length
        if length == UNDEFINED_LENGTH:
            end = _skip_undefined(data, tag, None, at, asked)
            length = end - at
    except struct.error:
        return _Stop(at, previous, _end_without_pixels(data, at, previous))
    if tag in asked.all:
        found[tag] = None, None if length > asked.longest else data[end - length : end], True
    return _Stop(end, tag)


_Walk = Callable[[bytes, int, int, Asked, dict[int, Element]], _Stop]


def _end_at_pixels(previous: int, tag: int, at: int, value_at: int, length: int) -> End:
    if tag not in PIXEL_TAGS or previous >= _FIRST_PIXEL_TAG:
        raise OddError
    return at, tag, value_at, length


def _end_without_pixels(data: bytes, at: int, previous: int) -> End:
    if at != len(data) or previous >= _FIRST_PIXEL_TAG:
        raise OddError
    return at, 0, 0, 0


def _skip_undefined(data: bytes, tag: int, form: str | None, at: int, asked: Asked) -> int:
    """Return where the element behind one of undefined length begins, if it is a sequence and not wanted."""
    is_sequence = form == "SQ" if form else _is_sequence(data, tag, at)
    if not is_sequence or tag in asked.wanted:
        raise OddError
    return _skip_sequence(data, at, is_implicit=form is None)


def _is_sequence(data: bytes, tag: int, value_at: int) -> bool:
    """Return whether pydicom takes an element without representation and length for a sequence."""
    return tag in COMMON_SEQUENCES or (tag >> 16 & 1 == 1 and data.startswith(ITEM_BYTES, value_at))


def _skip_sequence(data: bytes, at: int, *, is_implicit: bool, depth: int = 0) -> int:
    """Return where the element behind a sequence of undefined length begins."""
    if depth == DEEPEST:
        raise OddError
    while True:
        group, element, length = _WIDE(data, at)
        tag, at = group << 16 | element, at + HEAD
        if tag == SEQUENCE_END and not length:
            return at
        if tag != ITEM:
            raise OddError
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
            form = SHORT.get(code)
            if form is not None:
                length >>= 16
            else:
                form, (length,) = LONG.get(code), read_length(data, value_at)
                value_at += 4
        if group == DELIMITERS or (form is None and not is_implicit):
            raise OddError
        if length == UNDEFINED_LENGTH:
            if not (_is_sequence(data, tag, value_at) if is_implicit else form == "SQ"):
                raise OddError
            at = _skip_sequence(data, value_at, is_implicit=is_implicit, depth=depth + 1)
        else:
            at = value_at + length
        if tag == tags.SPECIFIC_CHARACTER_SET:
            check_character_set(form, data[value_at:at])
        if at > end > 0:
            raise OddError
    return at


def check_character_set(form: str | None, value: bytes | None) -> None:
    """Raise OddError unless a Specific Character Set is one that pydicom takes as it stands."""
    names = (value or b"").decode("latin-1").rstrip(" \0").split("\\")
    if value is None or form not in ("CS", None) or not CHARACTER_SETS.issuperset(names):
        raise OddError

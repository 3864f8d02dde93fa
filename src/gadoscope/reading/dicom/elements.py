"""Data elements with values as they stand in the file.

The few values that every instance must give are decoded here from their bytes, which takes a microsecond each
and cannot fail, where pydicom's own objects take ten and may raise.

References
----------
DICOM PS3.5 6.2 (value representations), 7 (data elements)
"""

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from gadoscope.reading.dicom import tags

LONGEST_VALUE_BYTES = 16 * 1024
"""Longer values of classic instances are private blobs or icons, which the scan steps over."""
UID = re.compile(r"[0-9.]{1,64}")
"""What a unique identifier looks like (PS3.5 9.1); in a damaged header it may hold the patient's name."""
BINARY_FORMS = {
    "US": ("H", 2),
    "SS": ("h", 2),
    "UL": ("I", 4),
    "SL": ("i", 4),
    "FL": ("f", 4),
    "FD": ("d", 8),
}
"""Value representations of numbers in binary: struct's letter and bytes of each (PS3.5 6.2)."""
BINARY_TAGS = {
    tags.INVERSION_TIMES: "FD",
    tags.EFFECTIVE_ECHO_TIME: "FD",
    tags.TEMPORAL_POSITION_INDEX: "UL",
    tags.NOMINAL_CARDIAC_TRIGGER_DELAY_TIME: "FD",
    tags.FRAME_ACQUISITION_NUMBER: "US",
    tags.SAMPLES_PER_PIXEL: "US",
    tags.ROWS: "US",
    tags.COLUMNS: "US",
    tags.BITS_ALLOCATED: "US",
    tags.BITS_STORED: "US",
    tags.HIGH_BIT: "US",
    tags.PIXEL_REPRESENTATION: "US",
    tags.FLOAT_PIXEL_PADDING_VALUE: "FL",
    tags.DOUBLE_FLOAT_PIXEL_PADDING_VALUE: "FD",
    tags.REAL_WORLD_VALUE_INTERCEPT: "FD",
    tags.REAL_WORLD_VALUE_SLOPE: "FD",
}
"""Value representations of the tags that are read and hold binary numbers, where the file does not say them
(PS3.6): values of the others are text."""
_PADDING = " \0"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""What no text of DICOM holds (PS3.5 6.1.3: only tab, line ends, form feed, escape); element headers do."""
_LARGEST_INTEGER = 2**63  # what a database column holds

Element: TypeAlias = tuple[str | None, bytes | None, bool]
"""Value representation, where the file says it; value as it stands there, ``None`` for a sequence and what
was stepped over; whether it is little endian. No class: a header has forty."""


class Elements:
    """Data elements by tag, read tolerantly: what is missing or unreadable is empty."""

    def __init__(self, by_tag: Mapping[int, Element]) -> None:
        self._by_tag = by_tag

    def __contains__(self, tag: int) -> bool:
        return tag in self._by_tag

    def find_text(self, tag: int) -> str:
        """Return the value without padding; several values stay joined by a backslash.

        Empty too where the value holds control characters: its length is wrong, and it swallowed elements
        behind it, perhaps the patient's name.
        """
        element = self._by_tag.get(tag)
        if element is None or not element[1]:
            return ""
        text = element[1].decode("latin-1").strip(_PADDING)
        # Nearly all are printable, which is told in a tenth of the time.
        return "" if not text.isprintable() and CONTROL.search(text) else text

    def find_words(self, tag: int) -> tuple[str, ...]:
        """Return the values of a code string, in capitals."""
        text = self.find_text(tag)
        return tuple(part.strip(_PADDING).upper() for part in text.split("\\")) if text else ()

    def find_numbers(self, tag: int) -> tuple[float, ...] | None:
        """Return all values as numbers, in text or binary; ``None`` if one of them is none."""
        element = self._by_tag.get(tag)
        if element is None:
            return None
        form, value, is_little_endian = element
        if not value or len(value) > LONGEST_VALUE_BYTES:
            return None
        if form is None or form == "UN":
            form = BINARY_TAGS.get(tag)
        if form in BINARY_FORMS:
            letter, size = BINARY_FORMS[form]
            n_values = len(value) // size
            order = "<" if is_little_endian else ">"
            return struct.unpack(f"{order}{n_values}{letter}", value[: n_values * size]) or None
        try:
            return tuple(map(float, value.strip(b" \0").split(b"\\")))
        except ValueError:
            return _parse_padded(value)

    def find_number(self, tag: int) -> float | None:
        """Return the first value as a number."""
        numbers = self.find_numbers(tag) if tag in self._by_tag else None
        return float(numbers[0]) if numbers else None

    def find_integer(self, tag: int) -> int | None:
        """Return the first value as a whole number."""
        number = self.find_number(tag) if tag in self._by_tag else None
        return int(number) if number is not None and abs(number) < _LARGEST_INTEGER else None

    def find_bytes(self, tag: int) -> bytes:
        """Return the value as it stands in the file; empty for a sequence or a value stepped over."""
        return self._by_tag.get(tag, _MISSING)[1] or b""

    def find_form(self, tag: int) -> str | None:
        """Return the value representation, where the file says it."""
        return self._by_tag.get(tag, _MISSING)[0]

    def pick(self, wanted: Sequence[int]) -> tuple[Element | None, ...]:
        """Return the elements of some tags, ``None`` where one is missing: equal ones say the same."""
        return tuple(map(self._by_tag.get, wanted))

    def iter_public(self) -> Iterator[tuple[int, Element]]:
        """Yield tag and element of what DICOM defines, privates left out."""
        return ((tag, element) for tag, element in self._by_tag.items() if not tag >> 16 & 1)


def _parse_padded(value: bytes) -> tuple[float, ...] | None:
    """Return the numbers of a text whose values are padded one by one; ``None`` if one of them is none."""
    try:
        return tuple(float(part.strip(b" \0")) for part in value.split(b"\\"))
    except ValueError:
        return None


_MISSING: Element = (None, None, True)

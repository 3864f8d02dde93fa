"""Data elements with values as they stand in the file.

pydicom finds the elements; the few values that every instance must give are decoded here from their bytes,
which takes a microsecond each and cannot fail, where pydicom's own objects take ten and may raise.

References
----------
DICOM PS3.5 6.2 (value representations), 7 (data elements)
"""

import re
import struct
from collections.abc import Iterator, Mapping

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

LONGEST_VALUE_BYTES = 16 * 1024
"""Longer values of classic instances are private blobs or icons, which the scan steps over."""
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


def find_items(dataset: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence; none where it is missing."""
    if tag not in dataset:
        return []
    value = dataset[tag].value
    return list(value) if isinstance(value, Items) else []

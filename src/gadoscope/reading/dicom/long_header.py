"""Long headers, read for what is asked of them and no more, at a cost that is bounded.

pydicom takes up to 0.1 ms for an item of a sequence, and 1.5 kB: a forged header of a million items, or a
file that a broken copy filled with zeros, would take minutes and all memory, and the functional groups of
2,000 frames 14 s. So what does not fit into the first read is taken apart here. Elements stay as they stand
in the file, for pydicom to decode the few that are asked for; private sequences are stepped over; of
functional groups only the macros that somebody reads are kept, each different one once.

References
----------
DICOM PS3.5 7 (data elements, sequences); PS3.3 C.7.6.16 (functional groups)
"""

from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.element_walk import (
    PIXEL_TAGS,
    UNDEFINED_LENGTH,
    NeedsMoreError,
    Walk,
    damaged,
    too_many,
)
from gadoscope.reading.dicom.sequences import CONVERTED, MAX_CONVERTED_ITEMS, NOTICED

STEPS_A_MACRO = 20
"""Of a macro that is kept: an object of pydicom's takes as long as so many elements that are stepped over."""
MAX_TOP_ELEMENTS = 20_000
"""Outside sequences: the longest headers of scanners have two thousand."""
MAX_DISORDER = 64
"""Elements that do not ascend: some writers append a few; whatever repeats for ever is no header."""
MAX_CONVERTED_BYTES = 256 * 1024
"""Of a sequence that pydicom decodes: an agent takes a few hundred bytes."""
MAX_MACRO_ITEMS = 64
"""A macro has one item, or one for each agent or value map."""

_GROUPS = frozenset((tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE))
FRAME_MACROS = frozenset(
    (
        tags.MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE,  # MR Timing and Related Parameters
        tags.MR_ECHO_SEQUENCE,  # MR Echo
        tags.MR_MODIFIER_SEQUENCE,  # MR Modifier
        tags.MR_DIFFUSION_SEQUENCE,  # MR Diffusion
        tags.CARDIAC_SYNCHRONIZATION_SEQUENCE,  # Cardiac Synchronization
        tags.MR_IMAGE_FRAME_TYPE_SEQUENCE,  # MR Image Frame Type
        tags.CONTRAST_BOLUS_USAGE_SEQUENCE,  # Contrast/Bolus Usage
        tags.FRAME_CONTENT_SEQUENCE,  # Frame Content
        tags.PLANE_POSITION_SEQUENCE,  # Plane Position
        tags.PLANE_ORIENTATION_SEQUENCE,  # Plane Orientation
        tags.UNASSIGNED_SHARED_CONVERTED_ATTRIBUTES_SEQUENCE,  # Unassigned Shared Converted Attributes
        tags.UNASSIGNED_PER_FRAME_CONVERTED_ATTRIBUTES_SEQUENCE,  # Unassigned Per-Frame Converted Attributes
        tags.TEMPORAL_POSITION_SEQUENCE,  # Temporal Position
        tags.PIXEL_MEASURES_SEQUENCE,  # Pixel Measures
        tags.FRAME_VOILUT_SEQUENCE,  # Frame VOI LUT
        tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE,  # Pixel Value Transformation
        tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,  # Real World Value Mapping
    )
)
"""What is asked of each frame; of the first frame, and of what all share, every macro is kept."""


@dataclass(frozen=True)
class ParsedHeader:
    """A data set up to its pixels.

    Parameters
    ----------
    dataset
        What was kept of it.
    end
        Where the element of the pixels begins, or all of the data where there is none.
    has_pixels
        Whether the pixel data follow.
    pixel_tag, pixels_at, n_pixel_bytes
        Of the pixel data: their tag, where their value begins and its length as stated; 0 where nobody asked.
    """

    dataset: Dataset
    end: int
    has_pixels: bool
    pixel_tag: int = 0
    pixels_at: int = 0
    n_pixel_bytes: int = 0


def parse_long_header(
    data: bytes,
    begin: int,
    *,
    is_implicit: bool,
    is_little_endian: bool,
    longest: int | None,
    macros: frozenset[int],
    is_whole: bool,
) -> ParsedHeader | None:
    """Take the beginning of a file apart, up to its pixels; ``None`` if more of it is needed for that.

    Parameters
    ----------
    begin
        Where the data set begins in ``data``.
    is_implicit, is_little_endian
        How it is written.
    longest
        Longer values are stepped over, bytes; ``None`` for no limit.
    macros
        Of the functional groups of each frame; where there are none, the groups are stepped over.
    is_whole
        Whether nothing follows ``data`` in the file.

    Raises
    ------
    ReadError
        ``damaged_header``.
    RefusedError
        ``too_many_elements``.
    """
    parser = _Parser(data, is_implicit=is_implicit, is_little_endian=is_little_endian, macros=macros)
    try:
        return parser.parse(begin, longest, is_whole=is_whole)
    except NeedsMoreError:
        if not is_whole:
            return None
        raise damaged() from None


def iter_sequence(
    data: bytes, begin: int, *, tag: int, is_implicit: bool, is_little_endian: bool
) -> Iterator[dict[int, bytes]]:
    """Yield the plain elements of each item of one sequence of a data set.

    Sequences inside the items are stepped over. Errors as `parse_long_header`.
    """
    parser = _Parser(data, is_implicit=is_implicit, is_little_endian=is_little_endian, macros=frozenset())
    at = begin
    try:
        while at < len(data):
            found, _, length, value_at = parser.read_element(at)
            if found == tag:
                if length != UNDEFINED_LENGTH and value_at + length > len(data):
                    raise damaged()
                for start, end in parser.iter_items(value_at, length):
                    elements = parser.parse_item(start, end)
                    yield {int(key): element.value or b"" for key, element in elements.items()}
                return
            at = parser.skip(value_at, length)
    except NeedsMoreError:
        raise damaged() from None


class _Parser(Walk):
    """What is kept of one data set."""

    def __init__(
        self, data: bytes, *, is_implicit: bool, is_little_endian: bool, macros: frozenset[int]
    ) -> None:
        super().__init__(data, is_implicit=is_implicit, is_little_endian=is_little_endian)
        self._wanted = macros
        self._encoding: str | MutableSequence[str] = default_encoding
        self._macros: dict[tuple[int, bytes], DataElement] = {}
        self._tags: dict[int, BaseTag] = {}

    def parse(self, at: int, longest: int | None, *, is_whole: bool) -> ParsedHeader:
        """Take the outermost elements."""
        n_bytes = len(self.data)
        kept: dict[BaseTag, RawDataElement | DataElement] = {}
        previous, n_disorder, n_top = 0, 0, 0
        while at + 8 <= n_bytes:
            tag, form, length, value_at = self.read_element(at)
            if tag in PIXEL_TAGS:
                return ParsedHeader(self._dataset(kept), at, True, tag, value_at, length)
            n_top += 1
            n_disorder += tag <= previous
            previous = tag
            if tag >> 16 == 0 or n_disorder > MAX_DISORDER:
                raise damaged()
            if n_top > MAX_TOP_ELEMENTS:
                raise too_many()
            at = self.skip(value_at, length, is_whole=is_whole)
            element = self._keep(tag, form, length, value_at, at, longest)
            if element is not None:
                kept[self._base(tag)] = element
            if tag == tags.SPECIFIC_CHARACTER_SET and isinstance(element, RawDataElement):
                self._encoding = convert_encodings(convert_raw_data_element(element).value)
        if not is_whole:
            raise NeedsMoreError
        return ParsedHeader(self._dataset(kept), n_bytes, has_pixels=False)

    def parse_item(self, at: int, end: int) -> dict[BaseTag, RawDataElement | DataElement]:
        """Return the elements of an item, sequences left out unless they are decoded."""
        kept: dict[BaseTag, RawDataElement | DataElement] = {}
        while at + 8 <= end:
            tag, form, length, value_at = self.read_element(at)
            at = self.skip(value_at, length)
            element = self._keep_plain(tag, form, length, value_at, min(at, end), None)
            if element is not None:
                kept[self._base(tag)] = element
        return kept

    def _keep(
        self, tag: int, form: str | None, length: int, value_at: int, end: int, longest: int | None
    ) -> RawDataElement | DataElement | None:
        if tag in _GROUPS and length and self._wanted:
            groups = [
                self._parse_group(start, stop, keeps_all=not index)
                for index, (start, stop) in enumerate(self.iter_items(value_at, length))
            ]
            return DataElement(self._base(tag), "SQ", Items(groups))
        return self._keep_plain(tag, form, length, value_at, end, longest)

    def _parse_group(self, at: int, end: int, *, keeps_all: bool) -> Dataset:
        """Return the macros of a functional group that somebody reads."""
        self.spend(STEPS_A_MACRO)
        macros: dict[BaseTag, RawDataElement | DataElement] = {}
        while at + 8 <= end:
            tag, _, length, value_at = self.read_element(at)
            at = self.skip(value_at, length)
            if tag in self._wanted or (keeps_all and not tag >> 16 & 1 and self._is_sequence(value_at)):
                macros[self._base(tag)] = self._macro(tag, value_at, length, at)
        return self._dataset(macros)

    def _macro(self, tag: int, value_at: int, length: int, end: int) -> DataElement:
        key = (tag, self.data[value_at:end])
        known = self._macros.get(key)
        if known is None:
            items: list[Dataset] = []
            for start, stop in self.iter_items(value_at, length):
                self.spend(STEPS_A_MACRO)
                if len(items) < MAX_MACRO_ITEMS:
                    items.append(self._dataset(self.parse_item(start, stop)))
            known = self._macros[key] = DataElement(self._base(tag), "SQ", Items(items))
        return known

    def _keep_plain(
        self, tag: int, form: str | None, length: int, value_at: int, end: int, longest: int | None
    ) -> RawDataElement | None:
        """Return an element as it stands in the file, `NOTICED` empty; ``None`` for other sequences."""
        if length == UNDEFINED_LENGTH:
            end -= 8  # without its delimiter
        n_bytes = end - value_at
        is_sequence = form == "SQ" or length == UNDEFINED_LENGTH or self._is_sequence(value_at)
        if tag in CONVERTED:
            n_items = self.data.count(self.item, value_at, end)
            if n_bytes > MAX_CONVERTED_BYTES or n_items > MAX_CONVERTED_ITEMS:
                raise too_many()
            form = "SQ" if form == "UN" and is_sequence else form
        elif tag in NOTICED:
            form, n_bytes, end = "SQ", 0, value_at
        elif is_sequence:
            return None
        value = None if longest is not None and n_bytes > longest else self.data[value_at:end]
        implicit = self.is_implicit or form is None
        return RawDataElement(
            self._base(tag), form, n_bytes, value, value_at, implicit, self.is_little_endian
        )

    def _is_sequence(self, value_at: int) -> bool:
        return self.data.startswith(self.item, value_at)

    def _dataset(self, elements: dict[BaseTag, RawDataElement | DataElement]) -> Dataset:
        dataset = Dataset(elements)
        dataset.set_original_encoding(self.is_implicit, self.is_little_endian, self._encoding)
        return dataset

    def _base(self, tag: int) -> BaseTag:
        return self._tags.get(tag) or self._tags.setdefault(tag, BaseTag(tag))

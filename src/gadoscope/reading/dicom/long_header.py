"""Long headers, read for what is asked of them and no more, at a cost that is bounded.

pydicom takes up to 0.1 ms for an item of a sequence, and 1.5 kB: a forged header of a million items, or a
file that a broken copy filled with zeros, would take minutes and all memory, and the functional groups of
2,000 frames 14 s. So what does not fit into the first read is taken apart here. Elements stay as they stand
in the file, for pydicom to decode the few that are asked for; private sequences are stepped over; of
functional groups only the macros that somebody reads are kept, each different one once.

The budget counts steps, not seconds: a clock would make the rows depend on the machine and its load.

References
----------
DICOM PS3.5 7 (data elements, sequences); PS3.3 C.7.6.16 (functional groups)
"""

import struct
from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags

MAX_STEPS = 1_200_000
"""Elements, and items at `STEPS_AN_ITEM`: more than 2,000 frames take with two hundred elements each, and
what this takes a second for."""
STEPS_AN_ITEM = 4
STEPS_A_MACRO = 20
"""Of a macro that is kept: an object of pydicom's takes as long as so many elements that are stepped over."""
MAX_TOP_ELEMENTS = 20_000
"""Outside sequences: the longest headers of scanners have two thousand."""
MAX_DISORDER = 64
"""Elements that do not ascend: some writers append a few; whatever repeats for ever is no header."""
MAX_CONVERTED_BYTES, MAX_CONVERTED_ITEMS = 256 * 1024, 512
"""Of a sequence that pydicom decodes: an agent takes a few hundred bytes."""
MAX_MACRO_ITEMS = 64
"""A macro has one item, or one for each agent or value map."""

UNDEFINED_LENGTH = 0xFFFFFFFF
_GROUPS = frozenset((tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE))
_PIXEL_TAGS = frozenset((tags.FLOAT_PIXEL_DATA, tags.DOUBLE_FLOAT_PIXEL_DATA, tags.PIXEL_DATA))
# Sequences that are decoded: agents, ingredients, usage, value maps, regions, and what animal it is.
CONVERTED = frozenset(
    (
        tags.CONTRAST_BOLUS_AGENT_SEQUENCE,
        tags.CONTRAST_BOLUS_ADMINISTRATION_ROUTE_SEQUENCE,
        tags.CONTRAST_BOLUS_INGREDIENT_CODE_SEQUENCE,
        tags.CONTRAST_ADMINISTRATION_PROFILE_SEQUENCE,
        tags.CONTRAST_BOLUS_USAGE_SEQUENCE,
        tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        tags.STRAIN_CODE_SEQUENCE,
        tags.PATIENT_SPECIES_CODE_SEQUENCE,
        tags.PATIENT_BREED_CODE_SEQUENCE,
        tags.ANATOMIC_REGION_SEQUENCE,
    )
)
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
_DELIMITERS, _ITEM, _SEQUENCE_END = 0xFFFE, 0xFFFEE000, 0xFFFEE0DD
_SHORT_FORMS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_FORMS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


@dataclass(frozen=True)
class LongHeader:
    """A data set up to its pixels.

    Parameters
    ----------
    dataset
        What was kept of it.
    end
        Where the element of the pixels begins, or all of the data where there is none.
    pixel_tag, pixels_at, n_pixel_bytes
        Of the pixel data: their tag, where their value begins and its length as stated; 0 without pixels.
    """

    dataset: Dataset
    end: int
    pixel_tag: int = 0
    pixels_at: int = 0
    n_pixel_bytes: int = 0


class _NeedsMoreError(Exception):
    """The data end inside an element."""


def parse_long_header(
    data: bytes,
    begin: int,
    *,
    is_implicit: bool,
    is_little_endian: bool,
    longest: int | None,
    macros: frozenset[int],
    is_whole: bool,
) -> LongHeader | None:
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
    except _NeedsMoreError:
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
    except _NeedsMoreError:
        raise damaged() from None


def damaged() -> ReadError:
    """Return the error of a header that is no header."""
    return ReadError("damaged_header", "its DICOM header is damaged; copy it again from its source.")


def too_many() -> RefusedError:
    """Return the error of a header beyond every budget."""
    return RefusedError(
        "too_many_elements",
        "its header holds more elements than that of any acquisition; export the series again.",
    )


class _Parser:
    """One data set, taken apart where it lies."""

    def __init__(
        self, data: bytes, *, is_implicit: bool, is_little_endian: bool, macros: frozenset[int]
    ) -> None:
        self._data, self._wanted = data, macros
        self._is_implicit, self._is_little_endian = is_implicit, is_little_endian
        order = "<" if is_little_endian else ">"
        self._wide = struct.Struct(f"{order}HHI")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}I")
        self._item = self._wide.pack(_ITEM >> 16, _ITEM & 0xFFFF, 0)[:4]
        self._encoding: str | MutableSequence[str] = default_encoding
        self._n_steps = 0
        self._ends: dict[int, int] = {}
        self._macros: dict[tuple[int, bytes], DataElement] = {}
        self._tags: dict[int, BaseTag] = {}

    def parse(self, at: int, longest: int | None, *, is_whole: bool) -> LongHeader:
        """Take the outermost elements."""
        n_bytes = len(self._data)
        kept: dict[BaseTag, RawDataElement | DataElement] = {}
        previous, n_disorder, n_top = 0, 0, 0
        while at + 8 <= n_bytes:
            tag, form, length, value_at = self.read_element(at)
            if tag in _PIXEL_TAGS:
                return LongHeader(self._dataset(kept), at, tag, value_at, length)
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
            raise _NeedsMoreError
        return LongHeader(self._dataset(kept), n_bytes)

    def read_element(self, at: int) -> tuple[int, str | None, int, int]:
        """Return tag, value representation, length and where the value begins."""
        data = self._data
        try:
            group, element, length = self._wide.unpack_from(data, at)
            tag = group << 16 | element
            form = data[at + 4 : at + 6]
            if self._is_implicit or group == _DELIMITERS:
                return tag, None, length, at + 8
            if form in _LONG_FORMS:
                return tag, form.decode(), self._long.unpack_from(data, at + 8)[0], at + 12
        except struct.error:
            raise _NeedsMoreError from None
        if form in _SHORT_FORMS or (form.isalpha() and form.isupper()):
            return tag, form.decode(), self._short.unpack_from(data, at + 6)[0], at + 8
        return tag, None, length, at + 8  # as pydicom: some writers switch to implicit on the way

    def skip(self, value_at: int, length: int, *, is_whole: bool = False) -> int:
        """Return where the element behind a value begins."""
        self._spend(1)
        if length != UNDEFINED_LENGTH:
            end = value_at + length
            if end > len(self._data) and not is_whole:
                raise _NeedsMoreError
            return min(end, len(self._data))
        return self._skip_undefined(value_at)

    def _skip_undefined(self, begin: int) -> int:  # noqa: C901 — one loop: calls would double its time
        """Step over a sequence without a length, and whatever lies in it.

        Where the sequences and items inside it end is kept, so that no one is walked through twice.
        """
        if begin in self._ends:
            return self._ends[begin]
        data, unpack, is_explicit = self._data, self._wide.unpack_from, not self._is_implicit
        ends, open_at, at, n_steps = self._ends, [begin], begin, self._n_steps
        try:
            while open_at:
                group, element, length = unpack(data, at)
                n_steps += 1
                at += 8
                if group == _DELIMITERS:
                    if element != _ITEM & 0xFFFF:
                        ends[open_at.pop()] = at
                        continue
                    n_steps += STEPS_AN_ITEM - 1
                elif is_explicit:
                    form = data[at - 4 : at - 2]
                    if form in _LONG_FORMS:
                        (length,) = self._long.unpack_from(data, at)
                        at += 4
                    elif form in _SHORT_FORMS or (form.isalpha() and form.isupper()):
                        (length,) = self._short.unpack_from(data, at - 2)
                if n_steps > MAX_STEPS:
                    raise too_many()
                if length == UNDEFINED_LENGTH:
                    open_at.append(at)
                else:
                    at += length
        except struct.error:
            raise _NeedsMoreError from None
        self._n_steps = n_steps
        return at

    def iter_items(self, at: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield where the content of each item of a sequence begins and ends."""
        data_end, sequence_end = len(self._data), at + length
        end = data_end if length == UNDEFINED_LENGTH else min(sequence_end, data_end)
        while at + 8 <= end:
            tag, _, n_bytes, start = self.read_element(at)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise damaged()
            self._spend(STEPS_AN_ITEM)
            if n_bytes == UNDEFINED_LENGTH:
                at = self._skip_undefined(start)
                yield start, at - 8  # without its delimiter
            else:
                at = start + n_bytes
                if at > data_end:
                    if length == UNDEFINED_LENGTH or end == data_end != sequence_end:
                        raise _NeedsMoreError
                    at = end  # the last item says that it is longer than its sequence, which is all there
                yield start, at

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
        self._spend(STEPS_A_MACRO)
        macros: dict[BaseTag, RawDataElement | DataElement] = {}
        while at + 8 <= end:
            tag, _, length, value_at = self.read_element(at)
            at = self.skip(value_at, length)
            if tag in self._wanted or (keeps_all and not tag >> 16 & 1 and self._is_sequence(value_at)):
                macros[self._base(tag)] = self._macro(tag, value_at, length, at)
        return self._dataset(macros)

    def _macro(self, tag: int, value_at: int, length: int, end: int) -> DataElement:
        key = (tag, self._data[value_at:end])
        known = self._macros.get(key)
        if known is None:
            items: list[Dataset] = []
            for start, stop in self.iter_items(value_at, length):
                self._spend(STEPS_A_MACRO)
                if len(items) < MAX_MACRO_ITEMS:
                    items.append(self._dataset(self.parse_item(start, stop)))
            known = self._macros[key] = DataElement(self._base(tag), "SQ", Items(items))
        return known

    def _keep_plain(
        self, tag: int, form: str | None, length: int, value_at: int, end: int, longest: int | None
    ) -> RawDataElement | None:
        """Return an element as it stands in the file; ``None`` for a sequence that nobody reads."""
        if length == UNDEFINED_LENGTH:
            end -= 8  # without its delimiter
        n_bytes = end - value_at
        is_sequence = form == "SQ" or length == UNDEFINED_LENGTH or self._is_sequence(value_at)
        if tag in CONVERTED:
            n_items = self._data.count(self._item, value_at, end)
            if n_bytes > MAX_CONVERTED_BYTES or n_items > MAX_CONVERTED_ITEMS:
                raise too_many()
            form = "SQ" if form == "UN" and is_sequence else form
        elif is_sequence:
            return None
        value = None if longest is not None and n_bytes > longest else self._data[value_at:end]
        implicit = self._is_implicit or form is None
        return RawDataElement(
            self._base(tag), form, n_bytes, value, value_at, implicit, self._is_little_endian
        )

    def _is_sequence(self, value_at: int) -> bool:
        return self._data.startswith(self._item, value_at)

    def _dataset(self, elements: dict[BaseTag, RawDataElement | DataElement]) -> Dataset:
        dataset = Dataset(elements)
        dataset.set_original_encoding(self._is_implicit, self._is_little_endian, self._encoding)
        return dataset

    def _base(self, tag: int) -> BaseTag:
        return self._tags.get(tag) or self._tags.setdefault(tag, BaseTag(tag))

    def _spend(self, n_steps: int) -> None:
        self._n_steps += n_steps
        if self._n_steps > MAX_STEPS:
            raise too_many()

"""A data set walked element by element where it lies, at a cost that is bounded.

The budget counts steps, not seconds: a clock would make the rows depend on the machine and its load.

References
----------
DICOM PS3.5 7 (data elements, sequences)
"""

import struct
from collections.abc import Iterator

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags

MAX_STEPS = 1_200_000
"""Elements, and items at `STEPS_AN_ITEM`: more than 2,000 frames take with two hundred elements each, and
what this takes a second for."""
STEPS_AN_ITEM = 4

UNDEFINED_LENGTH = 0xFFFFFFFF
DELIMITERS, ITEM, SEQUENCE_END = 0xFFFE, 0xFFFEE000, 0xFFFEE0DD
PIXEL_TAGS = frozenset((tags.FLOAT_PIXEL_DATA, tags.DOUBLE_FLOAT_PIXEL_DATA, tags.PIXEL_DATA))
"""What ends a header."""
SHORT_FORMS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_FORMS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Value representations whose lengths take two bytes, and four (PS3.5 7.1.2)."""


class NeedsMoreError(Exception):
    """The data end inside an element."""


def damaged() -> ReadError:
    """Return the error of a header that is no header."""
    return ReadError("damaged_header", "its DICOM header is damaged; copy it again from its source.")


def too_many() -> RefusedError:
    """Return the error of a header beyond every budget."""
    return RefusedError(
        "too_many_elements",
        "its header holds more elements than that of any acquisition; export the series again.",
    )


class Walk:
    """One data set, walked where it lies.

    Parameters
    ----------
    data
        What of the file was read.
    is_implicit, is_little_endian
        How the data set is written.
    """

    def __init__(self, data: bytes, *, is_implicit: bool, is_little_endian: bool) -> None:
        self.data = data
        self.is_implicit, self.is_little_endian = is_implicit, is_little_endian
        order = "<" if is_little_endian else ">"
        self._wide = struct.Struct(f"{order}HHI")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}I")
        self.item = self._wide.pack(ITEM >> 16, ITEM & 0xFFFF, 0)[:4]
        self._n_steps = 0
        self._ends: dict[int, int] = {}

    def read_element(self, at: int) -> tuple[int, str | None, int, int]:
        """Return tag, value representation, length and where the value begins."""
        data = self.data
        try:
            group, element, length = self._wide.unpack_from(data, at)
            tag = group << 16 | element
            form = data[at + 4 : at + 6]
            if self.is_implicit or group == DELIMITERS:
                return tag, None, length, at + 8
            if form in LONG_FORMS:
                return tag, form.decode(), self._long.unpack_from(data, at + 8)[0], at + 12
        except struct.error:
            raise NeedsMoreError from None
        if form in SHORT_FORMS or (form.isalpha() and form.isupper()):
            return tag, form.decode(), self._short.unpack_from(data, at + 6)[0], at + 8
        return tag, None, length, at + 8  # as pydicom: some writers switch to implicit on the way

    def skip(self, value_at: int, length: int, *, is_whole: bool = False) -> int:
        """Return where the element behind a value begins."""
        self.spend(1)
        if length != UNDEFINED_LENGTH:
            end = value_at + length
            if end > len(self.data) and not is_whole:
                raise NeedsMoreError
            return min(end, len(self.data))
        return self._skip_undefined(value_at)

    def _skip_undefined(self, begin: int) -> int:  # noqa: C901 — one loop: calls would double its time
        """Step over a sequence without a length, and whatever lies in it.

        Where the sequences and items inside it end is kept, so that no one is walked through twice.
        """
        if begin in self._ends:
            return self._ends[begin]
        data, unpack, is_explicit = self.data, self._wide.unpack_from, not self.is_implicit
        ends, open_at, at, n_steps = self._ends, [begin], begin, self._n_steps
        try:
            while open_at:
                group, element, length = unpack(data, at)
                n_steps += 1
                at += 8
                if group == DELIMITERS:
                    if element != ITEM & 0xFFFF:
                        ends[open_at.pop()] = at
                        continue
                    n_steps += STEPS_AN_ITEM - 1
                elif is_explicit:
                    form = data[at - 4 : at - 2]
                    if form in LONG_FORMS:
                        (length,) = self._long.unpack_from(data, at)
                        at += 4
                    elif form in SHORT_FORMS or (form.isalpha() and form.isupper()):
                        (length,) = self._short.unpack_from(data, at - 2)
                if n_steps > MAX_STEPS:
                    raise too_many()
                if length == UNDEFINED_LENGTH:
                    open_at.append(at)
                else:
                    at += length
        except struct.error:
            raise NeedsMoreError from None
        self._n_steps = n_steps
        return at

    def iter_items(self, at: int, length: int) -> Iterator[tuple[int, int]]:
        """Yield where the content of each item of a sequence begins and ends."""
        data_end, sequence_end = len(self.data), at + length
        end = data_end if length == UNDEFINED_LENGTH else min(sequence_end, data_end)
        while at + 8 <= end:
            tag, _, n_bytes, start = self.read_element(at)
            if tag == SEQUENCE_END:
                return
            if tag != ITEM:
                raise damaged()
            self.spend(STEPS_AN_ITEM)
            if n_bytes == UNDEFINED_LENGTH:
                at = self._skip_undefined(start)
                yield start, at - 8  # without its delimiter
            else:
                at = start + n_bytes
                if at > data_end:
                    if length == UNDEFINED_LENGTH or end == data_end != sequence_end:
                        raise NeedsMoreError
                    at = end  # the last item says that it is longer than its sequence, which is all there
                yield start, at

    def spend(self, n_steps: int) -> None:
        """Take so many steps off the budget, or raise RefusedError."""
        self._n_steps += n_steps
        if self._n_steps > MAX_STEPS:
            raise too_many()

"""Everything that a DICOM file says before its pixels, by pydicom: of what `plain_header` finds odd.

References
----------
DICOM PS3.5 7 (data elements), A.5 (deflated); PS3.10 7.1 (file meta)
"""

import hashlib
import os
import zlib
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import BinaryIO

from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import dcmread

from gadoscope.errors import ReadError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.data_set import is_storm, read_header, read_meta, take_apart
from gadoscope.reading.dicom.element_walk import damaged
from gadoscope.reading.dicom.elements import LONGEST_VALUE_BYTES, Elements
from gadoscope.reading.dicom.long_header import ParsedHeader
from gadoscope.reading.dicom.objects import elements_in
from gadoscope.reading.dicom.syntaxes import has_preamble, inflate, is_deflated

FIRST_BYTES = 128 * 1024
"""Read at first: nearly all headers are shorter, with the 60-100 kB that some vendors put into them, and a
disk gives as much at one go as it gives 4 KiB."""


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
    prefix = file.read(FIRST_BYTES)
    read = _read_deflated if is_deflated(prefix) else _read_plain
    meta, data, parsed = read(file, prefix, _Asked(longest_value_bytes, macros))
    elements = elements_in(parsed.dataset)
    # Group 0000 stands in messages only: here zeros were read as elements, where a copy broke off.
    if not len(parsed.dataset) or 0 in elements:
        raise _explain(prefix)
    digest = hashlib.blake2b(memoryview(data)[: parsed.end], digest_size=16).hexdigest()
    return RawHeader(meta, elements, parsed.dataset, n_bytes, digest, parsed.has_pixels)


@dataclass(frozen=True)
class _Asked:
    """The longest value, and the macros of each frame, that a reader asks for."""

    longest: int | None
    macros: frozenset[int]

    def parse_plain(self, data: bytes) -> ParsedHeader:
        buffer = BytesIO(data)
        dataset = dcmread(buffer, defer_size=self.longest, stop_before_pixels=True, force=True)
        return ParsedHeader(dataset, buffer.tell(), has_pixels=buffer.tell() < len(data))

    def take_apart(self, meta: Elements, begin: int, data: bytes, is_whole: bool) -> ParsedHeader | None:
        syntax = meta.find_text(tags.TRANSFER_SYNTAX_UID)
        return take_apart(data, begin, syntax, longest=self.longest, macros=self.macros, is_whole=is_whole)


def _read_plain(file: BinaryIO, prefix: bytes, asked: _Asked) -> tuple[Elements, bytes, ParsedHeader]:
    """Return the file meta information, what was read from the beginning of the file, and its header."""

    def read(n_wanted: int) -> bytes:
        if n_wanted <= FIRST_BYTES:
            return prefix
        file.seek(0)
        return file.read(n_wanted)

    data, parsed = read_header(
        read,
        FIRST_BYTES,
        parse_plain=None if is_storm(prefix) else asked.parse_plain,
        parse_long=lambda data, is_whole: asked.take_apart(*read_meta(data), data, is_whole),
        explain=lambda: _explain(prefix),
    )
    if isinstance(parsed.dataset, FileDataset):  # pydicom's, of a short header
        return elements_in(parsed.dataset.file_meta), data, parsed
    return read_meta(data)[0], data, parsed


def _read_deflated(file: BinaryIO, prefix: bytes, asked: _Asked) -> tuple[Elements, bytes, ParsedHeader]:
    """Do the same where the data set is deflated; what was read is what it was inflated to."""
    try:
        meta, begin = read_meta(prefix)
    except Exception as error:  # as in `data_set`: whatever a damaged header makes pydicom trip over
        raise _explain(prefix) from error

    def read(n_wanted: int) -> bytes:
        try:
            return inflate(file, begin, n_wanted)
        except zlib.error as error:
            raise _explain(prefix) from error

    data, parsed = read_header(
        read,
        FIRST_BYTES,
        parse_plain=None,
        parse_long=partial(asked.take_apart, meta, 0),
        explain=lambda: _explain(prefix),
    )
    return meta, data, parsed


def _explain(prefix: bytes) -> ReadError:
    if has_preamble(prefix):
        return damaged()
    return ReadError("not_dicom", "the content is not DICOM, whatever the name says.")

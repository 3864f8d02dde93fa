"""The data set of a file read up to its pixels: as much of it as that takes, at a cost that is bounded.

Nearly all headers are short, and pydicom parses them. What is longer, or holds many sequences, is taken apart
by `long_header`.

References
----------
DICOM PS3.5 7 (data elements); PS3.10 7.1 (file meta)
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO

from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.dicom.elements import LONGEST_VALUE_BYTES, Elements
from gadoscope.reading.dicom.long_header import ParsedHeader, parse_long_header
from gadoscope.reading.dicom.objects import elements_of
from gadoscope.reading.dicom.syntaxes import BIG_ENDIAN, META_AT, META_GROUP, guess_implicit, has_preamble
from gadoscope.reading.quiet import quiet_library

GROWTH = 8
"""A header that is longer is read anew, so many times as much of it."""
MAX_HEADER_BYTES = 64 * 1024 * 1024
"""10,000 frames of a multi-frame object take about 30 MB of header; no acquisition holds twice that."""
MAX_PLAIN_ITEMS = 500
"""Items of sequences that pydicom parses: it takes up to 0.1 ms for each."""
SAMPLE_BYTES, SAMPLE_STEP_BYTES, MOST_IN_SAMPLE = 128, 8192, 5
"""Samples of a header: a storm of sequences that costs anything fills more than the step between two."""
_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM = b"\xfe\xff\x00\xe0"

Read = Callable[[int], bytes]
"""Return so many bytes from the beginning, or fewer where there are no more."""
ParsePlain = Callable[[bytes], ParsedHeader]
"""Parse a short header by pydicom, which may raise whatever it trips over."""
ParseLong = Callable[[bytes, bool], ParsedHeader | None]
"""Parse any header, given whether the data are whole; ``None`` if more of them are needed for that."""


def read_header(
    read: Read,
    n_first: int,
    *,
    parse_plain: ParsePlain | None,
    parse_long: ParseLong,
    explain: Callable[[], ReadError],
) -> tuple[bytes, ParsedHeader]:
    """Read and parse as much as it takes to reach the pixels.

    Parameters
    ----------
    read
        What reads; asked for more and more, from the beginning each time.
    n_first
        How much is read at first.
    parse_plain
        Of what is read first; ``None`` takes the other way at once.
    explain
        Makes the error of a header that is damaged.

    Returns
    -------
    data
        What was read.
    header
        What was found in it.

    Raises
    ------
    ReadError
        As ``explain`` makes it.
    RefusedError
        With the reason ``too_large`` or ``too_many_elements``: no acquisition has such a header.
    """
    n_wanted = n_first
    parse = parse_long if parse_plain is None else partial(_parse_first, parse_plain, parse_long)
    while True:
        data = read(n_wanted)
        is_whole = len(data) < n_wanted
        try:
            with quiet_library():
                parsed = parse(data, is_whole)
        except InputError:
            raise
        # pydicom raises whatever a damaged header makes it trip over, from struct.error to RecursionError;
        # one bad file must become one row, so all of it is turned into that row here.
        except Exception as error:
            raise explain() from error
        if parsed is not None:
            return data, parsed
        if n_wanted >= MAX_HEADER_BYTES:
            raise RefusedError("too_large", f"its header is longer than {MAX_HEADER_BYTES} bytes.")
        n_wanted, parse = min(GROWTH * n_wanted, MAX_HEADER_BYTES), parse_long


def _parse_first(
    parse_plain: ParsePlain, parse_long: ParseLong, data: bytes, is_whole: bool
) -> ParsedHeader | None:
    """Parse what was read first by pydicom, unless it holds many sequences."""
    try:
        parsed = parse_plain(data)
    except InputError:
        raise
    except Exception:
        if is_whole:
            raise
        return None
    if not parsed.has_pixels and not is_whole:
        return None
    if data.count(_ITEM, 0, parsed.end) > MAX_PLAIN_ITEMS:  # pydicom parses them only when they are asked for
        return parse_long(data, is_whole)
    return parsed


def is_storm(prefix: bytes) -> bool:
    """Return whether samples of the file hold little but sequences, over which pydicom takes seconds."""
    return any(
        prefix.count(_UNDEFINED, at, at + SAMPLE_BYTES) > MOST_IN_SAMPLE
        or prefix.count(_ITEM, at, at + SAMPLE_BYTES) > MOST_IN_SAMPLE
        for at in range(SAMPLE_STEP_BYTES, len(prefix), SAMPLE_STEP_BYTES)
    )


def take_apart(
    data: bytes, begin: int, syntax: str, *, longest: int | None, macros: frozenset[int], is_whole: bool
) -> ParsedHeader | None:
    """Parse a long header whose data set begins at ``begin``; the rest as `parse_long_header`."""
    return parse_long_header(
        data,
        begin,
        is_implicit=guess_implicit(data[begin : begin + 8]),
        is_little_endian=syntax != BIG_ENDIAN,
        longest=longest,
        macros=macros,
        is_whole=is_whole,
    )


def read_meta(prefix: bytes) -> tuple[Elements, int]:
    """Return the file meta information, and where the data set begins."""
    buffer = BytesIO(prefix)
    if has_preamble(prefix):
        buffer.seek(META_AT)
    found = data_element_generator(buffer, False, True, _ends_meta, LONGEST_VALUE_BYTES)
    meta = elements_of(found)
    return meta, buffer.tell()


def _ends_meta(tag: BaseTag, _representation: str | None, _length: int) -> bool:
    return tag >> 16 != META_GROUP

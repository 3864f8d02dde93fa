"""Our own walk over a header says what pydicom says: of intact, of odd and of damaged files."""

import io
import re
import struct

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.filereader import ENCODED_VR
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

from gadoscope.reading.dicom import facts, header, pixel_header, tags
from gadoscope.reading.dicom.attributes import ATTRIBUTES
from gadoscope.reading.dicom.element_walk import LONG_FORMS, SHORT_FORMS
from gadoscope.reading.dicom.elements import BINARY_TAGS
from gadoscope.reading.dicom.plain_header import READ_BYTES, Asked, read_plain_header
from gadoscope.reading.dicom.sequences import COMMON_SEQUENCES
from tests.fuzz import headers
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import classic_series, to_eight_bits
from tests.support.hostile_headers import (
    ITEM,
    ITEM_END,
    PIXELS,
    PRIVATE,
    SEQUENCE_END,
    long_element,
    open_sequence,
    plain_file,
    with_element,
)
from tests.support.transfer_syntaxes import ALL, NATIVE

N_DAMAGED = 90
"""Damaged headers, besides the intact ones; `make headers` reads 100,000."""
BINARY = {"US", "SS", "UL", "SL", "FL", "FD"}
ANATOMIC_REGIONS, REFERENCED_IMAGES, PATIENT_NAME = (0x0008, 0x2218), (0x0008, 0x1140), (0x0010, 0x0010)


def _is_plain(data: bytes) -> bool:
    asked = header._ASKED, pixel_header._ASKED, facts._ASKED
    return all(read_plain_header(io.BytesIO(data), one) is not None for one in asked)


def test_what_real_programs_write_is_plain_and_said_as_pydicom_says_it() -> None:
    for seed in headers.made_seeds():
        assert _is_plain(seed.data), seed.name
        assert not headers.find_differences(seed.data), seed.name


@pytest.mark.parametrize("syntax", ALL)
def test_every_syntax_is_plain_but_big_endian_and_deflated(syntax: UID) -> None:
    dataset = classic_series(n_slices=3, matrix=32)[0]
    data = file_bytes(to_eight_bits(dataset) if syntax == JPEGBaseline8Bit else dataset, syntax)
    odd = {other for other in NATIVE if other not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)}
    assert _is_plain(data) is (syntax not in odd)
    assert not headers.find_differences(data)


def test_damaged_headers_are_said_as_pydicom_says_them() -> None:
    found = headers.run_cases(0, N_DAMAGED, headers.made_seeds())
    assert not found.faults, "\n".join(found.faults[:5])
    assert found.outcomes["InstanceHeader"] > N_DAMAGED // 2  # else nothing much was compared
    assert len(found.outcomes) > 1


@pytest.mark.slow
def test_every_seed_is_said_as_pydicom_says_it_whole_and_damaged() -> None:
    """Its twin is the one before, on fewer files."""
    seeds = headers.all_seeds()
    for seed in seeds:
        assert not headers.find_differences(seed.data), seed.name
    found = headers.run_cases(0, 10 * len(seeds), seeds)
    assert not found.faults, "\n".join(found.faults[:5])


@pytest.mark.parametrize(
    "odd",
    [
        (open_sequence(PRIVATE, b"UN") + ITEM + ITEM_END + SEQUENCE_END),
        (open_sequence(REFERENCED_IMAGES, b"OB") + ITEM + ITEM_END + SEQUENCE_END),
        (open_sequence(REFERENCED_IMAGES) + ITEM + ITEM_END),
        (open_sequence(REFERENCED_IMAGES) + ITEM + b"\x08\x00\x50\x11??\x02\x00xx" + ITEM_END + SEQUENCE_END),
        long_element(ANATOMIC_REGIONS, b"SQ", 513 * (ITEM[:4] + bytes(4))),
        struct.pack("<HH2sH", *PRIVATE, b"aB", 0),
    ],
    ids=["unknown", "no sequence", "no end", "no representation", "many items", "no form"],
)
def test_what_is_odd_is_left_to_pydicom(odd: bytes) -> None:
    data = with_element(plain_file(), odd, PATIENT_NAME if odd.startswith(b"\x08") else PIXELS)
    assert not _is_plain(data)
    assert not headers.find_differences(data)


def test_the_same_well_made_is_plain() -> None:
    item = ITEM + b"\x08\x00\x50\x11UI\x02\x00x\0" + ITEM_END
    for odd in (open_sequence(REFERENCED_IMAGES) + item + item + SEQUENCE_END, b""):
        data = with_element(plain_file(), odd + long_element((0x0009, 0x1010), b"SQ", item), PATIENT_NAME)
        assert _is_plain(data)
        assert not headers.find_differences(data)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_values_of_wanted_elements_that_are_sequences_are_left_to_pydicom(syntax: UID) -> None:
    data = file_bytes(classic_series(n_slices=3, matrix=32)[0], syntax)
    head = struct.pack("<HH", 0x0018, 0x1030)
    at = data.index(head)
    assert not _is_plain(data[: at + 8] + ITEM + data[at + 16 :])
    assert not headers.find_differences(data[: at + 8] + ITEM + data[at + 16 :])


@pytest.mark.parametrize("n_bytes", [0, *READ_BYTES, 2 * READ_BYTES[-1]])
def test_a_header_of_any_length_is_said_as_pydicom_says_it(n_bytes: int) -> None:
    data = with_element(plain_file(), long_element(PRIVATE, b"OB", bytes(n_bytes)))
    assert _is_plain(data) is (n_bytes < READ_BYTES[-1])
    assert not headers.find_differences(data)


def test_a_file_that_ends_where_its_pixels_should_begin_has_none() -> None:
    data = plain_file()
    data = data[: data.index(struct.pack("<HH", *(0x7FE0, 0x0010)))]
    found = read_plain_header(io.BytesIO(data), header._ASKED)
    assert found is not None
    assert not found.has_pixels
    assert not headers.find_differences(data)


def test_a_reader_who_needs_a_sequence_leaves_it_to_pydicom() -> None:
    data = with_element(plain_file(), open_sequence(REFERENCED_IMAGES) + SEQUENCE_END, PATIENT_NAME)
    wanted = frozenset((tags.ROWS,))
    found = read_plain_header(io.BytesIO(data), Asked(wanted))
    assert found is not None
    assert found.elements.find_integer(tags.ROWS) == 32
    assert read_plain_header(io.BytesIO(data), Asked(wanted, frozenset((0x00081140,)))) is None


def test_the_representations_are_those_of_pydicom() -> None:
    pairs = re.compile(rb"[A-Z]{2}")
    assert {form for form in ENCODED_VR if pairs.fullmatch(form)} == SHORT_FORMS | LONG_FORMS
    assert {str(form) for form in EXPLICIT_VR_LENGTH_16} == {form.decode() for form in SHORT_FORMS}
    assert {str(form) for form in EXPLICIT_VR_LENGTH_32} == {form.decode() for form in LONG_FORMS}
    listed = {value for name, value in vars(tags).items() if name.isupper()}
    assert {tag: dictionary_VR(tag) for tag in listed if dictionary_VR(tag) in BINARY} == BINARY_TAGS
    assert {dictionary_VR(tag) for tag in COMMON_SEQUENCES} == {"SQ"}
    for keyword, (tag, form) in ATTRIBUTES.items():
        assert (tag_for_keyword(keyword), dictionary_VR(tag)) == (tag, form), keyword


@pytest.mark.parametrize("form", [b"FD", b"US", b"SH", b"UN"])
def test_a_transfer_syntax_that_is_no_uid_is_read_as_pydicom_reads_it(form: bytes) -> None:
    data = plain_file()
    at = data.index(struct.pack("<HH2s", 2, 0x10, b"UI")) + 4
    assert not headers.find_differences(data[:at] + form + data[at + 2 :])

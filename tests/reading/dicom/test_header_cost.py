"""No header costs more than a few seconds and little memory, and no genuine one is refused for its size."""

import io
import os
import struct
import threading
import time

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from gadoscope.errors import InputError
from gadoscope.reading.dicom.attributes import KEYWORDS
from gadoscope.reading.dicom.enhanced import read_frames
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.header import InstanceHeader, scan_header
from gadoscope.reading.dicom.pixel_header import read_pixel_header
from gadoscope.reading.dicom.sequences import CONVERTED
from tests.support.hostile_headers import (
    IMAGE_TYPE,
    ITEM,
    ITEM_END,
    PRIVATE,
    SEQUENCE_END,
    deflated_with,
    iter_storms,
    long_element,
    many_frames,
    open_sequence,
    plain_file,
    with_element,
)

LIMIT_S = 5.0
"""Of a whole file, on the processor; a loaded machine takes longer on the wall."""
MANY_FRAMES = 600
"""From so many on a file may take the whole limit."""
STORMS = {name: (reason, make) for name, reason, make in iter_storms()}


def _read_all(data: bytes) -> InstanceHeader:
    """Read a header as often as a run does."""
    header = scan_header(io.BytesIO(data), "x")
    read_facts(io.BytesIO(data))
    read_pixel_header(io.BytesIO(data))
    return header


@pytest.mark.parametrize("name", STORMS)
def test_a_storm_of_elements_costs_little_and_is_named(name: str) -> None:
    reason, make = STORMS[name]
    data = make()
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        _read_all(data)
    assert caught.value.reason == reason
    assert time.process_time() - start < LIMIT_S


def test_private_sequences_nested_without_end_are_stepped_over_or_refused() -> None:
    for depth in (20, 1000, 20_000):
        nested = (open_sequence(PRIVATE) + ITEM) * depth + (ITEM_END + SEQUENCE_END) * depth
        start = time.process_time()
        try:
            header = _read_all(with_element(plain_file(), nested))
        except InputError as error:
            assert error.reason == "damaged_header"  # noqa: PT017 — either is right; a hang is not
        else:
            assert header.frame.rows == 32
        assert time.process_time() - start < LIMIT_S


def test_what_lies_behind_the_end_of_a_deflated_header_is_not_waited_for() -> None:
    half = struct.pack("<HH2sHI", *PRIVATE, b"OB", 0, 1 << 28) + os.urandom(400_000)
    data = deflated_with(half) + bytes(1 << 20)
    headers: list[InstanceHeader] = []
    reader = threading.Thread(target=lambda: headers.append(scan_header(io.BytesIO(data), "x")), daemon=True)
    reader.start()
    reader.join(timeout=60)
    assert [header.has_pixels for header in headers] == [False]


@pytest.mark.parametrize("is_noise", [True, False])  # a value itself would become the name of a test
def test_a_private_value_of_ten_megabytes_is_read_past(is_noise: bool) -> None:
    value = 10 * (os.urandom(1 << 20) if is_noise else bytes(1 << 20))
    header = _read_all(with_element(plain_file(), long_element(PRIVATE, b"OB", value)))
    assert header.has_pixels
    assert header.frame == scan_header(io.BytesIO(plain_file()), "x").frame


def test_a_value_of_millions_of_parts_is_not_taken_apart() -> None:
    value = b"1\\" * (5 << 20)
    start = time.process_time()
    _read_all(with_element(plain_file(), long_element(IMAGE_TYPE, b"UN", value), (0x0008, 0x0016)))
    assert time.process_time() - start < LIMIT_S


@pytest.mark.parametrize("has_lengths", [True, False])
@pytest.mark.parametrize("n_frames", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_hundreds_of_frames_with_every_macro_are_read(n_frames: int, has_lengths: bool) -> None:
    data = many_frames(n_frames, has_lengths=has_lengths)
    start = time.process_time()
    header = _read_all(data)
    frames = read_frames(io.BytesIO(data), 0)
    assert time.process_time() - start < LIMIT_S * min(1, n_frames / MANY_FRAMES)
    assert header.n_frames == len(frames) == n_frames
    assert len({frame.header.position_mm for frame in frames}) == n_frames


@pytest.mark.parametrize("has_lengths", [True, False])
def test_a_long_header_says_what_a_short_one_says(has_lengths: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long headers are taken apart by code of our own, short ones by pydicom."""
    data = many_frames(6, has_lengths=has_lengths)
    short = (scan_header(io.BytesIO(data), "x"), read_facts(io.BytesIO(data)))
    frames, pixels = read_frames(io.BytesIO(data), 0), read_pixel_header(io.BytesIO(data))
    monkeypatch.setattr("gadoscope.reading.dicom.raw_header.FIRST_BYTES", 1024)
    monkeypatch.setattr("gadoscope.reading.dicom.parsed_pixels.FIRST_BYTES", 1024)
    assert (scan_header(io.BytesIO(data), "x"), read_facts(io.BytesIO(data))) == short
    assert read_frames(io.BytesIO(data), 0) == frames
    assert read_pixel_header(io.BytesIO(data)) == pixels


def test_every_sequence_that_facts_take_is_kept_in_long_headers() -> None:
    tags = [tag for tag in map(tag_for_keyword, KEYWORDS) if tag is not None]
    assert {tag for tag in tags if dictionary_VR(tag) == "SQ"} <= CONVERTED

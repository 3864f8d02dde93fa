"""Headers are read right, in every encoding, whatever is in the file, and hold nothing of a patient."""

import io
import json
import marshal
import math
import struct
import tracemalloc
import zlib
from dataclasses import fields, replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.labels import Phase
from gadoscope.reading.dicom.header import FrameHeader, InstanceHeader, scan_header
from gadoscope.reading.dicom.raw_header import FIRST_BYTES
from tests.support.dicom_files import classic_series, write_instance
from tests.support.dicom_others import leaked_words, plant_patient
from tests.support.transfer_syntaxes import NATIVE

PYDICOM_FILES = Path(pydicom.__file__).parent / "data"
# Field of FrameHeader: keyword of DICOM. Sequences of numbers, then single values.
NUMBERS = {
    "orientation": "ImageOrientationPatient",
    "position_mm": "ImagePositionPatient",
    "spacing_mm": "PixelSpacing",
}
SINGLE = {
    "rows": "Rows",
    "columns": "Columns",
    "slice_thickness_mm": "SliceThickness",
    "slice_spacing_mm": "SpacingBetweenSlices",
    "slice_location_mm": "SliceLocation",
    "number": "InstanceNumber",
    "acquisition_number": "AcquisitionNumber",
    "temporal_position": "TemporalPositionIdentifier",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
    "trigger_time_ms": "TriggerTime",
}


def rich_instance() -> Dataset:
    """Return an instance in which every attribute of the scan has a value."""
    dataset = classic_series(Phase.POST_CONTRAST)[2]
    dataset.TemporalPositionIdentifier, dataset.TriggerTime = 3, "1234.5"
    dataset.EchoNumbers, dataset.InversionTime = 2, "900.25"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"]
    return dataset


def scan_bytes(content: bytes) -> InstanceHeader:
    return scan_header(io.BytesIO(content), "name")


def scan_path(path: Path) -> InstanceHeader:
    with path.open("rb") as file:
        return scan_header(file, path.name)


def assert_as_pydicom(frame: FrameHeader, dataset: Dataset) -> None:
    for name, keyword in NUMBERS.items():
        value = dataset.get(keyword)
        assert getattr(frame, name) == (None if value is None else tuple(map(float, value)))
    for name, keyword in SINGLE.items():
        assert (getattr(frame, name) or 0) == pytest.approx(float(dataset.get(keyword) or 0)), keyword


@pytest.mark.parametrize("syntax", NATIVE)
def test_every_attribute_is_the_one_that_pydicom_reads_in_every_encoding(syntax: UID, tmp_path: Path) -> None:
    dataset = rich_instance()
    header = scan_path(write_instance(dataset, tmp_path / "one", syntax=syntax))
    assert_as_pydicom(header.frame, dataset)
    assert header.sop_class_uid == dataset.SOPClassUID
    assert header.sop_instance_uid == dataset.SOPInstanceUID
    assert header.study_instance_uid == dataset.StudyInstanceUID
    assert header.series_instance_uid == header.series_key == dataset.SeriesInstanceUID
    assert (header.modality, header.photometric) == ("MR", "MONOCHROME2")
    assert (header.n_frames, header.bits_allocated) == (1, 16)
    assert header.frame.image_type == ("ORIGINAL", "PRIMARY", "M", "ND", "NORM")
    assert header.frame.component == "MAGNITUDE"
    assert header.frame.echo_number == 2
    assert header.frame.acquisition_date == dataset.AcquisitionDate
    assert header.frame.acquisition_time == dataset.AcquisitionTime
    assert header.has_pixels
    assert header.n_bytes == (tmp_path / "one").stat().st_size


def _pack_and_unpack(header: InstanceHeader) -> InstanceHeader:
    return InstanceHeader.from_values(marshal.loads(marshal.dumps(header.to_values())))  # noqa: S302 - our own


def test_a_header_comes_back_from_where_it_waits_as_it_was(tmp_path: Path) -> None:
    header = scan_path(write_instance(rich_instance(), tmp_path / "one"))
    assert _pack_and_unpack(header) == header
    poor = replace(header, frame=FrameHeader(rows=0, columns=0, echo_time_ms=math.nan))
    again = _pack_and_unpack(poor).frame
    assert again.echo_time_ms is not None
    assert math.isnan(again.echo_time_ms)
    assert replace(again, echo_time_ms=None) == FrameHeader(rows=0, columns=0)


def test_a_header_holds_nothing_of_the_patient(tmp_path: Path) -> None:
    planted = plant_patient([rich_instance()])
    text = json.dumps(scan_path(write_instance(planted[0], tmp_path / "one")).to_values()).upper()
    assert not [word for word in leaked_words() if word.upper() in text]
    names = {
        name for part in (InstanceHeader, FrameHeader) for name in (field.name for field in fields(part))
    }
    assert not [name for name in names if "patient" in name or "birth" in name]


def test_every_file_that_pydicom_ships_is_a_header_or_an_input_error() -> None:
    headers, reasons = {}, []
    paths = [path for path in sorted(PYDICOM_FILES.rglob("*")) if path.is_file()]
    for path in paths:
        try:
            headers[path] = scan_path(path)
        except InputError as error:
            reasons.append(error.reason)
    assert len(headers) > 170
    assert set(reasons) == {"not_dicom", "no_sop_class"}
    for name in ("MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR2_J2KI.dcm"):
        found = [header for path, header in headers.items() if path.name == name]
        for header in found:
            dataset = pydicom.dcmread(PYDICOM_FILES / "test_files" / name, stop_before_pixels=True)
            assert_as_pydicom(header.frame, dataset)


def test_the_digest_is_that_of_the_header_and_not_of_the_pixels(tmp_path: Path) -> None:
    dataset = rich_instance()
    first = scan_path(write_instance(dataset, tmp_path / "one"))
    dataset.PixelData = bytes(len(dataset.PixelData))
    other_pixels = scan_path(write_instance(dataset, tmp_path / "two"))
    dataset.EchoTime = "99"
    other_header = scan_path(write_instance(dataset, tmp_path / "three"))
    assert first.digest == other_pixels.digest != other_header.digest


@pytest.mark.parametrize("without", ["preamble", "meta"])
def test_a_data_set_without_preamble_or_file_meta_is_read(without: str) -> None:
    dataset = rich_instance()
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    if without == "preamble":
        content = content[132:]
    else:
        plain = io.BytesIO()
        pydicom.dcmwrite(plain, Dataset(dataset), implicit_vr=True, little_endian=True)
        content = plain.getvalue()
    header = scan_bytes(content)
    assert_as_pydicom(header.frame, dataset)
    assert header.sop_class_uid == dataset.SOPClassUID


def test_a_header_longer_than_the_first_read_is_read_to_its_end(tmp_path: Path) -> None:
    dataset = rich_instance()
    short = scan_path(write_instance(dataset, tmp_path / "short"))
    block = dataset.private_block(0x0009, "GADOSCOPE TEST", create=True)
    block.add_new(0x01, "OB", bytes(2 * FIRST_BYTES))
    long = scan_path(write_instance(dataset, tmp_path / "long"))
    assert long.frame == short.frame
    assert long.has_pixels


def test_a_missing_class_is_refused_and_a_missing_series_stands_alone() -> None:
    dataset = rich_instance()
    del dataset.SOPClassUID, dataset.file_meta.MediaStorageSOPClassUID
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    with pytest.raises(RefusedError, match="SOPClassUID is missing") as caught:
        scan_bytes(buffer.getvalue())
    assert caught.value.reason == "no_sop_class"
    dataset = rich_instance()
    del dataset.SeriesInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    assert scan_bytes(buffer.getvalue()).series_key == "name"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not_dicom"),
        (b"To whom it may concern: " * 400, "not_dicom"),
        (bytes(4000), "not_dicom"),
        (bytes(128) + b"DICM", "damaged_header"),
    ],
)
def test_what_is_no_dicom_object_says_so(content: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        scan_bytes(content)
    assert caught.value.reason == reason


def test_wherever_a_file_ends_it_is_a_header_without_pixels_or_an_input_error() -> None:
    buffer = io.BytesIO()
    rich_instance().save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    header_bytes = len(content) - 64 * 64 * 2 - 12
    reasons = set()
    for end in range(1, header_bytes, 7):
        try:
            assert not scan_bytes(content[:end]).has_pixels
        except InputError as error:
            reasons.add(error.reason)
    assert reasons <= {"not_dicom", "no_sop_class", "damaged_header"}


def test_numbers_that_are_none_are_missing_and_nan_stays_nan(tmp_path: Path) -> None:
    dataset = rich_instance()
    content = write_instance(dataset, tmp_path / "one").read_bytes()
    echo = str(dataset.EchoTime).encode()
    assert content.count(echo) == 1
    assert scan_bytes(content.replace(echo, b"x" * len(echo))).frame.echo_time_ms is None
    nan = scan_bytes(content.replace(echo, b"nan".ljust(len(echo)))).frame.echo_time_ms
    assert nan is not None
    assert math.isnan(nan)


def test_sequences_nested_without_end_are_damage_and_no_crash() -> None:
    head = rich_instance()
    buffer = io.BytesIO()
    head.save_as(buffer, enforce_file_format=True)
    start = buffer.getvalue()[: -64 * 64 * 2]
    item = struct.pack("<HH2s2xI", 0x0008, 0x1140, b"SQ", 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    with pytest.raises(ReadError) as caught:
        scan_bytes(start[:-12] + item * 5000)
    assert caught.value.reason == "damaged_header"


def test_a_deflated_bomb_costs_no_memory(tmp_path: Path) -> None:
    dataset = rich_instance()
    path = write_instance(dataset, tmp_path / "one", syntax=DeflatedExplicitVRLittleEndian)
    plain = write_instance(dataset, tmp_path / "plain", syntax=ExplicitVRLittleEndian).read_bytes()
    meta_bytes = 132 + 12 + struct.unpack("<I", plain[140:144])[0]
    bomb = bytearray(path.read_bytes()[: 132 + 12 + struct.unpack("<I", path.read_bytes()[140:144])[0]])
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb += squeeze.compress(plain[meta_bytes:])
    for _ in range(64):
        bomb += squeeze.compress(bytes(2**20))
    bomb += squeeze.flush()
    assert len(bomb) < 2**18
    tracemalloc.start()
    header = scan_bytes(bytes(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_as_pydicom(header.frame, dataset)
    assert peak < 8 * 2**20


@pytest.mark.parametrize(
    ("image_type", "component"),
    [
        (["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"], "MAGNITUDE"),
        (["ORIGINAL", "PRIMARY", "P", "ND"], "PHASE"),
        (["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"], "PHASE"),
        (["ORIGINAL", "PRIMARY", "R_IR", "R", "IR"], "REAL"),
        (["ORIGINAL", "PRIMARY", "I", "ND"], "IMAGINARY"),
        (["ORIGINAL", "PRIMARY", "OTHER"], ""),
        (["ORIGINAL", "P"], ""),
    ],
)
def test_the_part_of_the_signal_is_read_from_the_image_type(image_type: list[str], component: str) -> None:
    dataset = rich_instance()
    dataset.ImageType = image_type
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    assert scan_bytes(buffer.getvalue()).frame.component == component


def test_the_part_of_the_signal_is_read_from_ges_private_attribute() -> None:
    dataset = rich_instance()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    block = dataset.private_block(0x0043, "GEMS_PARM_01", create=True)
    for number, component in enumerate(("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")):
        block.add_new(0x2F, "SS", number)
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        assert scan_bytes(buffer.getvalue()).frame.component == component, number
        # The block may not be the first of its group.
    assert scan_bytes(buffer.getvalue()).frame.component == "IMAGINARY"

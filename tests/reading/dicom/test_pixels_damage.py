"""Images that cannot be decoded: a reason each, no crash, no memory for what a header only claims."""

import os
import random
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import uid as uids
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.labels import Status
from gadoscope.reading.dicom import codecs as dicom_codecs
from gadoscope.reading.dicom.pixels import decode_frame
from gadoscope.reading.dicom.streams import read_stream_header
from tests.support.paths import ROOT
from tests.support.pixel_files import make_image, make_stored, to_file
from tests.support.transfer_syntaxes import ALL, ENCODERS, encode


def _image(**attributes: object) -> Dataset:
    return make_image(make_stored(12)[0], 12, **attributes)


def _reason(file: BytesIO, frame_index: int = 0) -> str:
    with pytest.raises(InputError) as caught:
        decode_frame(file, frame_index)
    return caught.value.reason


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("syntax", ALL, ids=lambda syntax: syntax.keyword)
def test_a_file_that_ends_too_early_fails(syntax: str, share: float) -> None:
    bits = 8 if syntax == uids.JPEGBaseline8Bit else 12
    dataset = make_image(make_stored(bits)[0], bits)
    content = to_file(encode(dataset, syntax)).getvalue()
    end = to_file(_without_pixels(dataset)).getbuffer().nbytes
    with pytest.raises(ReadError):
        decode_frame(BytesIO(content[: int(end + share * (len(content) - end))]))


def _without_pixels(dataset: Dataset) -> Dataset:
    bare = encode(dataset, uids.ExplicitVRLittleEndian)
    del bare.PixelData
    return bare


def test_truncated_uncompressed_pixels_are_told_as_such() -> None:
    assert _reason(BytesIO(to_file(_image()).getvalue()[:-100])) == "truncated"
    assert _reason(
        BytesIO(Path(str(get_testdata_file("MR_truncated.dcm", download=False))).read_bytes())
    ) == ("truncated")


def test_too_few_bytes_for_the_rows_fail() -> None:
    assert _reason(to_file(_image(Rows=40))) == "truncated"


def test_more_bytes_than_the_header_says_are_left_with_a_warning() -> None:
    frame = decode_frame(to_file(_image(Rows=30)))
    np.testing.assert_array_equal(frame.values, make_stored(12)[0][:30])
    assert frame.warnings == (
        "the pixel data are longer than the header says: what follows the last frame was left",
    )


@pytest.mark.parametrize(
    ("attributes", "reason", "status"),
    [
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "colour", Status.REFUSED),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour", Status.REFUSED),
        ({"BitsAllocated": 1}, "unsupported_pixels", Status.REFUSED),
        ({"BitsAllocated": 12}, "unsupported_pixels", Status.REFUSED),
        ({"BitsAllocated": None}, "missing_attribute", Status.FAILED),
        ({"Rows": 10_000, "Columns": 10_000}, "too_large", Status.REFUSED),
        ({"Rows": 0}, "missing_attribute", Status.FAILED),
        ({"Columns": None}, "missing_attribute", Status.FAILED),
        ({"PixelData": b""}, "no_pixels", Status.FAILED),
    ],
)
def test_a_header_that_cannot_be_followed_has_a_reason(
    attributes: dict[str, object], reason: str, status: Status
) -> None:
    with pytest.raises(InputError) as caught:
        decode_frame(to_file(_image(**attributes)))
    assert (caught.value.reason, caught.value.status) == (reason, status)


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated"])
def test_a_missing_attribute_is_named(keyword: str) -> None:
    dataset = _image()
    del dataset[keyword]
    with pytest.raises(ReadError, match=rf"missing_attribute: .*{keyword}"):
        decode_frame(to_file(dataset))


def test_a_file_without_pixel_data_fails() -> None:
    assert _reason(to_file(_without_pixels(_image()))) == "no_pixels"


@pytest.mark.parametrize("n_entries", [4096, 65536], ids=["a short header", "longer than what is read first"])
def test_values_rescaled_by_a_table_are_refused(n_entries: int) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [n_entries % 65536, 0, 16])  # PS3.3 C.11.1.1: 0 stands for 65,536
    item.LUTData = bytes(2 * n_entries)
    item["LUTData"].VR = "OW"
    assert _reason(to_file(_image(ModalityLUTSequence=[item]))) == "unsupported_pixels"


def test_a_frame_that_is_not_there_fails() -> None:
    for index in (1, -1, 10**9):
        assert _reason(to_file(_image()), index) == "missing_frame"


def test_functional_groups_of_fewer_frames_fail() -> None:
    dataset = make_image(make_stored(12, n_frames=3), 12)
    dataset.PerFrameFunctionalGroupsSequence = [Dataset(), Dataset()]
    assert _reason(to_file(dataset)) == "damaged_header"


def _rename_syntax(content: bytes, old: str, new: str) -> bytes:
    """Change the transfer syntax in the bytes of a file: pydicom would not write what does not fit."""

    def element(uid: str) -> bytes:
        value = uid.encode() + b"\0" * (len(uid) % 2)
        return b"UI" + struct.pack("<H", len(value)) + value

    changed = content.replace(element(old), element(new), 1)
    assert changed != content
    return changed


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.100", "1.2.3"])
def test_an_unknown_transfer_syntax_is_refused_by_its_uid(syntax: str) -> None:
    content = to_file(encode(_image(), uids.JPEG2000Lossless)).getvalue()
    with pytest.raises(RefusedError, match=f"unsupported_transfer_syntax: .*{syntax}"):
        decode_frame(BytesIO(_rename_syntax(content, uids.JPEG2000Lossless, syntax)))


@pytest.mark.parametrize(
    ("written", "claimed"),
    [
        (uids.RLELossless, uids.ExplicitVRLittleEndian),
        (uids.ExplicitVRLittleEndian, uids.RLELossless),
        (uids.RLELossless, uids.JPEG2000Lossless),
        (uids.JPEG2000Lossless, uids.RLELossless),
    ],
)
def test_pixels_that_are_not_written_as_the_syntax_says_fail(written: str, claimed: str) -> None:
    content = to_file(encode(_image(), written)).getvalue()
    assert _reason(BytesIO(_rename_syntax(content, written, claimed))) == "undecodable"


@pytest.mark.parametrize("syntax", [uids.JPEGLosslessSV1, uids.JPEGLSLossless, uids.JPEG2000Lossless])
def test_compressed_pixels_of_another_size_than_the_header_says_fail(syntax: str) -> None:
    dataset = encode(_image(), syntax)
    dataset.Rows = 36
    assert _reason(to_file(dataset)) == "wrong_size"


def test_compressed_colour_is_refused() -> None:
    dataset = encode(make_image(make_stored(8)[0], 8), uids.JPEGBaseline8Bit)
    colour = np.repeat(make_stored(8)[0][..., np.newaxis], 3, axis=2)
    stream = imagecodecs.jpeg8_encode(colour)
    dataset.PixelData = encapsulate([bytes(stream) + b"\0" * (len(stream) % 2)])
    assert _reason(to_file(dataset)) == "colour"


def test_a_stream_without_an_end_is_truncated_though_its_fragment_is_whole() -> None:
    for syntax in (uids.JPEGBaseline8Bit, uids.JPEGLosslessSV1, uids.JPEGLSLossless, uids.JPEG2000Lossless):
        bits = 8 if syntax == uids.JPEGBaseline8Bit else 12
        dataset = make_image(make_stored(bits)[0], bits)
        stream = ENCODERS[syntax](make_stored(bits)[0], dataset)
        damaged = encode(dataset, syntax)
        damaged.PixelData = encapsulate([stream[: len(stream) // 4 * 2]])
        assert _reason(to_file(damaged)) == "truncated"


@pytest.mark.parametrize(
    ("syntax", "find_size"),
    [
        (uids.JPEGBaseline8Bit, lambda stream: stream.index(b"\xff\xc0") + 5),
        (uids.JPEGLosslessSV1, lambda stream: stream.index(b"\xff\xc3") + 5),
        (uids.JPEGLSLossless, lambda stream: stream.index(b"\xff\xf7") + 5),
    ],
)
def test_a_bomb_is_refused_before_memory_is_spent(syntax: str, find_size: Callable[[bytes], int]) -> None:
    bits = 8 if syntax == uids.JPEGBaseline8Bit else 12
    dataset = make_image(make_stored(bits)[0], bits)
    stream = bytearray(ENCODERS[syntax](make_stored(bits)[0], dataset))
    struct.pack_into(">HH", stream, find_size(bytes(stream)), 10_000, 10_000)
    bomb = encode(dataset, syntax)
    bomb.PixelData = encapsulate([bytes(stream) + b"\0" * (len(stream) % 2)])
    tracemalloc.start()
    assert _reason(to_file(bomb)) == "wrong_size"
    bomb.Rows = bomb.Columns = 10_000
    assert _reason(to_file(bomb)) == "too_large"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


def test_a_deflated_bomb_inflates_no_further_than_the_frame() -> None:
    dataset = _image()
    dataset.PixelData = bytes(40_000_000)
    content = to_file(encode(dataset, uids.DeflatedExplicitVRLittleEndian)).getvalue()
    del dataset
    assert len(content) < 80_000
    tracemalloc.start()
    decode_frame(BytesIO(content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (2, struct.pack(">H", 60_000)),  # layers
        (6, b"\x00\x00"),  # code blocks of 4 x 4
        (0, b"\x01"),  # precincts, of which the sizes follow
    ],
)
def test_a_jpeg_2000_stream_of_a_million_parts_is_refused(at: int, value: bytes) -> None:
    stream = bytearray(ENCODERS[uids.JPEG2000Lossless](make_stored(12)[0], _image()))
    cod = stream.index(b"\xff\x52") + 4
    stream[cod + at : cod + at + len(value)] = value
    if at == 0:
        levels = stream[cod + 5]
        stream[cod + 10 : cod + 10] = b"\x11" * (levels + 1)
        struct.pack_into(">H", stream, cod - 2, 12 + levels + 1)
    assert read_stream_header(bytes(stream)) is None


def test_a_jpeg_2000_stream_of_a_million_tiles_is_refused() -> None:
    stream = bytearray(ENCODERS[uids.JPEG2000Lossless](make_stored(12)[0], _image()))
    assert read_stream_header(bytes(stream)) is not None
    struct.pack_into(">II", stream, 24, 1, 1)
    assert read_stream_header(bytes(stream)) is None


def test_a_missing_library_is_told(tmp_path: Path) -> None:
    (tmp_path / "imagecodecs.py").write_text("raise ImportError", encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    content = to_file(encode(_image(), uids.RLELossless)).getvalue()
    program = (
        "import sys\n"
        "from io import BytesIO\n"
        "from gadoscope.errors import ReadError\n"
        "from gadoscope.reading.dicom.pixels import decode_frame\n"
        "from gadoscope.reading.dicom.codecs import find_missing_decoders\n"
        "try: decode_frame(BytesIO(sys.stdin.buffer.read()))\n"
        "except ReadError as error: print(error.reason, len(find_missing_decoders()))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=content,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert answer.stdout.split() == [b"missing_codec", b"12"]
    assert dicom_codecs.find_missing_decoders() == set()


N_MUTANTS = 150
"""Of each syntax; while the decoders were chosen it was 40,000 (docs/decisions/0009-codecs.md)."""


def mutate(stream: bytes, seed: int) -> bytes:
    """Return a damaged copy: changed, lost, added or overwritten bytes, most of them near the beginning."""
    chance = random.Random(seed)  # noqa: S311 — no secret
    damaged = bytearray(stream)
    place = chance.randrange(len(damaged) if chance.random() < 0.5 else min(len(damaged), 160))
    n_bytes = chance.choice((1, 1, 2, 8, 50))
    noise = chance.randbytes(n_bytes)
    kind = chance.randrange(5)
    if kind == 0:
        damaged[place : place + n_bytes] = noise
    elif kind == 1:
        del damaged[place : place + n_bytes]
    elif kind == 2:
        damaged[place:place] = noise
    elif kind == 3:
        del damaged[max(place, 20) :]
    else:
        damaged[place : place + n_bytes] = bytes([chance.choice((0, 0xFF))]) * n_bytes
    return bytes(damaged)


def test_no_damaged_stream_crashes_its_decoder() -> None:
    """In a process of its own: a crash of a C library would end this one."""
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.reading.dicom.test_pixels_damage"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert answer.stderr == ""


def _decode_mutants() -> None:
    for syntax in ENCODERS:
        bits = 8 if syntax == uids.JPEGBaseline8Bit else 12
        stored = make_stored(bits)[0]
        stream = ENCODERS[syntax](stored, make_image(stored, bits))
        n_rows, n_columns = stored.shape
        for seed in range(N_MUTANTS):
            try:
                dicom_codecs.decode_stream(
                    mutate(stream, seed), syntax, n_rows, n_columns, 8 * stored.dtype.itemsize
                )
            except InputError:
                continue


if __name__ == "__main__":
    _decode_mutants()

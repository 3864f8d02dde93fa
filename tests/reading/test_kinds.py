"""What a file is, is told by its first bytes."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import classic_series


def png() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def nifti(size: int, magic_at: int, magic: bytes) -> bytes:
    header = bytearray(400)
    struct.pack_into("<i", header, 0, size)
    header[magic_at : magic_at + len(magic)] = magic
    return bytes(header)


NIFTI_1 = nifti(348, 344, b"n+1\0")
KINDS = [
    (b"", Kind.EMPTY),
    (png(), Kind.IMAGE),
    (bytes(128) + b"DICM" + bytes(40), Kind.DICOM),
    (b"II*\0" + bytes(124) + b"DICM" + bytes(40), Kind.DICOM),
    (NIFTI_1, Kind.NIFTI),
    (nifti(540, 4, b"n+2\0\r\n\x1a\n"), Kind.NIFTI),
    (nifti(348, 344, b"ni1\0"), Kind.NIFTI),
    (gzip.compress(NIFTI_1), Kind.NIFTI),
    (gzip.compress(b"anything else"), Kind.OTHER),
    (b"PK\3\4" + bytes(40), Kind.ZIP),
    (b"PK\5\6" + bytes(18), Kind.ZIP),
    (b"%PDF-1.7\n", Kind.OTHER),
    (b"7z\xbc\xaf\x27\x1c" + bytes(40), Kind.OTHER),
    (b"BM is a way to begin a letter", Kind.TEXT),
    (b"\xef\xbb\xbfsubject;phase\n", Kind.TEXT),
    ("Größe: 3 T\n".encode("latin-1"), Kind.TEXT),
    ("Größe: 3 T\n".encode("utf-16"), Kind.TEXT),
    (b'{"EchoTime": 0.003}', Kind.TEXT),
    (bytes(2000), Kind.UNKNOWN),
    (bytes(range(256)), Kind.UNKNOWN),
    (b"\x08\x00", Kind.UNKNOWN),
    (b"\x08\x00\x05\x00 is no element", Kind.UNKNOWN),
]


@pytest.mark.parametrize(("content", "kind"), KINDS, ids=[f"{n}-{k.name}" for n, (_, k) in enumerate(KINDS)])
def test_the_first_bytes_say_what_it_is(content: bytes, kind: Kind) -> None:
    assert find_kind(content[:PREFIX_BYTES]) is kind


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("has_meta", [True, False])
def test_dicom_is_known_without_preamble_and_without_file_meta(syntax: UID, has_meta: bool) -> None:
    whole = file_bytes(classic_series(n_slices=1)[0], syntax)
    meta_length = 12 + int.from_bytes(whole[140:144], "little")
    bare = whole[132:] if has_meta else whole[132 + meta_length :]
    assert find_kind(bare[:PREFIX_BYTES]) is Kind.DICOM


FOLDER = Path(str(get_testdata_file("CT_small.dcm", download=False))).parent
SHIPPED = sorted(path for path in FOLDER.glob("*.dcm") if not path.read_bytes().startswith(b" "))
"""One of them begins with a space before its first element."""


@pytest.mark.parametrize("path", SHIPPED, ids=[path.name for path in SHIPPED])
def test_the_files_that_pydicom_ships_are_dicom(path: Path) -> None:
    assert find_kind(path.read_bytes()[:PREFIX_BYTES]) in {Kind.DICOM, Kind.DICOMDIR}

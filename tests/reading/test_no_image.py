"""What is no image is refused as what it is; `failed` is kept for what may have been a scan."""

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import InputError
from gadoscope.labels import Status
from gadoscope.reading.formats import PREFIX_BYTES, find_kind
from gadoscope.reading.no_image import explain_no_image
from tests.support.other_files import CONTENTS, NOISE

MINC_1 = b"CDF\1\0\0\0\0\0\0\0\n\0\0\0\3\0\0\0\6zspace\0\0"
WHAT_TO_DO = {
    "a PDF; export": b"%PDF-1.4\n",
    "a MINC volume; convert it to NIfTI, for example with mnc2nii": MINC_1,
    "an NRRD volume; convert it to NIfTI": b"NRRD0004\ntype: short\n",
    "a MetaImage volume; convert": b"ObjectType = Image\nNDims = 3\n" + NOISE,
    "an AFNI volume; convert": b"\ntype  = string-attribute\nname  = HISTORY_NOTE\n",
    "a Philips PAR/REC scan; convert": b"# === DATA DESCRIPTION FILE ====\n#\n",
    "data of a Bruker scanner; convert": b"##TITLE=Parameter List, ParaVision 6.0.1\n",
    "spectroscopy of a Siemens scanner": b">>> Begin of header <<<\nPatientName: \n",
    "a GIFTI surface; give the volume": b'<?xml version="1.0"?>\n<!DOCTYPE GIFTI SYSTEM "gifti.dtd">\n',
    "an HDF5 file; convert": b"\x89HDF\r\n\x1a\n" + bytes(99),
    "a video; export": b"\0\0\1\xba" + bytes(99),
    "a 7z archive; unpack": b"7z\xbc\xaf\x27\x1c" + bytes(99),
}


def explained(content: bytes, name: str) -> InputError:
    prefix = content[:PREFIX_BYTES]
    return explain_no_image(find_kind(prefix), prefix, name, "a scan")


@pytest.mark.parametrize("words", CONTENTS)
@pytest.mark.parametrize("name", ["x", "IM0001.dcm", "scan.nii.gz"])
def test_content_that_is_never_a_scan_is_refused_as_what_it_is_whatever_its_name_says(
    words: str, name: str
) -> None:
    error = explained(CONTENTS[words], name)
    assert (error.status, error.reason) == (Status.REFUSED, "other_file")
    assert f"this is {words}" in error.sentence


@pytest.mark.parametrize("words", WHAT_TO_DO)
def test_data_that_are_not_read_are_refused_with_what_to_do(words: str) -> None:
    error = explained(WHAT_TO_DO[words], "x")
    assert (error.status, error.reason) == (Status.REFUSED, "unsupported_format")
    assert f"this is {words}" in error.sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("anat.mnc", "a MINC volume"),
        ("brain+orig.BRIK", "an AFNI volume"),
        ("scan_1.REC", "a Philips PAR/REC scan"),
        ("2dseq", "data of a Bruker scanner"),
        ("meas_MID00042.dat", "raw data"),
    ],
)
def test_voxels_without_a_header_of_their_own_are_known_by_their_name(name: str, words: str) -> None:
    error = explained(NOISE, name)
    assert (error.status, error.reason) == (Status.REFUSED, "unsupported_format")
    assert f"this is {words}" in error.sentence


@pytest.mark.parametrize(
    "name",
    [
        "viewer.exe",
        "qt.DLL",
        "Thumbs.db",
        "desktop.ini",
        "app.ico",
        "x.mat",
        "a.jar",
        "font.TTF",
        "error.log",
    ],
)
def test_content_that_is_nothing_known_is_refused_under_a_name_that_claims_no_scan(name: str) -> None:
    for content in (NOISE, b""):
        error = explained(content, name)
        assert (error.status, error.reason) == (Status.REFUSED, "other_file")


def test_a_suffix_that_nobody_knows_claims_no_scan() -> None:
    assert explained(NOISE, "viewer.qqq").reason == "other_file"
    assert explained(b"", "viewer.qqq").reason == "empty_file"


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + bytes(99), b"CDF\1\0\0\0\0" + bytes(99)])
def test_both_versions_of_minc_are_known_by_their_suffix_too(content: bytes) -> None:
    assert (
        "a MINC volume; convert it to NIfTI, for example with mnc2nii"
        in explained(content, "t1.mnc").sentence
    )
    assert "a MINC volume" not in explained(content, "data").sentence


MAYBE_SCANS = [
    "IM000001", "IM0001.dcm", "I.0001", "1.2.840.113619.2.5.17", "MR.1.3.12", "scan.nii", "scan.nii.gz",
    "slice.PNG", "a.jpg", "x.IMA", "orig.mgz", "study.zip", "a.tar.gz", "scan.dcm.part", "0001.mr", ".hidden",
    "T1 post. 3 mm (Nr.12)", "brain.hdr",
]  # fmt: skip


@pytest.mark.parametrize("name", MAYBE_SCANS)
def test_what_may_have_been_a_scan_has_failed(name: str) -> None:
    assert (explained(NOISE, name).status, explained(NOISE, name).reason) == (Status.FAILED, "not_an_image")
    assert (explained(b"", name).status, explained(b"", name).reason) == (Status.FAILED, "empty_file")


def test_voxels_without_their_header_say_which_half_is_missing() -> None:
    error = explained(NOISE, "brain.IMG")
    assert (error.status, error.reason) == (Status.FAILED, "missing_pair")
    assert ".hdr" in error.sentence


@pytest.mark.parametrize("name", ["scan.nii.gz", "orig.mgz", "IM0001.dcm.gz", "study.tgz", "a.hdr.gz"])
def test_gzip_of_nothing_known_may_have_been_a_scan_where_its_name_says_so(name: str) -> None:
    for content in (gzip.compress(NOISE), gzip.compress(NOISE)[:300], b"\x1f\x8b\x08" + NOISE):
        assert (explained(content, name).status, explained(content, name).reason) == (
            Status.FAILED,
            "not_an_image",
        )
        assert explained(content, "a.img.gz").reason == "missing_pair"
        assert explained(content, "data.gz").reason == "unsupported_format"


def test_words_that_begin_like_a_program_or_a_font_are_text() -> None:
    for content in (b"MZ is a code. " * 9, b"true as ever", b"OTTOMAN", b"CWSomething"):
        assert explained(content, "notes.txt").status is Status.REFUSED
    assert explained(b"MZ is a code. " * 9, "notes.txt").reason == "text_file"


def test_voxels_that_begin_like_an_icon_are_voxels() -> None:
    voxels = np.array([0, 1, 1, 3, 2, 5, 9, 1, 0, 44, 0, 0], "<i2").tobytes() + NOISE
    assert explained(voxels, "a.img").reason == "missing_pair"


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.TGZ"])
def test_a_tar_of_nothing_is_an_empty_archive(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / name, "w" if name == "a.tar" else "w:gz"):
        pass
    content = (tmp_path / name).read_bytes()[:PREFIX_BYTES]
    error = explain_no_image(find_kind(content), content, name, "a scan")
    assert (error.status, error.reason) == (Status.REFUSED, "empty_archive")


def test_zeros_under_another_name_have_failed() -> None:
    error = explain_no_image(find_kind(bytes(2000)), bytes(2000), "a.dcm", "a scan")
    assert error.reason == "not_an_image"

"""Analyze 7.5, SPM's pairs and FreeSurfer's MGH are read as nibabel reads them, with the same limits."""

import gzip
import shutil
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from gadoscope.errors import ReadError, RefusedError
from gadoscope.imaging.volume import Geometry
from gadoscope.labels import Plane, Status
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.nifti import series
from tests.support.nifti_files import (
    NIBABEL_DATA,
    nib,
    oblique_affine,
    open_file,
    outcome_of,
    read_all,
    sampled_at,
    save,
    values,
)
from tests.support.scan_runs import classify

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ANALYZE = [nib.AnalyzeImage, nib.Spm99AnalyzeImage, nib.Spm2AnalyzeImage]
ORIENT_AT = 252


def write(path: Path, kind: Any, data: Any, affine: Any = None) -> Path:
    """Write by nibabel alone; return what a user would name."""
    nib.save(kind(data, oblique_affine() if affine is None else affine), path)
    return path.with_suffix(".hdr") if path.suffix == ".img" else path


def assert_as_nibabel_reads_it(path: Path, affine: Any = None) -> None:
    # nibabel leaves an .mgh that it loads open.
    image = nib.MGHImage.from_bytes(path.read_bytes()) if path.suffix == ".mgh" else nib.load(path)
    expected = np.asarray(image.dataobj)
    opened = open_file(path)
    assert len(opened.volumes) == (expected.shape[3] if expected.ndim == 4 else 1)
    for index in range(len(opened.volumes)):
        geometry: Geometry = opened.volumes[index].open().geometry
        one = expected[..., index] if expected.ndim == 4 else expected
        there = sampled_at(
            one, LPS @ (image.affine if affine is None else affine), geometry.affine, geometry.shape
        )
        np.testing.assert_allclose(read_all(opened, index), there, rtol=1e-6)


@pytest.mark.parametrize("kind", ANALYZE)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_an_analyze_pair_is_read_as_nibabel_reads_it(tmp_path: Path, kind: Any, dtype: Any) -> None:
    affine = np.diag([-0.9, 1.0, 4.0, 1.0])
    affine[:3, 3] = [8.6, -11.5, -12]  # where nibabel puts it if nothing is said: the middle at the origin
    path = write(tmp_path / "a.img", kind, values(dtype=dtype), affine)
    (tmp_path / "a.mat").unlink(missing_ok=True)
    assert_as_nibabel_reads_it(path)
    assert open_file(path).warnings == ("an Analyze header does not say how the head lies: taken as LAS",)


@pytest.mark.parametrize("order", "<>")
def test_an_analyze_pair_of_either_byte_order_and_compressed_is_read(tmp_path: Path, order: str) -> None:
    header = nib.AnalyzeHeader(endianness=order)
    header.set_data_dtype(np.int16)
    image = nib.AnalyzeImage(values(), np.diag([-1.0, 1, 4, 1]), header)
    nib.save(image, tmp_path / "a.img")
    assert_as_nibabel_reads_it(tmp_path / "a.hdr")
    expected = read_all(open_file(tmp_path / "a.hdr"))
    for end in (".img", ".hdr"):
        (tmp_path / f"b{end}.gz").write_bytes(gzip.compress((tmp_path / f"a{end}").read_bytes()))
    np.testing.assert_array_equal(read_all(open_file(tmp_path / "b.hdr.gz")), expected)


@pytest.mark.parametrize("kind", ANALYZE[1:])
def test_spms_matrix_says_where_the_voxels_lie(tmp_path: Path, kind: Any) -> None:
    path = write(tmp_path / "a.img", kind, values())
    assert (tmp_path / "a.mat").exists()
    assert_as_nibabel_reads_it(path, oblique_affine())
    assert open_file(path).warnings == ()


def test_spms_older_matrix_does_not_tell_the_side(tmp_path: Path) -> None:
    path = write(tmp_path / "a.img", nib.Spm99AnalyzeImage, values())
    savemat(tmp_path / "a.mat", {"M": np.diag([1.0, 1, 4, 1])}, format="4")
    assert_as_nibabel_reads_it(path)
    (warning,) = open_file(path).warnings
    assert "left from right" in warning


def test_without_scipy_a_volume_with_spms_matrix_fails_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.img", ANALYZE[1], values())
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(ReadError, match=r"needs scipy, .*install .*phantom") as raised:
        open_file(path)
    assert raised.value.reason == "missing_codec"


@pytest.mark.parametrize(
    "content", [b"", b"1 0 0 0\n0 1 0 0\n", bytes(300), b"MATLAB 5.0 MAT-file" + bytes(200)]
)
def test_a_mat_that_is_none_of_spms_is_told_and_ignored(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.img", nib.AnalyzeImage, values(), np.diag([-1.0, 1, 4, 1]))
    (tmp_path / "a.mat").write_bytes(content)
    assert any(".mat" in warning for warning in open_file(path).warnings)
    assert read_all(open_file(path)).shape == (7, 24, 20)


@pytest.mark.parametrize(
    ("orient", "plane"),
    [(0, Plane.AXIAL), (1, Plane.CORONAL), (2, Plane.SAGITTAL), (3, Plane.AXIAL), (4, Plane.CORONAL),
     (5, Plane.SAGITTAL), (ord("2"), Plane.SAGITTAL), (99, Plane.AXIAL)],
)  # fmt: skip
def test_the_plane_is_what_the_header_says_where_it_says_one(
    tmp_path: Path, orient: int, plane: Plane
) -> None:
    path = write(tmp_path / "a.img", nib.AnalyzeImage, values((30, 34, 5)), np.diag([-1.0, 1, 5, 1]))
    content = bytearray(path.read_bytes())
    content[ORIENT_AT] = orient
    path.write_bytes(content)
    volume = open_file(path).volumes[0].open()
    assert volume.geometry.plane is plane
    assert volume.geometry.shape[0] == 5
    assert len(open_file(path).warnings) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
@pytest.mark.parametrize("ending", ["mgh", "mgz"])
@pytest.mark.parametrize("shape", [(20, 24, 7), (20, 24, 7, 3)])
def test_an_mgh_is_read_as_nibabel_reads_it(tmp_path: Path, dtype: Any, ending: str, shape: Any) -> None:
    assert_as_nibabel_reads_it(write(tmp_path / f"a.{ending}", nib.MGHImage, values(shape, dtype)))


def test_a_4d_analyze_is_a_volume_for_each_point_in_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.img", nib.AnalyzeImage, values((20, 24, 7, 3)), np.diag([-1.0, 1, 4, 1]))
    (tmp_path / "a.mat").unlink(missing_ok=True)
    assert_as_nibabel_reads_it(path)


def test_nibabels_own_mgz_is_read_and_its_analyze_header_alone_is_half_a_pair() -> None:
    assert_as_nibabel_reads_it(NIBABEL_DATA / "test.mgz")
    assert outcome_of(NIBABEL_DATA / "analyze.hdr") == "missing_pair"


def test_an_mgh_that_does_not_say_how_the_head_lies_is_coronal_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mgh", nib.MGHImage, values((20, 24, 22), np.int16), np.eye(4))
    content = bytearray(path.read_bytes())
    content[28:30] = b"\0\0"
    path.write_bytes(content)
    assert open_file(path).volumes[0].open().geometry.plane is Plane.CORONAL
    assert "goodRASFlag" in open_file(path).warnings[0]


@pytest.mark.parametrize(
    "name", ["aseg.mgz", "aparc+aseg.mgz", "aparc.DKTatlas+aseg.mgz", "lh.ribbon.mgz", "wm.mgz"]
)
def test_freesurfers_labels_are_refused_by_their_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="segmentation: FreeSurfer"):
        open_file(write(tmp_path / name, nib.MGHImage, values(dtype=np.int32)))


@pytest.mark.parametrize("name", ["orig.mgz", "T1.mgz", "brainmask.mgz", "nu.mgz", "wmh_patient.mgz"])
def test_freesurfers_intensities_are_read(tmp_path: Path, name: str) -> None:
    assert outcome_of(write(tmp_path / name, nib.MGHImage, values(dtype=np.uint8))) == "read"


# --- Kinds, pairs and rows


def test_kin_are_volumes_by_their_content_and_a_damaged_nifti_is_no_analyze(tmp_path: Path) -> None:
    for path in (
        write(tmp_path / "a.img", nib.AnalyzeImage, values(), np.diag([-1.0, 1, 4, 1])),
        write(tmp_path / "a.mgh", nib.MGHImage, values()),
        write(tmp_path / "a.mgz", nib.MGHImage, values()),
    ):
        assert find_kind(path.read_bytes()[:PREFIX_BYTES]) is Kind.NIFTI
    content = bytearray(save(tmp_path / "a.nii", values()).read_bytes())
    content[344:348] = bytes(4)
    assert find_kind(bytes(content[:PREFIX_BYTES])) is Kind.UNKNOWN
    for odd in (struct.pack(">4i", 1, 5, 0, 5) + bytes(300), b"\0\0\0\1Bud1" + bytes(300), bytes(348)):
        assert find_kind(odd) is not Kind.NIFTI


def test_a_pair_is_one_input_with_or_without_spms_matrix_and_by_either_name(tmp_path: Path) -> None:
    write(tmp_path / "a.img", nib.Spm99AnalyzeImage, values())
    (tmp_path / "other.mat").write_bytes(b"1 0 0\n")
    found = [one.source.path.name for one in iter_inputs([tmp_path])]
    assert found == ["a.hdr", "other.mat"]
    assert [one.source.path.name for one in iter_inputs([tmp_path / "a.img"])] == ["a.hdr"]
    for path in list(tmp_path.glob("a.*")):
        path.rename(path.with_name(path.name.upper()))
    assert [one.source.path.name for one in iter_inputs([tmp_path])] == ["A.HDR", "other.mat"]


@pytest.mark.parametrize("lost", ["a.hdr", "a.img"])
def test_half_a_pair_is_one_row_that_says_which_half_is_missing(
    tmp_path: Path, tiny_bundle: Path, lost: str
) -> None:
    write(tmp_path / "in.img", nib.Spm99AnalyzeImage, values())
    (tmp_path / "in").mkdir()
    for end in ("hdr", "img", "mat"):
        shutil.move(tmp_path / f"in.{end}", tmp_path / "in" / f"a.{end}")
    (tmp_path / "in" / lost).unlink()
    (row,) = classify(tiny_bundle, tmp_path / "in")
    assert row.status is Status.FAILED
    assert row.reason.startswith("missing_pair: ")
    assert lost[1:] in row.reason


def test_a_pair_and_an_mgz_in_a_zip_are_read_as_outside(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "in").mkdir()
    noise = np.random.default_rng(1).integers(0, 900, (40, 48, 9)).astype(np.int16)
    affine = np.diag([-4.0, 4, 16, 1])  # as large as a head
    write(tmp_path / "in" / "a.img", nib.Spm99AnalyzeImage, noise, affine)
    write(tmp_path / "in" / "b.mgz", nib.MGHImage, noise, affine)
    expected = classify(tiny_bundle, tmp_path / "in")
    assert [row.status for row in expected] == [Status.ANSWERED] * 2
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for file in (tmp_path / "in").iterdir():
            packed.write(file, file.name)
    rows = classify(tiny_bundle, tmp_path / "a.zip")
    assert [(row.probability, row.plane, row.warnings) for row in rows] == [
        (row.probability, row.plane, row.warnings) for row in expected
    ]


# --- Damage


def test_what_is_cut_off_is_truncated(tmp_path: Path) -> None:
    for name in ("a.mgh", "a.mgz"):
        path = write(tmp_path / name, nib.MGHImage, values())
        path.write_bytes(path.read_bytes()[:-500])
        assert outcome_of(path) == "truncated"
    path = write(tmp_path / "a.img", nib.AnalyzeImage, values(), np.diag([-1.0, 1, 4, 1]))
    (tmp_path / "a.img").write_bytes(b"few")
    with pytest.raises(ReadError, match="truncated: the file has 3 bytes"):
        open_file(path)


def test_a_small_mgz_that_inflates_to_gigabytes_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "ALWAYS_INFLATED_BYTES", 1000)
    plain = write(tmp_path / "a.mgh", nib.MGHImage, np.zeros((100, 100, 90), np.float32))
    path = tmp_path / "a.mgz"
    path.write_bytes(gzip.compress(plain.read_bytes(), 9))
    with pytest.raises(RefusedError, match="too_large"):
        open_file(path)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=6),
    kind=st.sampled_from(["a.hdr", "b.mgh"]),
)
def test_a_header_with_any_bytes_changed_is_read_or_named_an_error(
    tmp_path: Path, changes: list[tuple[int, int]], kind: str
) -> None:
    intact = tmp_path / "intact"
    if not intact.exists():  # the examples share the folder
        intact.mkdir()
        write(intact / "a.img", nib.AnalyzeImage, values(), np.diag([-1.0, 1, 4, 1]))
        write(intact / "b.mgh", nib.MGHImage, values())
        shutil.copy(intact / "a.img", tmp_path)
    content = bytearray((intact / kind).read_bytes())
    for at, value in changes:
        content[at] = value
    (tmp_path / kind).write_bytes(content)
    outcome_of(tmp_path / kind)


@pytest.mark.parametrize("name", ["analyze-pair", "spm-analyze-with-mat", "freesurfer-mgz"])
def test_the_volumes_that_were_brought_are_one_answer_each(
    shared: Path, tiny_bundle: Path, name: str
) -> None:
    (row,) = classify(tiny_bundle, shared / "cases" / name / "input")
    assert row.status is Status.ANSWERED
    assert bool(row.warnings) == (name == "analyze-pair")

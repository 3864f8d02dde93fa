"""The scan behind a row: found again where it lies, and shown as it was read."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from gadoscope.errors import InputError
from gadoscope.imaging.slices import SlicePolicy, choose_slices
from gadoscope.labels import Phase, Plane
from gadoscope.scans.opening import read_series
from gadoscope.web.opened import MOVED, WRITTEN_SINCE, Scans, Where
from gadoscope.web.pictures import PictureFormat, draw_sentence, draw_slice, encode, to_nifti
from tests.support.dicom_files import classic_series, stored_pixels, write_series

POLICY = SlicePolicy(n_slices=3)
_axial = partial(classic_series, plane=Plane.AXIAL)


def _write(folder: Path, datasets: Sequence[Dataset]) -> Where:
    paths = sorted(write_series(datasets, folder))
    return Where(place=1, path=str(paths[0]), series_instance_uid=datasets[0].SeriesInstanceUID)


def _values(dataset: Dataset) -> NDArray[np.floating]:
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    values: NDArray[np.floating] = stored_pixels(dataset) * slope + intercept
    return values


def _by_height(datasets: Sequence[Dataset]) -> list[Dataset]:
    return sorted(datasets, key=lambda one: float(one.ImagePositionPatient[2]))


def _write_nifti(path: Path) -> NDArray[np.int16]:
    """Write a volume along the axes, (x, y, z) RAS+ in 1, 2 and 3 mm, and return its voxels."""
    voxels = np.random.default_rng(2).integers(0, 900, (40, 32, 24), dtype=np.int16)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (-20, -30, -36)
    nib.save(nib.Nifti1Image(voxels, affine), path)  # type: ignore[no-untyped-call]  # nibabel has none
    return voxels


def test_a_dicom_slice_has_the_values_of_its_file(tmp_path: Path) -> None:
    datasets = _axial()
    scan = Scans().open(_write(tmp_path / "a", datasets))
    assert (scan.own.plane, scan.own.n_slices) == (Plane.AXIAL, len(datasets))
    for index, dataset in enumerate(_by_height(datasets)):
        np.testing.assert_allclose(scan.read(Plane.AXIAL, index), _values(dataset))


def test_the_slices_that_are_marked_are_those_that_the_network_saw(tmp_path: Path) -> None:
    where = _write(tmp_path / "a", _axial())
    scan = Scans().open(where, POLICY)
    seen = choose_slices(read_series(tmp_path / "a").volumes[0].open(), POLICY)
    shown = [draw_slice(scan, scan.own.plane, index) for index in scan.own.read]
    assert len(shown) == len(seen.pixels)
    for one, other in zip(shown, seen.pixels, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_slice_lies_where_the_patient_has_it(tmp_path: Path) -> None:
    """Millimetres along the slice normal of each plane, of a volume whose voxels are a box along the axes."""
    _write_nifti(tmp_path / "a.nii")
    scan = Scans().open(Where(place=1, path=str(tmp_path / "a.nii")))
    found = {plane: (one.n_slices, one.first_mm, one.step_mm) for plane, one in scan.stacks.items()}
    # RAS+: x from -20, the patient's left, which comes first; y up to 32, the front, which comes first.
    assert found[Plane.SAGITTAL] == pytest.approx((40, -20.0, 1.0))
    assert found[Plane.CORONAL] == pytest.approx((32, -32.0, 2.0))
    assert found[Plane.AXIAL] == pytest.approx((24, -36.0, 3.0))


def test_every_plane_shows_the_voxels_upright(tmp_path: Path) -> None:
    """Sagittal: front on the left, head up. Coronal and axial: the patient's right on the left."""
    voxels = _write_nifti(tmp_path / "a.nii")
    scan = Scans().open(Where(place=1, path=str(tmp_path / "a.nii")))
    sagittal = scan.read(Plane.SAGITTAL, 7)
    assert sagittal[0, 0] == pytest.approx(voxels[7, -1, -1])
    assert sagittal[-1, -1] == pytest.approx(voxels[7, 0, 0])
    axial = scan.read(Plane.AXIAL, 5)
    assert axial[0, 0] == pytest.approx(voxels[-1, -1, 5])
    assert axial[-1, -1] == pytest.approx(voxels[0, 0, 5])
    coronal = scan.read(Plane.CORONAL, 3)
    assert coronal[0, 0] == pytest.approx(voxels[-1, 32 - 1 - 3, -1])


def test_of_two_series_in_one_folder_each_row_has_its_own(tmp_path: Path) -> None:
    first, second = _axial(), _axial(Phase.POST_CONTRAST, name="b")
    one = _write(tmp_path / "both", first)
    paths = write_series(second, tmp_path / "both", name_of="z{}".format)
    other = Where(place=2, path=str(paths[0]), series_instance_uid=second[0].SeriesInstanceUID)
    scans = Scans()
    for where, datasets in ((one, first), (other, second)):
        np.testing.assert_allclose(scans.open(where).read(Plane.AXIAL, 0), _values(_by_height(datasets)[0]))


def test_a_series_in_a_zip_is_the_series_in_its_folder(tmp_path: Path) -> None:
    where = _write(tmp_path / "a", _axial())
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted((tmp_path / "a").iterdir()):
            archive.write(path, f"in/{path.name}")
    packed = Where(place=1, path=f"{tmp_path / 'a.zip'}!in/{Path(where.path).name}")
    scans = Scans()
    one, other = scans.open(where), scans.open(packed)
    np.testing.assert_array_equal(one.read(Plane.AXIAL, 2), other.read(Plane.AXIAL, 2))


def test_a_volume_goes_to_the_browser_as_a_file_that_others_read(tmp_path: Path) -> None:
    """nibabel reads it back: the same voxels in the same places as the headers say, in its axes RAS+."""
    datasets = _axial()
    scan = Scans().open(_write(tmp_path / "a", datasets))
    (tmp_path / "a.nii.gz").write_bytes(to_nifti(scan.hold()))
    image: Any = nib.load(tmp_path / "a.nii.gz")
    first = _by_height(datasets)[0]
    x, y, z = map(float, first.ImagePositionPatient)
    place = np.linalg.inv(image.affine) @ np.array([-x, -y, z, 1.0])
    index = tuple(np.rint(place[:3]).astype(int))
    assert image.get_fdata()[index] == pytest.approx(_values(first)[0, 0])


def test_a_slice_image_is_shown_as_it_is(tmp_path: Path) -> None:
    pixels = np.arange(64 * 48, dtype=np.uint32).reshape(64, 48) % 251
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "a.png")
    scan = Scans().open(Where(place=1, path=str(tmp_path / "a.png")), POLICY)
    assert scan.own.read == (0,)
    np.testing.assert_array_equal(draw_slice(scan, Plane.UNKNOWN, 0), pixels)


@pytest.mark.parametrize("picture_format", PictureFormat)
def test_a_picture_loses_nothing(picture_format: PictureFormat, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50), dtype=np.uint8)
    path = tmp_path / f"a.{picture_format}"
    path.write_bytes(encode(pixels, picture_format))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("L")), pixels)


def test_a_window_that_is_asked_for_is_obeyed(tmp_path: Path) -> None:
    scan = Scans().open(_write(tmp_path / "a", _axial()))
    voxels = scan.read(Plane.AXIAL, 2)
    low, high = np.percentile(voxels, [40, 60])
    shown = draw_slice(scan, Plane.AXIAL, 2, (float(low), float(high)))
    assert (shown[voxels <= low] == 0).all()
    assert (shown[voxels >= high] == 255).all()
    with pytest.raises(ValueError, match="black must lie below white"):
        draw_slice(scan, Plane.AXIAL, 2, (3.0, 3.0))


@pytest.mark.parametrize("index", [-1, 10_000])
def test_a_slice_that_is_none_is_refused(tmp_path: Path, index: int) -> None:
    scan = Scans().open(_write(tmp_path / "a", _axial()))
    with pytest.raises(ValueError, match=f"there is no axial slice {index}"):
        scan.read(Plane.AXIAL, index)


def test_files_that_were_moved_are_missed_and_found_when_they_are_back(tmp_path: Path) -> None:
    where = _write(tmp_path / "a", _axial())
    (tmp_path / "a").rename(tmp_path / "b")
    scans = Scans()
    with pytest.raises(InputError, match=MOVED):
        scans.open(where)
    (tmp_path / "b").rename(tmp_path / "a")
    assert scans.open(where).own.n_slices == len(list((tmp_path / "a").iterdir()))


def test_where_the_named_file_is_gone_nothing_else_is_taken_for_it(tmp_path: Path) -> None:
    where = _write(tmp_path / "a", _axial())
    with pytest.raises(InputError, match=MOVED):
        Scans().open(Where(place=1, path=f"{where.path}.gone", series_instance_uid="1.2.3"))


def test_a_file_that_was_written_since_says_so(tmp_path: Path) -> None:
    where = _write(tmp_path / "a", _axial())
    os.utime(where.path, (1e9, 1e9))  # 2001
    after = Where(**{**vars(where), "answered_at": "2002-01-01T00:00:00Z"})
    before = Where(**{**vars(where), "answered_at": "2000-01-01T00:00:00Z"})
    assert Scans().open(after).notes == ()
    assert Scans().open(before).notes == (WRITTEN_SINCE,)


def test_a_sentence_in_the_place_of_a_picture_is_text_and_no_markup() -> None:
    drawn = draw_sentence("a <script>alert(1)</script> & \x1b[2J b").decode()
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    assert "\x1b" not in drawn

"""NIfTI files that are read: voxel for voxel and millimetre for millimetre as nibabel reads them."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.errors import InputError
from gadoscope.imaging.slices import SlicePolicy, choose_slices
from gadoscope.labels import Plane
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.forms.dicom import stored_values
from gadoscope.phantom.forms.nifti import write_nifti
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.nifti.series import open_nifti
from tests.support.nifti_files import (
    NIBABEL_DATA,
    all_axis_orders,
    nib,
    open_file,
    read_all,
    reorder,
    sampled_at,
    save,
    values,
)

DTYPES = [
    np.uint8,
    np.int8,
    np.uint16,
    np.int16,
    np.uint32,
    np.int32,
    np.uint64,
    np.int64,
    np.float32,
    np.float64,
]
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def assert_as_nibabel_reads_it(path: Path) -> None:
    image = nib.load(path)
    expected = image.get_fdata().reshape((*image.shape, 1, 1)[:4])
    series = open_file(path)
    assert len(series.volumes) == expected.shape[3]
    for index in range(len(series.volumes)):
        geometry = series.volumes[index].open().geometry
        voxels = read_all(series, index)
        assert voxels.dtype == np.float32
        assert voxels.shape == geometry.shape
        there = sampled_at(expected[..., index], LPS @ image.affine, geometry.affine, geometry.shape)
        np.testing.assert_allclose(voxels, there, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_every_number_type_and_byte_order_is_read_as_nibabel_reads_it(
    tmp_path: Path, dtype: Any, order: str
) -> None:
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(values(dtype=dtype), np.diag([1.0, 2.0, 5.0, 1.0]), header=header, dtype=dtype)
    nib.save(image, tmp_path / "a.nii")
    assert nib.load(tmp_path / "a.nii").header.endianness == order
    assert_as_nibabel_reads_it(tmp_path / "a.nii")


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image, nib.Nifti1Pair, nib.Nifti2Pair])
@pytest.mark.parametrize("ending", ["", ".gz"], ids=["plain", "gz"])
def test_both_versions_single_or_in_pairs_compressed_or_not_are_read(
    tmp_path: Path, kind: Any, ending: str
) -> None:
    is_pair = "Pair" in kind.__name__
    save(tmp_path / f"a.{'img' if is_pair else 'nii'}{ending}", values((20, 24, 7, 3)), kind=kind)
    assert_as_nibabel_reads_it(tmp_path / f"a.{'hdr' if is_pair else 'nii'}{ending}")


def test_the_name_does_not_matter_only_the_content_does(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", values()).rename(tmp_path / "scan.dat")
    assert read_all(open_file(path)).shape == (7, 24, 20)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_of_any_axis_may_be_asked_for_in_any_order_and_twice(tmp_path: Path, axis: int) -> None:
    shape, spacing = [40, 44, 48], [1.0, 1.0, 1.0, 1.0]
    spacing[axis] = 5.0
    path = save(tmp_path / "a.nii", values((shape[0], shape[1], shape[2])), affine=np.diag(spacing))
    volume = open_file(path).volumes[0].open()
    assert volume.geometry.shape[0] == shape[axis]
    whole = volume.read_slices(range(shape[axis]))
    np.testing.assert_array_equal(volume.read_slices([17, 3, 3]), whole[[17, 3, 3]])
    assert_as_nibabel_reads_it(path)


@pytest.mark.parametrize("name", sorted(path.name for path in NIBABEL_DATA.glob("*.nii*")))
def test_nibabels_own_files_are_read_as_nibabel_reads_them(name: str) -> None:
    if name == "row_major.dconn.nii":
        with pytest.raises(InputError, match=r"not_a_volume: .* 6 axes"):
            open_file(NIBABEL_DATA / name)
    else:
        assert_as_nibabel_reads_it(NIBABEL_DATA / name)


def test_real_volumes_are_read_as_nibabel_reads_them(shared: Path) -> None:
    paths = sorted((shared / "data" / "tcga-lgg" / "volume").glob("*.nii.gz"))
    assert len(paths) == 14
    assert_as_nibabel_reads_it(paths[0])
    for path in paths:
        assert open_file(path).volumes[0].open().geometry.plane is Plane.AXIAL


def test_a_phantoms_volume_has_the_values_and_places_of_its_acquisition(tmp_path: Path) -> None:
    done = scan(Cohort(subjects=1, seed=3, slices=4, matrix=48), 1)
    for acquired, path in write_nifti(done, tmp_path):
        series = open_file(path)
        geometry = series.volumes[0].open().geometry
        np.testing.assert_array_equal(read_all(series), stored_values(acquired.signal))
        np.testing.assert_allclose(geometry.affine, acquired.grid.affine, atol=1e-4)
        assert geometry.plane is acquired.grid.plane
        assert series.warnings == ()
        assert series.facts is None


STACK = SlicePolicy(planes=(Plane.AXIAL,), n_slices=3, extent=0.5)
VOLUME = SlicePolicy(planes=(Plane.SAGITTAL,), n_slices=3, extent=0.2, volume_planes=(Plane.SAGITTAL,))


@pytest.mark.parametrize("policy", [STACK, VOLUME], ids=["stack", "volume"])
def test_all_48_axis_orders_give_the_same_upright_slices(tmp_path: Path, policy: SlicePolicy) -> None:
    is_stack = policy is STACK
    shape = (36, 30, 9) if is_stack else (44, 48, 52)
    affine = np.diag([3.0, 3.0, 6.0 if is_stack else 3.0, 1.0])
    data = values(shape, np.float32)
    chosen = []
    for code in all_axis_orders():
        turned, its_affine = reorder(data, affine, code)
        path = save(tmp_path / f"{code}.nii", turned, affine=its_affine)
        chosen.append(choose_slices(open_file(path).volumes[0].open(), policy))
    assert len(chosen) == 48
    for one in chosen:
        assert len(one.pixels) == 3
        for mine, first in zip(one.pixels, chosen[0].pixels, strict=True):
            assert mine.shape == first.shape
            assert np.abs(mine.astype(int) - first).max() <= (0 if is_stack else 1)


def test_the_slices_of_a_canonical_axial_stack_are_turned_as_radiologists_see_them(tmp_path: Path) -> None:
    data = values((36, 30, 9), np.float32)
    path = save(tmp_path / "a.nii", data, affine=np.diag([1.0, 1.0, 6.0, 1.0]))
    (upright,) = choose_slices(open_file(path).volumes[0].open(), SlicePolicy(n_slices=1)).pixels
    # RAS+: i to the right, j to the front. On screen the right is left, and the front up.
    expected = data[::-1, ::-1, 4].T
    assert upright.shape == expected.shape
    assert np.corrcoef(upright.ravel(), expected.ravel())[0, 1] > 0.999


def test_a_4d_file_is_a_volume_for_each_point_in_time(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", values((20, 24, 7, 5)))
    series = open_nifti(Source(path), facts={"EchoTime": 3.0})
    assert len(series.volumes) == 5
    assert series.facts == {"EchoTime": 3.0, "NumberOfTemporalPositions": 5}
    assert_as_nibabel_reads_it(path)


def test_an_array_in_the_sidecar_says_one_thing_of_each_volume(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values((20, 24, 7, 2)))
    series = open_nifti(Source(path), facts={"EchoTime": [1.7, 3.5], "ImageType": ["ORIGINAL", "PRIMARY"]})
    assert [volume.facts for volume in series.volumes] == [{"EchoTime": 1.7}, {"EchoTime": 3.5}]


def test_axes_of_one_voxel_behind_the_third_are_no_volumes_of_their_own(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values((20, 24, 7, 1, 1)))
    assert len(open_file(path).volumes) == 1


def test_a_single_slice_is_a_volume_of_one(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values((20, 24)), affine=np.eye(4), pixdim=[1, 2, 1, 0, 0, 0, 0, 0])
    path2 = save(tmp_path / "b.nii", values((1, 24, 20)), affine=np.diag([5.0, 1.0, 1.0, 1.0]))
    assert open_file(path).volumes[0].open().geometry.shape == (1, 24, 20)
    assert open_file(path2).volumes[0].open().geometry.shape == (1, 20, 24)
    assert open_file(path2).volumes[0].open().geometry.plane is Plane.SAGITTAL


def test_volumes_are_read_by_several_threads_at_once(tmp_path: Path) -> None:
    data = values((64, 64, 40, 12))
    path = save(tmp_path / "a.nii.gz", data)
    series = open_file(path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda index: read_all(series, index), [*range(12), *range(11, -1, -1)]))
    for index, voxels in zip([*range(12), *range(11, -1, -1)], found, strict=True):
        np.testing.assert_array_equal(voxels, data[..., index].T)


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"]
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_volume_inside_an_archive_is_read(tmp_path: Path, name: str, compression: int) -> None:
    path = save(tmp_path / name, values())
    with zipfile.ZipFile(tmp_path / "a.zip", "w", compression) as archive:
        archive.write(path, f"inner/{name}")
    series = open_nifti(Source(tmp_path / "a.zip", f"inner/{name}"))
    assert series.path == f"{tmp_path / 'a.zip'}!inner/{name}"
    np.testing.assert_array_equal(read_all(series), read_all(open_file(path)))

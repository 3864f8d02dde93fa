"""Instances of a series become the volume that they are, whatever their order, place and company."""

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from scipy.spatial.transform import Rotation

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.labels import Phase, Plane
from gadoscope.reading.dicom import copies as dicom_copies
from gadoscope.reading.dicom import kinds as dicom_kinds
from gadoscope.reading.dicom import stack as dicom_stack
from gadoscope.reading.dicom import volumes as dicom_volumes
from tests.support.dicom_files import (
    classic_series,
    localizer,
    rename_series,
    set_instance_uid,
    set_pixels,
    stored_pixels,
)
from tests.support.dicom_others import secondary_capture
from tests.support.opened_series import (
    assert_same,
    open_datasets,
    open_files,
    read_volume,
    read_volumes,
    shuffle,
    write,
)

PLANES = [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL]


def turn(datasets: list[Dataset], seed: int) -> list[Dataset]:
    """Turn the patient by a random rotation: any orientation, oblique or not, is as good as another."""
    rotation = Rotation.random(random_state=seed).as_matrix()
    for dataset in datasets:
        directions = np.reshape(dataset.ImageOrientationPatient, (2, 3)).astype(float)
        dataset.ImageOrientationPatient = [f"{v:.8f}" for v in (directions @ rotation.T).ravel()]
        position = rotation @ np.array(dataset.ImagePositionPatient, float)
        dataset.ImagePositionPatient = [f"{v:.6f}" for v in position]
    return datasets


def assert_as_highdicom(datasets: list[Dataset], folder: Path, *, atol_mm: float = 1e-3) -> None:
    """highdicom counts slices against their normal, Gadoscope along it; nothing else may differ."""
    expected = highdicom.get_volume_from_series(datasets).flip_spatial(0)
    [read] = read_volumes(open_datasets(datasets, folder))
    np.testing.assert_allclose(read.affine, expected.affine, atol=atol_mm)
    np.testing.assert_allclose(read.voxels, expected.array, rtol=1e-6)


@pytest.mark.parametrize("plane", PLANES)
def test_a_classic_series_is_the_volume_that_highdicom_reads(plane: Plane, tmp_path: Path) -> None:
    assert_as_highdicom(classic_series(plane=plane), tmp_path)


@pytest.mark.parametrize("seed", range(8))
def test_obliques_are_the_volumes_that_highdicom_reads(seed: int, tmp_path: Path) -> None:
    assert_as_highdicom(turn(classic_series(plane=PLANES[seed % 3]), seed), tmp_path)


@pytest.mark.parametrize("name", ["brainix-t1", "memprage-sagittal"])
def test_real_series_are_the_volumes_that_highdicom_reads(name: str, shared: Path) -> None:
    paths = sorted((shared / "data" / "dicom" / name).iterdir())
    expected = highdicom.get_volume_from_series([pydicom.dcmread(path) for path in paths]).flip_spatial(0)
    series = open_files(shuffle(paths, 1))
    assert series.path == str(paths[0])
    [read] = read_volumes(series)
    np.testing.assert_allclose(read.affine, expected.affine, atol=2e-3)
    np.testing.assert_allclose(read.voxels, expected.array, rtol=1e-5)


def test_the_series_that_pydicom_ships_are_read_or_refused() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    series: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("DICOMDIR", "README.txt", "README"):
            uid = pydicom.dcmread(path, stop_before_pixels=True).get("SeriesInstanceUID")
            if uid:
                series.setdefault(uid, []).append(path)
    assert len(series) > 10
    reasons = set()
    for paths in series.values():
        try:
            assert open_files(paths).volumes
        except InputError as error:
            reasons.add(error.reason)
    assert reasons <= {"not_mr", "missing_orientation", "bad_geometry", "no_pixels"}


def test_shuffled_files_give_the_same_volume(tmp_path: Path) -> None:
    datasets = classic_series(plane=Plane.AXIAL)
    first = open_datasets(datasets, tmp_path / "one")
    for seed in range(5):
        shuffled = shuffle(datasets, seed)
        again = open_datasets(shuffled, tmp_path / str(seed))
        assert [volume.warnings for volume in again.volumes] == [volume.warnings for volume in first.volumes]
        assert_same(read_volumes(first)[0], read_volumes(again)[0])


def test_slices_are_counted_along_their_normal_and_lie_where_the_header_says(tmp_path: Path) -> None:
    datasets = classic_series(plane=Plane.CORONAL)
    [read] = read_volumes(open_datasets(datasets[::-1], tmp_path))
    directions = np.reshape(datasets[0].ImageOrientationPatient, (2, 3)).astype(float)
    assert read.affine[:3, 0] @ np.cross(*directions) > 0
    for dataset in datasets:
        position = np.array(dataset.ImagePositionPatient, float)
        [index] = [i for i in range(len(datasets)) if np.allclose(read.affine @ [i, 0, 0, 1], [*position, 1])]
        np.testing.assert_array_equal(read.voxels[index], stored_pixels(dataset))


def test_one_slice_is_a_volume_of_its_thickness(tmp_path: Path) -> None:
    dataset = classic_series()[2]
    del dataset.SpacingBetweenSlices
    dataset.SliceThickness = "4.5"
    [read] = read_volumes(open_datasets([dataset], tmp_path))
    assert read.voxels.shape[0] == 1
    assert np.linalg.norm(read.affine[:3, 0]) == pytest.approx(4.5)


def test_missing_slices_leave_the_others_in_their_places(tmp_path: Path) -> None:
    datasets = classic_series(n_slices=12)
    [whole] = read_volumes(open_datasets(datasets, tmp_path / "whole"))
    del datasets[7], datasets[3:5]
    series = open_datasets(datasets, tmp_path / "gaps")
    [volume] = series.volumes
    assert volume.warnings == (dicom_stack.MISSING_SLICES,)
    lazy = volume.open()
    assert lazy.geometry.shape == whole.voxels.shape
    np.testing.assert_allclose(lazy.geometry.affine, whole.affine, atol=1e-3)
    kept = [0, 1, 2, 5, 6, 8, 9, 10, 11]
    np.testing.assert_array_equal(lazy.read_slices(kept), whole.voxels[kept])
    for index in (3, 4, 7):
        with pytest.raises(ReadError, match="missing in the series") as caught:
            lazy.read_slices([index])
        assert caught.value.reason == "missing_slice"


def test_copies_and_repeated_exports_are_used_once(tmp_path: Path) -> None:
    datasets = classic_series()
    [expected] = read_volumes(open_datasets(datasets, tmp_path / "one"))
    copies = open_datasets([*datasets, *classic_series()], tmp_path / "copies")
    assert copies.warnings == (dicom_copies.COPIES,)
    assert_same(read_volumes(copies)[0], expected)
    again = classic_series()
    for number, dataset in enumerate(again):
        set_instance_uid(dataset, f"2.25.{number + 1}")
    repeated = open_datasets([*again, *datasets], tmp_path / "repeated")
    assert repeated.warnings == (dicom_volumes.REPEATED,)
    assert_same(read_volumes(repeated)[0], expected)


def test_two_acquisitions_in_one_series_are_two_volumes(tmp_path: Path) -> None:
    first, second = classic_series(), classic_series(Phase.POST_CONTRAST)
    for number, dataset in enumerate(second):
        dataset.AcquisitionNumber = 2
        set_instance_uid(dataset, f"2.25.{number + 1}")
    expected = [
        read_volumes(open_datasets(one, tmp_path / str(n)))[0] for n, one in enumerate((first, second))
    ]
    series = open_datasets(shuffle(first + second, 3), tmp_path / "both")
    assert not series.warnings
    assert [volume.facts["AcquisitionNumber"] for volume in series.volumes] == [1, 2]
    for read, other in zip(read_volumes(series), expected, strict=True):
        assert_same(read, other)


def test_two_acquisitions_whose_slices_lie_between_each_others_are_two_volumes(tmp_path: Path) -> None:
    first, second = classic_series(), classic_series(Phase.POST_CONTRAST)
    for number, dataset in enumerate(second):
        dataset.AcquisitionNumber = 2
        set_instance_uid(dataset, f"2.25.{number + 1}")
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) + 1.3
    series = open_datasets(first + second, tmp_path)
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [6, 6]
    assert [volume.warnings for volume in series.volumes] == [(), ()]


def test_interleaved_packets_of_one_acquisition_are_one_volume(tmp_path: Path) -> None:
    datasets = classic_series()
    for number, dataset in enumerate(datasets):
        dataset.AcquisitionNumber = number % 2 + 1
        dataset.AcquisitionTime = f"09{number % 2:02d}00"
    [volume] = open_datasets(datasets, tmp_path).volumes
    assert volume.open().geometry.shape[0] == 6
    assert volume.warnings == ()


def test_an_instance_of_another_size_is_left_out(tmp_path: Path) -> None:
    datasets = classic_series()
    set_pixels(datasets[5], stored_pixels(datasets[5])[:48])
    series = open_datasets(datasets, tmp_path)
    assert series.warnings == (dicom_volumes.STRAYS,)
    assert [volume.open().geometry.shape for volume in series.volumes] == [(5, 64, 64)]


def test_a_localizer_of_three_orientations_is_three_volumes(tmp_path: Path) -> None:
    series = open_datasets(localizer(), tmp_path)
    planes = [volume.open().geometry.plane for volume in series.volumes]
    assert planes == [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL]


def test_a_sheared_stack_keeps_its_shear_and_an_uneven_one_its_mean_distance(tmp_path: Path) -> None:
    datasets = classic_series()
    for number, dataset in enumerate(datasets):
        dataset.ImagePositionPatient[2] = float(dataset.ImagePositionPatient[2]) + 1.5 * number
    [volume] = open_datasets(datasets, tmp_path / "sheared").volumes
    assert volume.warnings == (dicom_stack.SHEARED,)
    affine = volume.open().geometry.affine
    for index, dataset in enumerate(datasets):
        np.testing.assert_allclose((affine @ [index, 0, 0, 1])[:3], dataset.ImagePositionPatient, atol=1e-3)
    datasets = classic_series()
    datasets[2].ImagePositionPatient[0] = float(datasets[2].ImagePositionPatient[0]) + 1.0
    [volume] = open_datasets(datasets, tmp_path / "uneven").volumes
    assert volume.warnings == (dicom_stack.UNEVEN,)
    assert volume.open().geometry.spacing_mm[0] == pytest.approx(
        float(datasets[0].SpacingBetweenSlices), 1e-3
    )


def test_a_screenshot_among_the_images_is_left_out(tmp_path: Path) -> None:
    datasets = classic_series()
    [shot] = secondary_capture()
    shot.SeriesInstanceUID = datasets[0].SeriesInstanceUID
    series = open_datasets([shot, *datasets], tmp_path)
    assert series.warnings == (dicom_kinds.OTHERS_LEFT_OUT["kind"],)
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [6]


def test_slices_that_all_name_one_place_are_refused(tmp_path: Path) -> None:
    datasets = classic_series()
    for number, dataset in enumerate(datasets):
        dataset.ImagePositionPatient = ["0", "0", "0"]
        dataset.AcquisitionTime = f"0900{number:02d}"
    with pytest.raises(RefusedError, match="one ImagePositionPatient") as caught:
        open_datasets(datasets, tmp_path)
    assert caught.value.reason == "bad_geometry"


def test_phase_images_beside_magnitude_are_left_out_and_alone_are_kept(tmp_path: Path) -> None:
    magnitude, phase = classic_series(), classic_series()
    for number, dataset in enumerate(magnitude + phase):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "M" if number < 6 else "P", "ND"]
        set_instance_uid(dataset, f"2.25.{number + 1}")
    series = open_datasets(magnitude + phase, tmp_path / "both")
    assert series.warnings == (dicom_volumes.OTHER_COMPONENTS,)
    assert len(series.volumes) == 1
    assert not open_datasets(phase, tmp_path / "phase").warnings  # the gate on words refuses it by its reason


def test_a_file_that_disappears_is_this_slices_error(tmp_path: Path) -> None:
    paths = write(classic_series(), tmp_path)
    lazy = open_files(paths).volumes[0].open()
    paths[3].unlink()
    assert lazy.read_slices([0, 1, 2, 4, 5]).shape == (5, 64, 64)
    with pytest.raises(ReadError) as caught:
        lazy.read_slices([3])
    assert caught.value.reason == "missing"
    assert lazy.window is None or len(lazy.window) == 2


def test_a_file_that_changes_between_scan_and_reading_is_an_error(tmp_path: Path) -> None:
    datasets = classic_series()
    paths = write(datasets, tmp_path)
    lazy = open_files(paths).volumes[0].open()
    set_pixels(datasets[1], stored_pixels(datasets[1])[:32, :32])
    write(datasets, tmp_path)
    with pytest.raises(ReadError) as caught:
        lazy.read_slices([1])
    assert caught.value.reason == "changed"


def test_the_window_is_that_of_the_middle_slice_and_costs_no_second_decoding(tmp_path: Path) -> None:
    datasets = classic_series()
    for number, dataset in enumerate(datasets):
        dataset.WindowCenter, dataset.WindowWidth = str(100 + number), "101"
    paths = write(datasets, tmp_path)
    lazy = open_files(paths).volumes[0].open()
    voxels = lazy.read_slices([3])
    paths[3].unlink()
    assert lazy.window == pytest.approx((53, 153), abs=0.51)
    np.testing.assert_array_equal(lazy.read_slices([3]), voxels)


def test_uids_and_path_are_those_of_the_series(tmp_path: Path) -> None:
    datasets = rename_series(classic_series(), "named")
    series = open_datasets(datasets, tmp_path)
    assert series.study_instance_uid == datasets[0].StudyInstanceUID
    assert series.series_instance_uid == datasets[0].SeriesInstanceUID
    assert series.path == str(tmp_path / "00000")
    assert series.facts is not None
    assert series.facts["SeriesDescription"] == datasets[0].SeriesDescription


def test_opening_a_series_decodes_nothing(tmp_path: Path) -> None:
    datasets = classic_series()
    for dataset in datasets:
        dataset.PixelData = dataset.PixelData[:100]
    lazy = open_datasets(datasets, tmp_path).volumes[0].open()
    assert lazy.geometry.shape == (6, 64, 64)
    with pytest.raises(InputError):
        read_volume(lazy)

"""What cannot be read as MR slices in space is refused with its reason; beside others it is left out."""

import math
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from gadoscope.errors import InputError, RefusedError
from gadoscope.reading.dicom.volumes import MAX_STACKS
from tests.support.dicom_files import classic_series, dynamic_series, mosaic, set_instance_uid, set_sop_class
from tests.support.dicom_others import ct_series, rt_structure_set, secondary_capture, structured_report
from tests.support.opened_series import open_datasets

Spoil = Callable[[Dataset], None]


def _set(keyword: str, value: object) -> Spoil:
    return lambda dataset: setattr(dataset, keyword, value)


def _set_size(side: int) -> Spoil:
    def spoil(dataset: Dataset) -> None:
        dataset.Rows = dataset.Columns = side

    return spoil


def _set_raw(keyword: str, text: bytes) -> Spoil:
    """Set a value that pydicom would not write."""

    def spoil(dataset: Dataset) -> None:
        tag = pydicom.tag.Tag(keyword)
        raw = pydicom.dataelem.RawDataElement(tag, "DS", len(text), text, 0, False, True)
        dataset._dict[tag] = raw

    return spoil


SPOILS: dict[str, tuple[Spoil, str]] = {
    "no orientation": (lambda d: delattr(d, "ImageOrientationPatient"), "missing_orientation"),
    "empty orientation": (_set("ImageOrientationPatient", None), "missing_orientation"),
    "five cosines": (_set_raw("ImageOrientationPatient", rb"1\0\0\0\1 "), "missing_orientation"),
    "zero cosines": (_set("ImageOrientationPatient", ["0"] * 6), "bad_geometry"),
    "parallel cosines": (_set("ImageOrientationPatient", ["1", "0", "0", "1", "0", "0"]), "bad_geometry"),
    "NaN cosines": (_set_raw("ImageOrientationPatient", rb"nan\0\0\0\1\0 "), "bad_geometry"),
    "no position": (lambda d: delattr(d, "ImagePositionPatient"), "missing_position"),
    "NaN position": (_set_raw("ImagePositionPatient", rb"0\nan\0"), "bad_geometry"),
    "infinite position": (_set_raw("ImagePositionPatient", rb"0\inf\0"), "bad_geometry"),
    "far position": (_set("ImagePositionPatient", ["1e300", "0", "0"]), "bad_geometry"),
    "words as position": (_set_raw("ImagePositionPatient", rb"a\b\c "), "missing_position"),
    "no spacing": (lambda d: delattr(d, "PixelSpacing"), "bad_geometry"),
    "zero spacing": (_set("PixelSpacing", ["0", "1"]), "bad_geometry"),
    "negative spacing": (_set("PixelSpacing", ["1", "-1"]), "bad_geometry"),
    "NaN spacing": (_set_raw("PixelSpacing", rb"nan\1 "), "bad_geometry"),
    "huge spacing": (_set("PixelSpacing", ["1e300", "1e300"]), "bad_geometry"),
    "mosaic": (_set("ImageType", ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "mosaic"),
    "10,000 x 10,000": (_set_size(10_000), "too_large"),
    "no pixel data": (lambda d: delattr(d, "PixelData"), "no_pixels"),
    "no frames": (_set("NumberOfFrames", 0), "no_pixels"),
    "absurd frames": (_set("NumberOfFrames", 2**31 - 1), "missing_orientation"),
    "another modality": (_set("Modality", "OT"), "not_mr"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_series_that_cannot_be_placed_or_read_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    spoil, reason = SPOILS[name]
    datasets = classic_series(n_slices=4)
    for dataset in datasets:
        spoil(dataset)
    with pytest.raises(InputError) as caught:
        open_datasets(datasets, tmp_path)
    assert caught.value.reason == reason
    assert caught.value.sentence.endswith(".")


@pytest.mark.parametrize("name", SPOILS)
def test_one_such_instance_is_left_out_with_a_warning(name: str, tmp_path: Path) -> None:
    spoil, _ = SPOILS[name]
    datasets = classic_series(n_slices=5)
    spoil(datasets[4])
    series = open_datasets(datasets, tmp_path)
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [4]
    assert len(series.warnings) == 1


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (ct_series, "not_mr"),
        (secondary_capture, "secondary_capture"),
        (structured_report, "structured_report"),
        (rt_structure_set, "radiotherapy"),
        (mosaic, "mosaic"),
    ],
)
def test_other_objects_are_refused_with_their_kind(
    build: Callable[[], list[Dataset]], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as caught:
        open_datasets(build(), tmp_path)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("sop_class", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.11.1", "presentation_state"),
        ("1.2.840.10008.5.1.4.1.1.4.2", "spectroscopy"),
        ("1.2.840.10008.5.1.4.1.1.4.3", "colour"),
        ("1.2.840.10008.5.1.4.1.1.7.2", "secondary_capture"),
        ("1.2.840.10008.5.1.4.1.1.30", "parametric_map"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "no_image"),
        ("1.2.840.10008.5.1.4.1.1.6.1", "not_mr"),
        ("1.2.840.10008.1.3.10", "no_image"),
        ("1.2.3.4", "not_mr"),
    ],
)
def test_every_other_class_has_its_reason(sop_class: str, reason: str, tmp_path: Path) -> None:
    datasets = classic_series(n_slices=1)
    set_sop_class(datasets[0], pydicom.uid.UID(sop_class))
    with pytest.raises(RefusedError) as caught:
        open_datasets(datasets, tmp_path)
    assert caught.value.reason == reason


def test_slices_of_far_too_many_orientations_make_no_volume(tmp_path: Path) -> None:
    datasets = []
    for number in range(MAX_STACKS + 1):
        [dataset] = classic_series(n_slices=1, matrix=32)
        angle = math.radians(number)
        dataset.ImageOrientationPatient = [f"{math.cos(angle):.6f}", f"{math.sin(angle):.6f}", 0, 0, 0, 1]
        set_instance_uid(dataset, f"2.25.{number + 1}")
        datasets.append(dataset)
    with pytest.raises(RefusedError) as caught:
        open_datasets(datasets, tmp_path / "many")
    assert caught.value.reason == "no_volume"
    assert len(open_datasets(datasets[:12], tmp_path / "few").volumes) == 12


def test_a_volume_that_makes_no_sense_in_space_does_not_lose_the_others(tmp_path: Path) -> None:
    datasets = dynamic_series(3)
    for dataset in datasets[3:6]:
        # Slices two metres apart.
        dataset.ImagePositionPatient[0] = 2000 * int(dataset.InstanceNumber)
    series = open_datasets(datasets, tmp_path)
    assert [volume.open().geometry.shape[0] for volume in (series.volumes[0], series.volumes[2])] == [3, 3]
    with pytest.raises(RefusedError) as caught:
        series.volumes[1].open()
    assert caught.value.reason == "bad_geometry"

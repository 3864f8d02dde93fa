"""The builders of test data are what they claim to be, as highdicom and pydicom see them."""

import io
from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from gadoscope.labels import Plane
from gadoscope.phantom.forms.headers import HeaderMode
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import (
    POST,
    PRE,
    Clock,
    classic_series,
    dynamic_series,
    localizer,
    mosaic,
    multi_echo_series,
    phantom_scan,
    stored_pixels,
    to_eight_bits,
    write_instance,
    write_series,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.dicom_others import OTHERS, leaked_words, plant_patient
from tests.support.transfer_syntaxes import NATIVE, encode


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL])
@pytest.mark.parametrize("convert", [enhanced, legacy_converted])
def test_a_multi_frame_object_holds_the_volume_of_its_classic_series(
    plane: Plane, convert: Callable[[list[Dataset]], Dataset], tmp_path: Path
) -> None:
    datasets = classic_series(POST, plane=plane)
    expected = highdicom.get_volume_from_series(datasets)
    path = write_instance(convert(datasets), tmp_path / "object")
    volume = highdicom.imread(path).get_volume()
    assert np.array_equal(volume.array, expected.array)
    assert np.allclose(volume.affine, expected.affine, atol=1e-3)


def test_the_classic_series_lies_where_the_phantom_was_scanned() -> None:
    volume = highdicom.get_volume_from_series(classic_series())
    grid = phantom_scan().series[0].grid
    index_of_first = np.linalg.inv(grid.affine) @ volume.affine @ [0, 0, 0, 1]
    assert np.allclose(index_of_first[1:3], 0, atol=1e-3)
    assert volume.spatial_shape == grid.shape


@pytest.mark.parametrize("clock", Clock)
def test_a_dynamic_series_turns_where_it_says_and_its_clock_runs(clock: Clock) -> None:
    datasets = dynamic_series(4, 1, clock=clock, n_slices=2)
    means = [float(stored_pixels(dataset).mean()) for dataset in datasets[::2]]
    assert means[0] < means[1] == means[2] == means[3]
    assert len({str(dataset[clock].value) for dataset in datasets}) == 4
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == 8
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 1


def test_echoes_grow_fainter() -> None:
    first, second, third = multi_echo_series(3, n_slices=1)
    assert stored_pixels(first).sum() > stored_pixels(second).sum() > stored_pixels(third).sum()
    assert float(first.EchoTime) < float(second.EchoTime) < float(third.EchoTime)


def test_pre_and_post_share_the_study_and_nothing_below() -> None:
    pre, post = classic_series(PRE)[0], classic_series(POST)[0]
    assert pre.StudyInstanceUID == post.StudyInstanceUID
    assert pre.SeriesInstanceUID != post.SeriesInstanceUID
    assert pre.SOPInstanceUID != post.SOPInstanceUID


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_object_can_be_written_and_read(name: str, tmp_path: Path) -> None:
    for path in write_series(OTHERS[name](), tmp_path / "series"):
        assert dcmread(path).Modality


def test_planted_words_are_in_the_file() -> None:
    (dataset,) = plant_patient(classic_series(n_slices=1))
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    assert all(word.encode() in stream.getvalue() for word in leaked_words())


def strange_series() -> list[Dataset]:
    """Return values of many kinds, one of them in a character set, and one element that was removed again."""
    datasets = classic_series(POST, mode=HeaderMode.RIGHT)
    for number, dataset in enumerate(datasets):
        dataset.SpecificCharacterSet = ("ISO_IR 192", "ISO_IR 100", ["", "ISO 2022 IR 87"])[number % 3]
        dataset.PatientName = ("Müller^Ö", "Mueller", "")[number % 3]
        dataset.ImageComments, dataset.ContrastBolusVolume = (
            ("x", None)[number % 2],
            (5, 5.0, "5.00")[number % 3],
        )
        dataset.SeriesInstanceUID = str(dataset.SeriesInstanceUID)
        dataset.ImagePositionPatient = [float(number), 1e-7, "-0"]
        del dataset.SeriesDescription
    return datasets


@pytest.mark.parametrize(
    "make",
    [
        lambda: classic_series(name="x"),
        lambda: [to_eight_bits(dataset) for dataset in classic_series()],
        lambda: plant_patient(classic_series()),
        strange_series,
        localizer,
        mosaic,
        dynamic_series,
        lambda: [enhanced(classic_series())],
        lambda: [dataset for make in OTHERS.values() for dataset in make()],
    ],
)
def test_files_are_to_the_byte_those_that_pydicom_writes(make: Callable[[], list[Dataset]]) -> None:
    for dataset in make():
        stream = io.BytesIO()
        dcmwrite(stream, encode(dataset, ExplicitVRLittleEndian), enforce_file_format=True)
        for _ in range(2):
            assert file_bytes(dataset) == stream.getvalue()


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: str(syntax.name))
def test_an_object_without_pixels_is_encoded_too(syntax: UID) -> None:
    (dataset,) = OTHERS["structured report"]()
    made = encode(dataset, syntax)
    assert made.file_meta.TransferSyntaxUID == syntax

"""A series of several volumes is split into those that were acquired, in the order of acquisition."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from gadoscope.evidence.contrast_module import is_dynamic
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import HeaderState
from gadoscope.labels import Phase
from gadoscope.reading.dicom import volumes
from tests.support.dicom_files import (
    Clock,
    classic_series,
    dynamic_series,
    multi_echo_series,
    set_instance_uid,
)
from tests.support.opened_series import assert_same, open_datasets, read_volumes, shuffle

N_VOLUMES, TURNS_AT, N_SLICES = 6, 3, 3


def renumber(datasets: list[Dataset]) -> list[Dataset]:
    for number, dataset in enumerate(datasets):
        set_instance_uid(dataset, f"2.25.{number + 1}")
        dataset.InstanceNumber = number + 1
    return datasets


@pytest.mark.parametrize("clock", list(Clock))
def test_a_dynamic_series_is_its_time_points_in_order_whatever_tells_them_apart(
    clock: Clock, tmp_path: Path
) -> None:
    datasets = dynamic_series(N_VOLUMES, TURNS_AT, clock=clock, n_slices=N_SLICES)
    series = open_datasets(shuffle(datasets, 1), tmp_path / "dynamic")
    assert not series.warnings
    assert len(series.volumes) == N_VOLUMES
    pre, post = (
        read_volumes(open_datasets(datasets[first : first + N_SLICES], tmp_path / str(first)))[0]
        for first in (0, TURNS_AT * N_SLICES)
    )
    for number, read in enumerate(read_volumes(series)):
        expected = pre if number < TURNS_AT else post
        np.testing.assert_array_equal(read.voxels, expected.voxels)
        np.testing.assert_allclose(read.affine, expected.affine, atol=1e-6)


@pytest.mark.parametrize("clock", list(Clock))
def test_a_dynamic_series_says_so_and_its_volumes_say_when(clock: Clock, tmp_path: Path) -> None:
    series = open_datasets(dynamic_series(N_VOLUMES, clock=clock), tmp_path)
    assert series.facts is not None
    assert is_dynamic(series.facts)
    told = [volume.facts[clock] for volume in series.volumes]
    numbers = [float(str(one)) for one in told]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == N_VOLUMES


def test_volumes_with_their_own_hour_are_weighed_against_the_injection(tmp_path: Path) -> None:
    datasets = dynamic_series(3, 3, clock=Clock.ACQUISITION_TIME)
    for dataset in datasets:
        # An injection ten minutes after the first volume; the second has its hour, which tells nothing.
        dataset.ContrastBolusStartTime = "091500"
        volume = (int(dataset.InstanceNumber) - 1) // N_SLICES
        dataset.AcquisitionTime = ("090000", "091500", "093000")[volume]
    series = open_datasets(datasets, tmp_path)
    assert series.facts is not None
    assert read_evidence(series.facts).state is HeaderState.SILENT
    states = [read_evidence({**series.facts, **volume.facts}).state for volume in series.volumes]
    assert states == [HeaderState.NOT_ADMINISTERED, HeaderState.SILENT, HeaderState.ADMINISTERED]


def test_a_perfusion_series_of_many_volumes_is_split(tmp_path: Path) -> None:
    datasets = []
    for number in range(40):
        for dataset in classic_series(n_slices=4, matrix=32):
            dataset.AcquisitionNumber = number + 1
            # Every slice has its own hour, as in echo-planar imaging: it tells no volumes apart.
            dataset.AcquisitionTime = f"09{number:02d}{int(dataset.InstanceNumber) * 10:02d}"
            datasets.append(dataset)
    series = open_datasets(shuffle(renumber(datasets), 2), tmp_path)
    assert [volume.facts["AcquisitionNumber"] for volume in series.volumes] == list(range(1, 41))


def test_echoes_are_volumes_with_their_own_echo_time(tmp_path: Path) -> None:
    datasets = multi_echo_series(3)
    series = open_datasets(shuffle(datasets, 3), tmp_path)
    assert not series.warnings
    expected = sorted({float(dataset.EchoTime) for dataset in datasets})
    assert [volume.facts["EchoTime"] for volume in series.volumes] == expected
    assert series.facts is not None
    assert not is_dynamic(series.facts)
    brightness = [float(read.voxels.mean()) for read in read_volumes(series)]
    assert brightness == sorted(brightness, reverse=True)


def test_echoes_of_several_time_points_are_told_apart_by_both(tmp_path: Path) -> None:
    datasets = []
    for time in range(3):
        for dataset in multi_echo_series(2, n_slices=3):
            dataset.TemporalPositionIdentifier = time + 1
            datasets.append(dataset)
    series = open_datasets(shuffle(renumber(datasets), 4), tmp_path)
    found = [
        (volume.facts["TemporalPositionIdentifier"], volume.facts["EchoNumbers"]) for volume in series.volumes
    ]
    assert found == [(time, echo) for time in (1, 2, 3) for echo in (1, 2)]


def test_volumes_that_nothing_tells_apart_follow_the_instance_numbers(tmp_path: Path) -> None:
    first, second = classic_series(), classic_series(Phase.POST_CONTRAST)
    for dataset in second:
        dataset.AcquisitionTime = dataset.ContentTime = first[0].AcquisitionTime
    series = open_datasets(shuffle(renumber(first + second), 5), tmp_path / "both")
    assert series.warnings == (volumes.UNTOLD,)
    for read, datasets in zip(read_volumes(series), (first, second), strict=True):
        assert_same(read, read_volumes(open_datasets(datasets, tmp_path / datasets[0].SOPInstanceUID))[0])


def test_original_and_filtered_images_of_one_acquisition_are_two_volumes(tmp_path: Path) -> None:
    datasets = classic_series() + classic_series()
    for number, dataset in enumerate(renumber(datasets)):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND" if number % 2 else "NORM"]
        dataset.InstanceNumber = number // 2 + 1
        dataset.ImagePositionPatient = classic_series()[number // 2].ImagePositionPatient
    series = open_datasets(datasets, tmp_path)
    assert [volume.facts["ImageType"][-1] for volume in series.volumes] == ["ND", "NORM"]  # type: ignore[index]
    assert series.facts is not None
    assert not is_dynamic(series.facts)


def test_an_interrupted_last_volume_is_left_out(tmp_path: Path) -> None:
    datasets = dynamic_series(3)[:-2]
    series = open_datasets(datasets, tmp_path)
    assert series.warnings == (volumes.INCOMPLETE,)
    assert len(series.volumes) == 2


def test_one_slice_many_times_is_as_many_volumes(tmp_path: Path) -> None:
    datasets = dynamic_series(5, n_slices=1)
    series = open_datasets(datasets, tmp_path)
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [1] * 5


def test_a_volume_of_a_dynamic_series_may_miss_a_slice(tmp_path: Path) -> None:
    datasets = dynamic_series(3, n_slices=6)
    del datasets[8]
    series = open_datasets(datasets, tmp_path)
    assert [len(volume.warnings) for volume in series.volumes] == [0, 1, 0]
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [6, 6, 6]


@pytest.mark.parametrize("build", [dynamic_series, multi_echo_series])
def test_opening_does_not_depend_on_the_order_of_files(
    build: Callable[[], list[Dataset]], tmp_path: Path
) -> None:
    datasets = build()
    expected = read_volumes(open_datasets(datasets, tmp_path / "sorted"))
    for seed in range(3):
        found = read_volumes(open_datasets(shuffle(datasets, seed), tmp_path / str(seed)))
        assert len(found) == len(expected)
        for read, other in zip(found, expected, strict=True):
            assert_same(read, other)


def test_acquisitions_that_lie_beside_each_other_in_part_are_told_apart(tmp_path: Path) -> None:
    first, second, third = (classic_series() for _ in range(3))
    for dataset in second:
        dataset.AcquisitionNumber = 2
        # Two slices further on: four places are those of the first acquisition, two are new.
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) - 2 * float(
            dataset.SpacingBetweenSlices
        )
    for dataset in third:
        dataset.AcquisitionNumber = 3
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) + 500
    series = open_datasets(shuffle(renumber(first + second + third), 6), tmp_path)
    assert not series.warnings
    assert [volume.facts["AcquisitionNumber"] for volume in series.volumes] == [1, 2, 3]
    assert [volume.open().geometry.shape[0] for volume in series.volumes] == [6, 6, 6]

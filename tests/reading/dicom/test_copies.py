"""A copy is a copy by its content: SOPInstanceUIDs that repeat, or are gone, cost no slice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, UID, JPEGLSLossless, RLELossless

from gadoscope.errors import RefusedError
from gadoscope.labels import Phase
from gadoscope.reading.dicom import copies, volumes
from gadoscope.reading.series import ImageSeries
from tests.support.dicom_files import (
    N_SLICES,
    classic_series,
    dynamic_series,
    multi_echo_series,
    set_instance_uid,
    set_pixels,
    stored_pixels,
    write_instance,
)
from tests.support.dicom_multiframe import enhanced
from tests.support.opened_series import (
    assert_same,
    open_datasets,
    open_files,
    read_volumes,
    shuffle,
    write,
)

ONE_UID = "2.25.1001"


def share_uids(datasets: Sequence[Dataset], n_each: int = 0) -> list[Dataset]:
    """Give every ``n_each`` neighbours one SOPInstanceUID, or all of them."""
    for index, dataset in enumerate(datasets):
        set_instance_uid(dataset, f"2.25.{100 + index // n_each}" if n_each else ONE_UID)
    return list(datasets)


def counts(series: ImageSeries) -> list[int]:
    return [volume.open().geometry.shape[0] for volume in series.volumes]


@pytest.mark.parametrize("n_each", [0, 2, 3], ids=["all", "pairs", "threes"])
def test_slices_that_share_a_sop_instance_uid_all_count(n_each: int, tmp_path: Path) -> None:
    [expected] = read_volumes(open_datasets(classic_series(), tmp_path / "own"))
    series = open_datasets(shuffle(share_uids(classic_series(), n_each), 1), tmp_path / "shared")
    assert series.warnings == (copies.SHARED_UIDS,)
    assert series.volumes[0].warnings == ()
    assert_same(read_volumes(series)[0], expected)


def test_slices_without_a_sop_instance_uid_all_count(tmp_path: Path) -> None:
    paths = []
    for index, dataset in enumerate(classic_series()):
        del dataset.SOPInstanceUID, dataset.file_meta.MediaStorageSOPInstanceUID
        paths.append(tmp_path / str(index))
        dataset.save_as(paths[-1], enforce_file_format=False)
    assert counts(open_files(paths)) == [N_SLICES]


@pytest.mark.parametrize("build", [dynamic_series, multi_echo_series])
def test_time_points_and_echoes_under_one_sop_instance_uid_are_volumes(
    build: type[list[Dataset]], tmp_path: Path
) -> None:
    expected = read_volumes(open_datasets(build(), tmp_path / "own"))
    series = open_datasets(shuffle(share_uids(build()), 2), tmp_path / "shared")
    assert series.warnings == (copies.SHARED_UIDS,)
    for one, other in zip(read_volumes(series), expected, strict=True):
        assert_same(one, other)


def test_multi_frame_objects_under_one_sop_instance_uid_both_count(tmp_path: Path) -> None:
    one, other = (enhanced(classic_series(phase)) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    other.SeriesInstanceUID = one.SeriesInstanceUID
    series = open_datasets(share_uids([one, other]), tmp_path / "two")
    assert counts(series) == [N_SLICES] * 2
    again = open_datasets(share_uids([one, one]), tmp_path / "copies")
    assert (counts(again), again.warnings) == ([N_SLICES], (copies.COPIES,))


def test_copies_with_other_words_in_the_header_are_copies(tmp_path: Path) -> None:
    [expected] = read_volumes(open_datasets(classic_series(), tmp_path / "one"))
    again = classic_series()
    for dataset in again:
        dataset.PatientName = "Somebody^Else"
        dataset.InstanceNumber = int(dataset.InstanceNumber) + 100
        del dataset.AcquisitionTime
    series = open_datasets([*classic_series(), *again], tmp_path / "two")
    assert series.warnings == (copies.COPIES,)
    np.testing.assert_array_equal(read_volumes(series)[0].voxels, expected.voxels)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000], ids=lambda uid: uid.name)
def test_copies_in_another_transfer_syntax_are_copies_and_the_exact_one_is_read(
    syntax: UID, tmp_path: Path
) -> None:
    [expected] = read_volumes(open_datasets(classic_series(), tmp_path / "one"))
    plain = write(classic_series(), tmp_path / "plain")
    packed = [
        write_instance(dataset, tmp_path / f"packed-{index}", syntax=syntax)
        for index, dataset in enumerate(classic_series())
    ]
    series = open_files([*packed, *plain])
    assert series.warnings == (copies.COPIES,)
    np.testing.assert_array_equal(read_volumes(series)[0].voxels, expected.voxels)


def test_of_a_damaged_copy_the_whole_one_is_read(tmp_path: Path) -> None:
    [expected] = read_volumes(open_datasets(classic_series(), tmp_path / "one"))
    paths = write([*classic_series(), *classic_series()], tmp_path / "two")
    for path in paths[:N_SLICES]:
        path.write_bytes(path.read_bytes()[:-500])
    series = open_files(paths)
    assert series.warnings == (copies.COPIES,)
    assert_same(read_volumes(series)[0], expected)


def test_blank_slices_are_no_copies_of_each_other(tmp_path: Path) -> None:
    datasets = dynamic_series(3)
    for dataset in datasets:
        set_pixels(dataset, np.zeros_like(stored_pixels(dataset)))
    assert counts(open_datasets(share_uids(datasets), tmp_path)) == [3, 3, 3]


def same_header(phase: Phase) -> list[Dataset]:
    """Return a series whose header says nothing that tells it from the other phase's."""
    datasets = classic_series(phase)
    for dataset in datasets:
        for keyword in ("AcquisitionTime", "ContentTime", "SeriesTime", "WindowCenter", "WindowWidth"):
            delattr(dataset, keyword)
        dataset.SeriesInstanceUID = "2.25.7"
        dataset.SeriesNumber = 1
    return datasets


@pytest.mark.parametrize("are_uids_shared", [True, False])
def test_two_acquisitions_of_one_header_are_no_copies_and_nothing_is_guessed(
    are_uids_shared: bool, tmp_path: Path
) -> None:
    both = [*same_header(Phase.PRE_CONTRAST), *same_header(Phase.POST_CONTRAST)]
    with pytest.raises(RefusedError, match="12 slices lie at 6 places, and no attribute") as caught:
        open_datasets(share_uids(both) if are_uids_shared else both, tmp_path)
    assert caught.value.reason == "untold_slices"


def test_numbers_that_run_against_each_other_tell_nothing(tmp_path: Path) -> None:
    before, after = same_header(Phase.PRE_CONTRAST), same_header(Phase.POST_CONTRAST)
    for index, dataset in enumerate(before):
        dataset.InstanceNumber = 1 + 2 * index
    for index, dataset in enumerate(reversed(after)):
        dataset.InstanceNumber = 2 + 2 * index
    with pytest.raises(RefusedError, match="no attribute") as caught:
        open_datasets([*before, *after], tmp_path)
    assert caught.value.reason == "untold_slices"


@pytest.mark.parametrize("is_interleaved", [True, False])
def test_numbers_that_run_on_tell_volumes_apart(is_interleaved: bool, tmp_path: Path) -> None:
    before, after = same_header(Phase.PRE_CONTRAST), same_header(Phase.POST_CONTRAST)
    step, offset = (2, 1) if is_interleaved else (1, N_SLICES)
    for index, (one, other) in enumerate(zip(before, after, strict=True)):
        one.InstanceNumber, other.InstanceNumber = 1 + step * index, 1 + step * index + offset
    series = open_datasets(share_uids([*after, *before]), tmp_path / "both")
    assert series.warnings == (copies.SHARED_UIDS, volumes.UNTOLD)
    for read, datasets in zip(read_volumes(series), (before, after), strict=True):
        [alone] = read_volumes(open_datasets(datasets, tmp_path / str(datasets[0].InstanceNumber)))
        np.testing.assert_array_equal(read.voxels, alone.voxels)

"""Series whose SeriesInstanceUID is missing, or new in every file, are put together from what is left."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gadoscope.imaging import localizer
from gadoscope.labels import Phase, Plane
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.batches import pack, unpack
from gadoscope.reading.dicom.grouping.identify import identify_series
from gadoscope.reading.dicom.grouping.index import SeriesEntry, SeriesIndex
from gadoscope.reading.dicom.grouping.regroup import LIKENESS
from tests.support.damaged_identity import EVERYTHING, TIMES, UIDS, Series, renew, strip
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import N_SLICES, classic_series, dynamic_series, rename_study
from tests.support.opened_series import scan

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


def put(datasets: Series, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    n_before = len(list(folder.iterdir()))
    for index, dataset in enumerate(datasets):
        (folder / f"{(index * 7 + 3) % 101:03d}-{n_before}").write_bytes(file_bytes(dataset))


def find(folder: Path, n_together: int = 5) -> list[SeriesEntry]:
    """Return the series below a folder, as a run does that looks at a few files together."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    instances = [(scan(path), Source(path)) for path in paths]
    order = np.random.default_rng(0).permutation(len(instances))
    with SeriesIndex() as index:
        for start in range(0, len(order), n_together):
            index.add(pack([instances[place] for place in order[start : start + n_together]]))
        identify_series(index)
        entries = [entry for study in index.iter_studies() for entry in study]
        for entry in entries:
            assert len(unpack(index.read_batches(entry.number))) == entry.n_instances
        assert sum(entry.n_instances for entry in entries) == len(paths)
    return entries


def counts(folder: Path) -> list[int]:
    return [entry.n_instances for entry in find(folder)]


@pytest.mark.parametrize("phase", [PRE, POST])
@pytest.mark.parametrize("change", [strip, renew])
def test_one_series_without_a_uid_of_its_own_is_one(
    change: Callable[..., Series], phase: Phase, tmp_path: Path
) -> None:
    datasets = classic_series(phase)
    put(change(datasets, "SeriesInstanceUID"), tmp_path)
    [entry] = find(tmp_path)
    assert (entry.n_instances, entry.series_instance_uid) == (N_SLICES, "")
    assert entry.study_instance_uid == datasets[0].StudyInstanceUID
    assert entry.regrouped.endswith(
        f": put together by StudyInstanceUID, SeriesNumber, SeriesTime, {LIKENESS}"
    )


@pytest.mark.parametrize("change", [strip, renew])
@pytest.mark.parametrize(
    "gone",
    [
        (),
        ("SeriesNumber",),
        ("SeriesNumber", *TIMES),  # the description is left
        ("SeriesDescription", "SeriesNumber", "AcquisitionTime", "ContentTime"),
        ("SeriesDescription", "SeriesNumber", "SeriesTime"),  # AcquisitionTime is left
        ("SeriesDescription", *TIMES),
        ("StudyInstanceUID",),
        ("StudyInstanceUID", "SeriesDescription", *TIMES),
    ],
    ids="+".join,
)
def test_two_series_in_one_folder_are_two_by_whatever_is_left(
    gone: tuple[str, ...], change: Callable[..., Series], tmp_path: Path
) -> None:
    for phase in (PRE, POST):
        datasets = classic_series(phase)
        for dataset in datasets:
            dataset.SeriesDescription = f"T1 {phase}"
        put(change(strip(datasets, *gone), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [N_SLICES, N_SLICES]


@pytest.mark.parametrize("gone", [EVERYTHING, (*UIDS, *TIMES, "SeriesNumber", "SeriesDescription")])
@pytest.mark.parametrize("n_patients", [1, 3])
def test_where_nothing_else_is_left_folders_tell_series_apart(
    n_patients: int, gone: tuple[str, ...], tmp_path: Path
) -> None:
    for number in range(n_patients):
        for phase in (PRE, POST):
            put(strip(classic_series(phase), *gone), tmp_path / str(number) / phase)
    entries = find(tmp_path)
    assert [entry.n_instances for entry in entries] == [N_SLICES] * 2 * n_patients
    assert all("folder" in entry.regrouped for entry in entries)
    assert all(entry.study_instance_uid == "" for entry in entries)


@pytest.mark.parametrize("change", [strip, renew])
def test_two_series_that_nothing_tells_apart_stay_together_for_whoever_reads_them(
    change: Callable[..., Series], tmp_path: Path
) -> None:
    for phase in (PRE, POST):
        put(change(strip(classic_series(phase), *EVERYTHING), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [2 * N_SLICES]


def test_new_uids_for_study_series_and_space_in_every_file_are_seen_through(tmp_path: Path) -> None:
    for phase in (PRE, POST):
        put(renew(classic_series(phase), *UIDS), tmp_path)
    entries = find(tmp_path)
    assert [(entry.n_instances, entry.study_instance_uid) for entry in entries] == [(N_SLICES, "")] * 2


def test_patients_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    for number in range(3):
        datasets = classic_series()
        for dataset in strip(datasets, "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
            dataset.PatientID = f"number {number}"
        put(datasets, tmp_path)
    assert counts(tmp_path) == [N_SLICES] * 3


def test_studies_of_one_patient_are_not_mixed(tmp_path: Path) -> None:
    for number in range(2):
        put(strip(rename_study(classic_series(), f"study {number}"), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [N_SLICES] * 2


def test_files_scattered_over_folders_are_one_series_where_a_study_holds_them(tmp_path: Path) -> None:
    datasets = classic_series()
    for index, dataset in enumerate(strip(datasets, "SeriesInstanceUID")):
        put([dataset], tmp_path / str(index % 4))
    assert counts(tmp_path) == [N_SLICES]


def test_a_dynamic_series_without_a_uid_is_one(tmp_path: Path) -> None:
    put(strip(dynamic_series(4, n_slices=3), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [12]


@pytest.mark.parametrize("change", [strip, renew])
def test_copies_in_another_folder_belong_to_the_series(change: Callable[..., Series], tmp_path: Path) -> None:
    datasets = change(classic_series(), "SeriesInstanceUID")
    put(datasets, tmp_path / "a")
    put(datasets, tmp_path / "b")
    assert counts(tmp_path) == [2 * N_SLICES]


# What is right as it is


def test_series_of_one_uid_are_left_as_they_are(tmp_path: Path) -> None:
    for phase in (PRE, POST):
        put(classic_series(phase), tmp_path)
    put(dynamic_series(2, n_slices=2), tmp_path)
    entries = find(tmp_path)
    assert sorted(entry.n_instances for entry in entries) == [4, N_SLICES, N_SLICES]
    assert {entry.regrouped for entry in entries} == {""}
    assert all(entry.series_instance_uid for entry in entries)


def test_a_localizer_of_three_series_of_one_slice_stays_three(tmp_path: Path) -> None:
    for plane in (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL):
        put(renew(classic_series(plane=plane)[:1], "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [1, 1, 1]


def make_planes(n_slices: int, *, is_one_series: bool = True) -> Series:
    planes = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
    datasets = [dataset for plane in planes for dataset in classic_series(plane=plane, n_slices=n_slices)]
    for index, dataset in enumerate(datasets):
        dataset.SeriesNumber = 1 if is_one_series else 1 + index // n_slices
        dataset.InstanceNumber = index + 1
        dataset.PixelSpacing, dataset.SliceThickness = [1.0, 1.0], 5.0
        dataset.StudyInstanceUID = datasets[0].StudyInstanceUID
        dataset.FrameOfReferenceUID = datasets[0].FrameOfReferenceUID
        dataset.SeriesTime = datasets[0].SeriesTime
    return strip(datasets, "SeriesDescription", "ProtocolName", "SpacingBetweenSlices")


@pytest.mark.parametrize("change", [renew, strip])
def test_three_planes_of_one_number_are_one_localizer_without_a_uid_too(
    change: Callable[..., Series], tmp_path: Path
) -> None:
    put(change(make_planes(3), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [9]


def test_three_planes_of_three_numbers_stay_three_series(tmp_path: Path) -> None:
    put(strip(make_planes(3, is_one_series=False), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [3, 3, 3]


@pytest.mark.parametrize(
    ("n_slices", "most"),
    [(N_SLICES, N_SLICES - 1), pytest.param(16, localizer.MOST_SLICES, marks=pytest.mark.slow)],
)
def test_three_planes_with_the_slices_of_a_head_in_each_stay_three_series(
    n_slices: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the fewest slices that no localizer has; in small, of fewer for a lower limit."""
    monkeypatch.setattr(localizer, "MOST_SLICES", most)
    put(strip(make_planes(n_slices), "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [n_slices] * 3


def test_single_images_that_are_series_of_their_own_stay_so(tmp_path: Path) -> None:
    datasets = renew(classic_series(), "SeriesInstanceUID")
    for number, dataset in enumerate(datasets):
        dataset.SeriesNumber, dataset.InstanceNumber = number + 1, 1
    put(datasets, tmp_path)
    assert counts(tmp_path) == [1] * N_SLICES


def test_a_slice_beside_a_whole_series_stays_alone(tmp_path: Path) -> None:
    put(classic_series(), tmp_path)
    put(renew(classic_series()[2:3], "SeriesInstanceUID"), tmp_path)
    assert sorted(counts(tmp_path)) == [1, N_SLICES]


def test_single_slices_of_many_studies_stay_apart(tmp_path: Path) -> None:
    for number, place in enumerate((0, 3, 1, 3, 2, 5, 3)):
        dataset = classic_series()[place]
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) + 0.37 * number**2
        put(renew([dataset], *UIDS), tmp_path)
    assert counts(tmp_path) == [1] * 7


def test_sizes_planes_and_sequences_are_not_mixed(tmp_path: Path) -> None:
    for change in ({}, {"matrix": 32}, {"plane": Plane.AXIAL}, {"seed": 0}):
        put(strip(classic_series(**change), "SeriesInstanceUID", "SeriesNumber"), tmp_path)
    assert counts(tmp_path) == [N_SLICES] * 4


def test_too_many_without_a_uid_are_one_series_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.reading.dicom.grouping.index.MOST_PIECES", N_SLICES - 1)
    for folder in "ab":
        put(strip(classic_series(), *EVERYTHING), tmp_path / folder)
    assert [(e.n_instances, e.regrouped) for e in find(tmp_path)] == [
        (N_SLICES, f"SeriesInstanceUID is missing in {N_SLICES} alike files")
    ] * 2


def test_files_that_do_not_say_where_they_lie_stay_apart(tmp_path: Path) -> None:
    put(strip(classic_series(), "SeriesInstanceUID", "ImagePositionPatient"), tmp_path)
    assert counts(tmp_path) == [1] * N_SLICES

"""Which instances are one series, where names changed too, one UID is several series', or one has several."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.reading.dicom.grouping import index as index_module
from tests.reading.dicom.grouping.test_regroup import counts, find, make_planes, put
from tests.support.damaged_identity import (
    CUT,
    EVERYTHING,
    NAMES_CHANGE,
    ONE_UID,
    TIMES,
    UIDS,
    Change,
    Series,
    cut,
    renew,
    set_all,
    set_each,
    shift,
    strip,
)
from tests.support.dicom_files import (
    Clock,
    classic_series,
    dynamic_series,
    localizer,
    multi_echo_series,
    set_instance_uid,
)

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST
N_SLICES = 12


def named(changes: dict[str, Change]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("change", list(changes.values()), ids=list(changes))


def put_study(folder: Path, change: Change) -> None:
    for phase in (PRE, POST):
        put(change(classic_series(phase, n_slices=N_SLICES, mode=HeaderMode.RIGHT)), folder)


@named(NAMES_CHANGE)
def test_two_series_whose_names_are_new_in_each_file_are_two(change: Change, tmp_path: Path) -> None:
    put_study(tmp_path, change)
    assert counts(tmp_path) == [N_SLICES] * 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda d: renew(d, "PatientID", "SeriesInstanceUID"),
            "SeriesInstanceUID, PatientID change from file to file: put together by StudyInstanceUID, "
            "SeriesNumber, SeriesTime, sequence, plane and matrix",
        ),
        (
            lambda d: renew(d, "StudyInstanceUID"),
            "StudyInstanceUID changes from file to file: put together by SeriesInstanceUID, SeriesNumber, "
            "SeriesTime, description, sequence, plane and matrix",
        ),
        (
            lambda d: strip(renew(d, "SeriesDescription", "PatientID"), *UIDS, *TIMES, "SeriesNumber"),
            "SeriesInstanceUID is missing, PatientID, SeriesDescription change from file to file: put "
            "together by folder, sequence, plane and matrix",
        ),
        (
            lambda d: cut(d, 3),
            "SeriesInstanceUID changes from part to part: put together by StudyInstanceUID, SeriesNumber, "
            "SeriesTime, description, sequence, plane and matrix",
        ),
    ],
)
def test_a_warning_says_on_what_the_series_rests(change: Change, sentence: str, tmp_path: Path) -> None:
    put(change(classic_series(n_slices=N_SLICES)), tmp_path)
    [entry] = find(tmp_path)
    assert (entry.n_instances, entry.regrouped) == (N_SLICES, sentence)


def test_a_series_uid_that_all_share_stays_in_the_table_though_the_study_changes(tmp_path: Path) -> None:
    datasets = renew(classic_series(), "StudyInstanceUID")
    put(datasets, tmp_path)
    [entry] = find(tmp_path)
    assert (entry.series_instance_uid, entry.study_instance_uid) == (datasets[0].SeriesInstanceUID, "")


@pytest.mark.parametrize("part", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("uids", [UIDS, ("SeriesInstanceUID",)], ids=["all UIDs", "series"])
def test_two_series_that_nothing_tells_apart_are_one_that_nobody_answers(
    uids: Sequence[str], part: float, tmp_path: Path
) -> None:
    for phase in (PRE, POST):
        datasets = strip(shift(classic_series(phase), part if phase is POST else 0.0), *EVERYTHING)
        put(renew(datasets, "PatientID", *uids), tmp_path)
    assert counts(tmp_path) == [12]


@pytest.mark.parametrize("gone", [("PatientName",), ("PatientName", *TIMES)])
def test_patients_with_ids_of_their_own_are_never_mixed(gone: Sequence[str], tmp_path: Path) -> None:
    for number in range(3):
        datasets = set_all(strip(classic_series(), *gone), PatientID=f"number {number}")
        put(renew(datasets, "SeriesInstanceUID", "StudyInstanceUID"), tmp_path)
    assert counts(tmp_path) == [6] * 3


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_patients_whose_ids_change_in_each_file_are_told_apart_by_one_uid(
    keyword: str, tmp_path: Path
) -> None:
    for number in range(2):
        datasets = set_all(classic_series(), **{keyword: f"1.2.{number}"})
        put(renew(datasets, "PatientID", "PatientName", "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [6] * 2


def test_single_images_of_many_patients_stay_apart(tmp_path: Path) -> None:
    for index in range(5):  # of one geometry, side by side
        dataset = classic_series(n_slices=N_SLICES)[index]
        dataset.SeriesTime = f"08000{index}"
        put(renew([dataset], "PatientID", "PatientName", *UIDS), tmp_path)
    assert counts(tmp_path) == [1] * 5


def test_single_images_of_one_study_stay_apart(tmp_path: Path) -> None:
    for index, offset in enumerate((0.0, 0.4, 0.1, 0.7, 0.2)):
        datasets = shift(classic_series(n_slices=N_SLICES)[index * 2 : index * 2 + 1], offset)
        put(renew(set_all(datasets, InstanceNumber=1), "SeriesDescription", "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [1] * 5


def test_more_alike_files_than_can_be_looked_at_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "MOST_PIECES", 5)
    put(renew(classic_series(), "PatientID", "SeriesInstanceUID"), tmp_path)
    assert counts(tmp_path) == [1] * 6


@named(ONE_UID)
def test_two_series_under_one_uid_are_two(change: Change, tmp_path: Path) -> None:
    put_study(tmp_path, lambda d: change(set_all(d, SeriesInstanceUID="1.2.3")))
    entries = find(tmp_path)
    assert [entry.n_instances for entry in entries] == [N_SLICES] * 2
    assert {entry.series_instance_uid for entry in entries} == {"1.2.3"}
    assert all(entry.divided.startswith("other series have the same SeriesInstanceUID") for entry in entries)
    assert len({entry.first_digest for entry in entries}) == 2


def test_a_whole_study_under_one_uid_is_divided_into_its_series(tmp_path: Path) -> None:
    put_study(tmp_path, lambda d: set_all(d, SeriesInstanceUID="1.2.3"))
    for number, datasets in ((7, classic_series(plane=Plane.AXIAL, n_slices=8)), (9, make_planes(3))):
        put(set_all(datasets, SeriesInstanceUID="1.2.3", SeriesNumber=number), tmp_path)
    assert sorted(counts(tmp_path)) == [8, 9, N_SLICES, N_SLICES]


def test_patients_under_one_study_and_series_are_divided(tmp_path: Path) -> None:
    for number in range(2):
        datasets = set_all(classic_series(), PatientID=str(number))
        put(set_all(datasets, SeriesInstanceUID="1.2", StudyInstanceUID="1.3"), tmp_path)
    assert counts(tmp_path) == [6, 6]


def test_two_series_under_one_uid_that_nothing_names_stay_together(tmp_path: Path) -> None:
    put_study(
        tmp_path,
        lambda d: set_all(
            strip(d, "SeriesDescription", "ContrastBolusAgent", *TIMES),
            SeriesInstanceUID="1.2",
            SeriesNumber=1,
        ),
    )
    assert counts(tmp_path) == [2 * N_SLICES]


def number_anew(datasets: Series) -> Series:
    return set_each(datasets, InstanceNumber=lambda index: index % 3 + 1)


def name_time_points(datasets: Series) -> Series:
    for dataset in datasets:
        if dataset.TemporalPositionIdentifier > 3:
            dataset.ContrastBolusAgent, dataset.SeriesDescription = "Gadovist", "SAG T1 DYN +C"
    return datasets


@pytest.mark.parametrize(
    "make",
    [
        dynamic_series,
        lambda: number_anew(dynamic_series()),
        lambda: name_time_points(dynamic_series()),
        lambda: name_time_points(number_anew(dynamic_series())),
        lambda: strip(dynamic_series(), "SeriesNumber"),
        *(
            lambda clock=clock: strip(number_anew(dynamic_series(clock=clock)), "SeriesNumber")
            for clock in Clock
        ),
        multi_echo_series,
        lambda: renew(classic_series(), "FrameOfReferenceUID"),
        lambda: set_each(classic_series(), SeriesDescription=lambda index: f"T1 {index}"),
        localizer,
        lambda: set_each(localizer(), SeriesDescription=lambda index: f"LOC {index // 2}"),
        lambda: renew(dynamic_series(), "StudyInstanceUID"),
        lambda: renew(dynamic_series(), "StudyInstanceUID", "PatientID"),
        lambda: renew(dynamic_series(n_slices=1), "SeriesInstanceUID"),
    ],
)
def test_a_series_of_many_volumes_or_planes_stays_one(
    make: Callable[[], list[Dataset]], tmp_path: Path
) -> None:
    datasets = make()
    put(datasets, tmp_path)
    [entry] = find(tmp_path)
    assert (entry.n_instances, entry.divided) == (len(datasets), "")


@named(CUT)
def test_series_cut_into_parts_are_put_together(change: Change, tmp_path: Path) -> None:
    put_study(tmp_path, change)
    entries = find(tmp_path)
    assert [entry.n_instances for entry in entries] == [N_SLICES] * 2
    assert {entry.series_instance_uid for entry in entries} == {""}


def test_a_series_cut_into_parts_in_folders_of_their_own_is_one(tmp_path: Path) -> None:
    for dataset in cut(classic_series(n_slices=N_SLICES), 3):
        put([dataset], tmp_path / dataset.SeriesInstanceUID)
    assert counts(tmp_path) == [N_SLICES]


def between(change: Change) -> Callable[[Path], None]:
    """Write a series, and one whose slices lie between those of the first."""

    def write(folder: Path) -> None:
        for phase in (PRE, POST):
            datasets = strip(
                shift(classic_series(phase), 0.5 if phase is POST else 0.0), "SpacingBetweenSlices"
            )
            put(change(datasets), folder)

    return write


@pytest.mark.parametrize(
    "write",
    [
        between(lambda d: d),
        between(lambda d: set_all(d, SeriesNumber=1)),
        between(lambda d: set_all(d, SeriesNumber=1, SeriesTime="080000")),
        between(lambda d: strip(d, "SeriesNumber", *TIMES)),
        lambda folder: put(
            set_each(cut(classic_series(n_slices=N_SLICES), 2), SeriesNumber=lambda index: 1 + index // 6),
            folder,
        ),
        lambda folder: put(
            set_each(
                strip(cut(classic_series(n_slices=N_SLICES), 2), "SeriesNumber"),
                SeriesTime=lambda index: f"08000{index // 6}",
            ),
            folder,
        ),
        lambda folder: put(
            set_each(cut(classic_series(n_slices=N_SLICES), 2), InstanceNumber=lambda index: index % 6 + 1),
            folder,
        ),
    ],
    ids=[
        *("between", "between, one number", "between, number and hour", "between, neither"),
        *("slabs of two numbers", "slabs of two hours", "slabs that count anew"),
    ],
)
def test_small_acquisitions_of_their_own_stay_apart(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path)
    assert counts(tmp_path) == [6, 6]


def test_acquisitions_between_each_others_slices_stay_apart_though_their_numbers_run_on(
    tmp_path: Path,
) -> None:
    for n_before, phase in ((0, PRE), (6, POST)):
        datasets = strip(shift(classic_series(phase), n_before / 12), "SpacingBetweenSlices")
        set_all(datasets, SeriesNumber=1, SeriesTime="080000")
        put(set_each(datasets, InstanceNumber=lambda index, n=n_before: n + index + 1), tmp_path)  # type: ignore[misc]
    assert counts(tmp_path) == [6, 6]


@pytest.mark.parametrize("n_slices", [1, 3])
def test_planes_of_one_number_with_uids_of_their_own_are_one_localizer(n_slices: int, tmp_path: Path) -> None:
    datasets = make_planes(n_slices)
    put(set_each(datasets, SeriesInstanceUID=lambda index: f"1.2.{1 + index // n_slices}"), tmp_path)
    assert counts(tmp_path) == [3 * n_slices]


def test_a_stray_slice_of_another_number_does_not_divide_a_series(tmp_path: Path) -> None:
    datasets = classic_series()
    stray = classic_series(plane=Plane.AXIAL)[0]
    stray.SeriesInstanceUID, stray.SeriesNumber = datasets[0].SeriesInstanceUID, 9
    set_instance_uid(stray, "1.2.3.4")
    put([*datasets, stray], tmp_path)
    assert counts(tmp_path) == [7]

"""Whose series a table without subjects lists: the header tells, and what is written is a pseudonym."""

from collections.abc import Mapping
from pathlib import Path

from gadoscope.preparation.manifest import read_manifest, write_manifest
from gadoscope.preparation.subjects import known_subjects
from tests.support.dicom_files import classic_series, rename_series, rename_study, write_series

IDS = {"a1": "MRN-4711", "a2": "MRN-4711", "b1": "MRN-0815"}
"""PatientID of three studies: of one person two."""


def write_studies(folder: Path, ids: Mapping[str, str] = IDS) -> Path:
    """Write a series for each study, by its name, and return the folder of them."""
    for name, patient in ids.items():
        datasets = rename_study(rename_series(classic_series(n_slices=2), name), name)
        for dataset in datasets:
            dataset.PatientID = patient
        write_series(datasets, folder / name)
    return folder


def write_table(path: Path, *rows: str, header: str = "path,label") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_two_series_of_one_patient_are_of_one_subject_and_nothing_that_is_written_has_the_id(
    tmp_path: Path,
) -> None:
    folder = write_studies(tmp_path / "scans")
    found = read_manifest(folder, write_table(tmp_path / "labels.csv", "a1,pre", "a2,post", "b1,pre"))
    one, same, other = known_subjects(found.items)
    assert one == same != other
    assert found.has_subjects
    assert any("3 DICOM series" in notice and "of 2 people" in notice for notice in found.notices)
    write_manifest(found, tmp_path / "written.csv")
    written = (tmp_path / "written.csv").read_text(encoding="utf-8") + " ".join(found.notices)
    assert one.removeprefix("subject ") in written
    assert not any(patient in written for patient in IDS.values())


def test_a_patient_is_the_same_in_another_table_and_under_two_sources_of_one_table(tmp_path: Path) -> None:
    folder = write_studies(tmp_path / "scans")
    rows = ("a1,pre,north", "a2,post,south", "b1,pre,south")
    found = read_manifest(folder, write_table(tmp_path / "all.csv", *rows, header="path,label,source"))
    alone = read_manifest(folder, write_table(tmp_path / "one.csv", "a2,post"))
    assert found.items[0].subject_id == found.items[1].subject_id == alone.items[0].subject_id
    assert any("1 subject id stands under several sources" in notice for notice in found.notices)


def test_a_subject_that_the_table_names_counts_more_than_the_header(tmp_path: Path) -> None:
    folder = write_studies(tmp_path / "scans")
    rows = ("a1,pre,x", "a2,post,y", "b1,pre,")
    found = read_manifest(folder, write_table(tmp_path / "labels.csv", *rows, header="path,label,subject_id"))
    assert [item.subject_id for item in found.items][:2] == ["x", "y"]
    assert str(found.items[2].subject_id).startswith("patient-")


def test_one_id_on_every_study_names_nobody_and_is_told(tmp_path: Path) -> None:
    folder = write_studies(tmp_path / "scans", {"a": "ANON", "b": "ANON"})
    found = read_manifest(folder, write_table(tmp_path / "labels.csv", "a,pre", "b,post"))
    assert [item.subject_id for item in found.items] == [None, None]
    assert any("2 DICOM series of several studies have one and the same" in said for said in found.notices)


def test_without_an_id_the_subject_stays_unknown(tmp_path: Path) -> None:
    folder = write_studies(tmp_path / "scans", {"a": "", "b": "MRN-1"})
    found = read_manifest(folder, write_table(tmp_path / "labels.csv", "a,pre", "b,post"))
    assert [item.subject_id is None for item in found.items] == [True, False]

"""The four forms: readable by others' readers, right in space, honest or wrong in the header as asked."""

import csv
import hashlib
import json
from contextlib import nullcontext
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms import write
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.write import Form, write_cohort


def volume_cohort(plane: Plane = Plane.SAGITTAL, subjects: int = 1) -> Cohort:
    return Cohort(subjects=subjects, seed=8, slices=4, matrix=40, plane=plane, whole_head=True)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def dicom_series(folder: Path) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]


def write_small(folder: Path, form: Form, jobs: int) -> None:
    cohort = Cohort(subjects=3, seed=8, slices=1, matrix=16, whole_head=form is not Form.PNG)
    write_cohort(cohort, folder / form, form=form, header=HeaderMode.MIXED, jobs=jobs)


# Two copies of this process have loaded what every form needs; two fresh ones, as for a user, load it anew.
@pytest.mark.usefixtures("noise_drawn_anew")
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_bytes_of_every_form_in_this_process_or_in_two_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    if start not in get_all_start_methods():
        pytest.skip(f"no process starts by {start} here")
    context = get_context(start)
    monkeypatch.setattr(write, "get_context", lambda _: context)
    for form in Form:
        write_small(tmp_path / "here", form, jobs=1)
    with write._workers(
        jobs=2, n_tasks=3
    ) as run:  # the same two for every form: a process takes long to start
        monkeypatch.setattr(write, "_workers", lambda jobs, _n_tasks: nullcontext({2: run}[jobs]))
        for form in Form:
            write_small(tmp_path / "there", form, jobs=2)
    assert digests(tmp_path / "here") == digests(tmp_path / "there")


def test_another_seed_gives_other_images(tmp_path: Path) -> None:
    for seed in (1, 2):
        cohort = Cohort(subjects=3, seed=seed, slices=1, matrix=32)
        write_cohort(cohort, tmp_path / str(seed), form=Form.PNG)
    first, second = (set(digests(tmp_path / str(seed)).values()) for seed in (1, 2))
    assert not first & second


def test_png_folders_are_the_lessons_and_the_manifest_knows_every_file(tmp_path: Path) -> None:
    cohort = Cohort(subjects=6, seed=8, slices=2, matrix=32)
    rows = write_cohort(cohort, tmp_path / "heads", form=Form.PNG)
    listed = manifest(tmp_path / "heads")
    files = {p.relative_to(tmp_path / "heads").as_posix() for p in (tmp_path / "heads").rglob("*.png")}
    assert rows == len(listed) == len(files)
    assert {row["path"] for row in listed} == files
    for row in listed:
        part, kind, name = row["path"].split("/")
        assert part == ("Test" if row["split"] == "test" else "Train")
        assert kind == {"pre": "no_gad", "post": "with_gad"}[row["label"]]
        assert name.startswith(row["subject_id"] + "_")
        with Image.open(tmp_path / "heads" / row["path"]) as image:
            assert image.mode == "L"
            assert image.size == (32, 32)
            assert np.asarray(image).max() > 100
    assert {row["split"] for row in listed} == {"train", "validation", "test"}
    splits: dict[str, set[str]] = {}
    for row in listed:
        splits.setdefault(row["subject_id"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL])
def test_dicom_and_nifti_of_one_head_agree_voxel_by_voxel_in_space(plane: Plane, tmp_path: Path) -> None:
    write_cohort(volume_cohort(plane), tmp_path / "dicom", form=Form.DICOM)
    write_cohort(volume_cohort(plane), tmp_path / "nifti", form=Form.NIFTI)
    for series, word in (("ser-02", "pre"), ("ser-03", "post")):
        image = nib.Nifti1Image.from_filename(tmp_path / "nifti" / "sub-001" / f"sub-001_{word}.nii.gz")
        voxels, to_index = np.asarray(image.dataobj), np.linalg.inv(image.affine)
        for dataset in dicom_series(tmp_path / "dicom" / "sub-001" / series):
            orientation = np.asarray(dataset.ImageOrientationPatient, float)
            origin = np.asarray(dataset.ImagePositionPatient, float)
            between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
            row, column = np.meshgrid(np.arange(dataset.Rows), np.arange(dataset.Columns), indexing="ij")
            # PS3.3 C.7.6.2.1.1: the row's direction cosine goes with the column index.
            lps = origin + column[..., None] * between_columns * orientation[:3]
            lps = lps + row[..., None] * between_rows * orientation[3:]
            ras = lps * [-1, -1, 1]
            index = ras @ to_index[:3, :3].T + to_index[:3, 3]
            assert np.abs(index - np.rint(index)).max() < 1e-3
            i, j, k = np.rint(index).astype(int).transpose(2, 0, 1)
            assert np.array_equal(voxels[i, j, k], dataset.pixel_array)


def test_slices_of_a_series_lie_along_their_normal_at_the_stated_spacing(tmp_path: Path) -> None:
    write_cohort(volume_cohort(), tmp_path / "d", form=Form.DICOM)
    series = dicom_series(tmp_path / "d" / "sub-001" / "ser-02")
    first = np.asarray(series[0].ImageOrientationPatient, float)
    normal = np.cross(first[:3], first[3:])
    steps = np.diff([np.asarray(d.ImagePositionPatient, float) @ normal for d in series])
    assert steps == pytest.approx(float(series[0].SpacingBetweenSlices), abs=1e-4)
    assert [d.InstanceNumber for d in series] == [1, 2, 3, 4]


def test_dicom_files_name_one_study_two_series_and_no_instance_twice(tmp_path: Path) -> None:
    write_cohort(volume_cohort(subjects=2), tmp_path / "d", form=Form.DICOM)
    found = [pydicom.dcmread(path) for path in sorted((tmp_path / "d").rglob("*.dcm"))]
    assert len(found) == len({d.SOPInstanceUID for d in found}) == 2 * 2 * 4
    assert len({d.SeriesInstanceUID for d in found}) == 4
    assert len({d.StudyInstanceUID for d in found}) == 2
    assert len({d.FrameOfReferenceUID for d in found}) == 2
    for dataset in found:
        assert dataset.SOPInstanceUID.startswith("2.25.")
        assert dataset.SOPInstanceUID.is_valid
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.SOPClassUID.name == "MR Image Storage"
        assert str(dataset.PatientName).startswith("Phantom^")
        assert dataset.pixel_array.max() <= 4095


@pytest.mark.parametrize("mode", [HeaderMode.RIGHT, HeaderMode.WRONG, HeaderMode.MISSING])
def test_dicom_headers_say_what_was_asked_for(mode: HeaderMode, tmp_path: Path) -> None:
    write_cohort(volume_cohort(), tmp_path / "d", form=Form.DICOM, header=mode)
    claims = {}
    for series, phase in (("ser-02", Phase.PRE_CONTRAST), ("ser-03", Phase.POST_CONTRAST)):
        dataset = dicom_series(tmp_path / "d" / "sub-001" / series)[0]
        claims[phase] = ("ContrastBolusAgent" in dataset, str(dataset.SeriesDescription).split()[-1])
    expected = {
        HeaderMode.RIGHT: {Phase.PRE_CONTRAST: (False, "PRE"), Phase.POST_CONTRAST: (True, "GD")},
        HeaderMode.WRONG: {Phase.PRE_CONTRAST: (True, "GD"), Phase.POST_CONTRAST: (False, "PRE")},
    }
    if mode is HeaderMode.MISSING:
        assert not any(agent or word in {"PRE", "GD"} for agent, word in claims.values())
    else:
        assert claims == expected[mode]


def test_mixed_headers_are_of_all_kinds_and_the_manifest_says_which(tmp_path: Path) -> None:
    cohort = Cohort(subjects=8, seed=8, slices=1, matrix=16, whole_head=True)
    write_cohort(cohort, tmp_path / "b", form=Form.BIDS, header=HeaderMode.MIXED)
    rows = manifest(tmp_path / "b")
    assert {row["header"] for row in rows} == {"right", "wrong", "missing"}
    for row in rows:
        sidecar = json.loads((tmp_path / "b" / row["path"].replace(".nii.gz", ".json")).read_text())
        truth = {"pre": "NONE", "post": "GADOLINIUM"}
        claim = {"right": truth[row["label"]], "wrong": truth[{"pre": "post", "post": "pre"}[row["label"]]]}
        assert sidecar.get("ContrastBolusIngredient") == claim.get(row["header"])


def test_bids_names_and_root_files_are_right(tmp_path: Path) -> None:
    write_cohort(volume_cohort(subjects=2), tmp_path / "b", form=Form.BIDS)
    names = {p.relative_to(tmp_path / "b").as_posix() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    anat = {
        f"sub-{n:03d}/anat/sub-{n:03d}_{suffix}{ending}"
        for n in (1, 2)
        for suffix in ("T1w", "ce-gadolinium_T1w")
        for ending in (".nii.gz", ".json")
    }
    root = {"dataset_description.json", "README", "participants.tsv", "participants.json", ".bidsignore"}
    assert names == anat | root | {"manifest.csv"}
    description = json.loads((tmp_path / "b" / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion"} <= set(description)
    lines = (tmp_path / "b" / "participants.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["participant_id", "sub-001", "sub-002"]


def test_an_existing_output_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="exists already"):
        write_cohort(volume_cohort(), tmp_path, form=Form.NIFTI)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("stopped half-way")

    monkeypatch.setattr("gadoscope.phantom.forms.write._write_manifest", fail)
    with pytest.raises(RuntimeError, match="half-way"):
        write_cohort(volume_cohort(), tmp_path / "new", form=Form.NIFTI)
    assert list(tmp_path.iterdir()) == []


def test_two_subjects_cannot_be_split_in_three(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 subjects cannot be split"):
        write_cohort(Cohort(subjects=2, seed=1, slices=1, matrix=16), tmp_path / "x", form=Form.PNG)
    assert list(tmp_path.iterdir()) == []


def test_no_process_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jobs = 0 is too small"):
        write_cohort(volume_cohort(), tmp_path / "x", form=Form.NIFTI, jobs=0)

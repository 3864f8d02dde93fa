"""What lies in an archive is read as in a folder: BIDS data sets, pairs, media; the rows are the same."""

import gzip
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.classification import local
from gadoscope.labels import SeriesResult, Status
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.write import Form, write_cohort
from tests.support.dicom_files import POST, PRE, classic_series, write_series
from tests.support.nifti_files import nib, save
from tests.support.scan_runs import classify

Pack = Callable[[Path, Path], Path]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a BIDS data set with ce- in its names, sidecars at two levels, and results computed from it."""
    folder = tmp_path_factory.mktemp("bids") / "data"
    write_cohort(
        Cohort(subjects=2, seed=3, slices=5, matrix=64), folder, form=Form.BIDS, header=HeaderMode.RIGHT
    )
    (folder / "T1w.json").write_text(json.dumps({"MagneticFieldStrength": 3, "BodyPartExamined": "HEAD"}))
    first = next(folder.rglob("*_T1w.nii.gz"))
    shutil.copy(first, first.with_name("sub-01_dwi.nii.gz"))
    for name in ("sub-01_dwi.bval", "sub-01_dwi.bvec"):
        (first.parent / name).write_text("0 1000\n")
    (folder / "derivatives" / "fs" / "sub-01").mkdir(parents=True)
    shutil.copy(first, folder / "derivatives" / "fs" / "sub-01" / "sub-01_T1w.nii.gz")
    (folder / "fmriprep").mkdir()
    (folder / "fmriprep" / "dataset_description.json").write_text('{"DatasetType": "derivative"}')
    shutil.copy(first, folder / "fmriprep" / "sub-01_desc-preproc_T1w.nii.gz")
    (folder / "manifest.csv").unlink(missing_ok=True)
    return folder


def pack_zip(folder: Path, archive: Path) -> Path:
    """Pack the files of a folder, in another order than a walk has, without entries for folders."""
    with zipfile.ZipFile(archive.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*"), reverse=True):
            if file.is_file():
                packed.write(file, file.relative_to(folder))
    return archive.with_suffix(".zip")


def pack_tar(folder: Path, archive: Path) -> Path:
    """Pack a folder as `tar cf archive.tar -C folder .` does: folders too, and names that begin with ./."""
    with tarfile.open(archive.with_suffix(".tar"), "w") as packed:
        packed.add(folder, ".")
    return archive.with_suffix(".tar")


def pack_tgz(folder: Path, archive: Path) -> Path:
    """Pack a folder as most downloads are."""
    with tarfile.open(archive.with_suffix(".tgz"), "w:gz") as packed:
        packed.add(folder, "")
    return archive.with_suffix(".tgz")


PACKS: list[Pack] = [pack_zip, pack_tar, pack_tgz]


def moved(rows: list[SeriesResult], folder: Path, inside: str) -> list[SeriesResult]:
    return [replace(row, path=row.path.replace(f"{folder}/", inside)) for row in rows]


@pytest.mark.parametrize("pack", PACKS)
def test_a_bids_data_set_in_an_archive_gives_the_rows_of_its_folder(
    dataset: Path, tiny_bundle: Path, tmp_path: Path, pack: Pack
) -> None:
    expected = classify(tiny_bundle, dataset)
    said = {row.header_state for row in expected if row.status is Status.ANSWERED}
    assert said == {"administered", "not administered"}
    assert sum(row.reason.startswith("bids_derivatives") for row in expected) == 2
    assert sum(row.reason.startswith("diffusion") for row in expected) == 1
    packed = pack(dataset, tmp_path / "a")
    assert classify(tiny_bundle, packed) == moved(expected, dataset, f"{packed}!")


@pytest.mark.parametrize("pack", PACKS)
def test_so_does_one_below_a_folder_two_beside_each_other_and_one_in_an_archive_within(
    dataset: Path, tiny_bundle: Path, tmp_path: Path, pack: Pack
) -> None:
    expected = classify(tiny_bundle, dataset)
    for name in ("one", "two"):
        shutil.copytree(dataset, tmp_path / "both" / name)
    packed = pack(tmp_path / "both", tmp_path / "a")
    rows = classify(tiny_bundle, packed)
    assert rows == [row for name in ("one", "two") for row in moved(expected, dataset, f"{packed}!{name}/")]
    (tmp_path / "outer").mkdir()
    packed.rename(tmp_path / "outer" / "inner")
    outer = pack_zip(tmp_path / "outer", tmp_path / "b")
    again = classify(tiny_bundle, outer)
    assert again == [replace(row, path=row.path.replace(str(packed), f"{outer}!inner")) for row in rows]


def test_a_sidecar_outside_of_the_archive_within_says_nothing(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "in").mkdir()
    save(tmp_path / "in" / "sub-01_T1w.nii.gz", np.arange(20 * 24 * 7, dtype=np.int16).reshape(20, 24, 7))
    inner = pack_zip(tmp_path / "in", tmp_path / "inner")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.write(inner, "inner.zip")
        packed.writestr("dataset_description.json", "{}")
        packed.writestr("T1w.json", '{"ContrastBolusIngredient": "GADOLINIUM"}')
    (row,) = classify(tiny_bundle, tmp_path / "a.zip")
    assert row.header_state == "silent"


@pytest.mark.parametrize("pack", PACKS)
def test_a_pair_in_an_archive_is_the_row_that_it_is_in_a_folder(
    tmp_path: Path, tiny_bundle: Path, pack: Pack
) -> None:
    (tmp_path / "in").mkdir()
    voxels = np.random.default_rng(1).integers(0, 900, (40, 48, 9)).astype(np.int16)
    save(tmp_path / "in" / "a.img", voxels, kind=nib.Nifti1Pair)
    expected = classify(tiny_bundle, tmp_path / "in")
    assert [row.n_slices for row in expected] == [9]
    packed = pack(tmp_path / "in", tmp_path / "a")
    assert classify(tiny_bundle, packed) == moved(expected, tmp_path / "in", f"{packed}!")


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("n_before_workers", [8, 10**6])
def test_a_study_in_an_archive_gives_the_rows_of_its_folder_also_with_processes(
    tmp_path: Path, tiny_bundle: Path, pack: Pack, n_before_workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "INSTANCES_BEFORE_WORKERS", n_before_workers)
    for phase in (PRE, POST):
        write_series(classic_series(phase, name=phase), tmp_path / "in" / phase)
    (tmp_path / "in" / "README").write_text("A scan a folder.")
    expected = classify(tiny_bundle, tmp_path / "in")
    assert len(expected) == 3
    packed = pack(tmp_path / "in", tmp_path / "a")
    assert classify(tiny_bundle, packed) == moved(expected, tmp_path / "in", f"{packed}!")


def test_an_instance_that_is_gzipped_is_read_under_any_name(tmp_path: Path, tiny_bundle: Path) -> None:
    paths = write_series(classic_series(PRE), tmp_path / "in")
    expected = classify(tiny_bundle, tmp_path / "in")
    for number, path in enumerate(paths):
        content = gzip.compress(path.read_bytes())
        path.unlink()
        path.with_name(path.name + (".dcm.gz" if number % 2 else "")).write_bytes(content)
    rows = classify(tiny_bundle, tmp_path / "in")
    assert [replace(row, path="") for row in rows] == [replace(row, path="") for row in expected]
    packed = pack_zip(tmp_path / "in", tmp_path / "a")
    (row,) = classify(tiny_bundle, packed)
    assert (row.n_slices, row.probability) == (expected[0].n_slices, expected[0].probability)


def test_a_gzipped_instance_that_is_cut_off_or_a_bomb_is_a_row(tmp_path: Path, tiny_bundle: Path) -> None:
    (path,) = write_series(classic_series(PRE, n_slices=1), tmp_path / "in")
    content = path.read_bytes()
    path.write_bytes(gzip.compress(content)[:-500])
    (tmp_path / "in" / "bomb.dcm.gz").write_bytes(gzip.compress(content + bytes(80 * 2**20)))
    rows = classify(tiny_bundle, tmp_path / "in")
    assert sorted(row.reason.partition(":")[0] for row in rows) == ["damaged_archive", "zip_bomb"]


def test_a_name_of_thousands_of_folders_is_a_row(tmp_path: Path, tiny_bundle: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("d/" * 30_000 + "x.json", "{}")
        packed.writestr("d/" * 30_000 + "sub-1_T1w.nii", b"")
    assert [row.status for row in classify(tiny_bundle, tmp_path / "a.zip")] == [
        Status.FAILED,
        Status.REFUSED,
    ]


@pytest.mark.parametrize("name", ["bids-data-set-in-a-zip", "bids-zip-with-top-folder"])
def test_the_zips_that_were_brought_are_two_answers_that_agree_with_their_names(
    shared: Path, name: str
) -> None:
    from gadoscope.inference.default import find_model  # noqa: PLC0415 — the real answers need the real model

    rows = classify(find_model(None), shared / "cases" / name / "input")
    assert [(row.status, row.agreement) for row in rows] == [(Status.ANSWERED, "agree")] * 2

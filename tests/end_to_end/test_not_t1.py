"""Scans that are not for reading, from the files to the rows: what calls them so, and what is answered."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from gadoscope.labels import Plane, SeriesResult, Status
from tests.support.dicom_files import classic_series, rename_series, write_instance
from tests.support.dicom_multiframe import enhanced
from tests.support.scan_runs import classify


def _classify(datasets: list[Dataset], folder: Path, bundle: Path) -> list[SeriesResult]:
    for index, dataset in enumerate(datasets):
        write_instance(dataset, folder / f"{index}.dcm")
    return classify(bundle, folder)


def _with_tags(**tags: Any) -> list[Dataset]:
    datasets = classic_series()
    for dataset in datasets:
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
    return datasets


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (
            {"SeriesDescription": "gre_field_mapping"},
            'field_map: SeriesDescription names "gre_field_mapping"',
        ),
        ({"SeriesDescription": "Survey_32ch"}, 'localizer: SeriesDescription names "Survey"'),
        ({"SeriesDescription": "3D TOF"}, 'angiography: SeriesDescription names "TOF"'),
        ({"RescaleType": "Hz"}, 'parametric_map: RescaleType="Hz"'),
        ({"ImageType": ["DERIVED", "PRIMARY", "T1_MAP"]}, "parametric_map: ImageType"),
        ({"PatientSpeciesDescription": "Mus musculus"}, "not_human: PatientSpeciesDescription"),
        ({"AnatomicalOrientationType": "QUADRUPED"}, "not_human: AnatomicalOrientationType"),
    ],
)
def test_a_tag_that_says_what_it_is_refuses_the_series(
    tmp_path: Path, tiny_bundle: Path, tags: dict[str, Any], reason: str
) -> None:
    (row,) = _classify(_with_tags(**tags), tmp_path / "series", tiny_bundle)
    assert row.status is Status.REFUSED
    assert row.reason.startswith(reason)


@pytest.mark.parametrize("value", ["IN_PHASE", "OPP_PHASE"])
def test_a_dixon_image_is_no_phase_image(tmp_path: Path, tiny_bundle: Path, value: str) -> None:
    tags = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", value]}
    (row,) = _classify(_with_tags(**tags), tmp_path / "series", tiny_bundle)
    assert row.phase is not None


def _three_planes(*n_slices: int) -> list[Dataset]:
    planes = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
    datasets = [
        dataset
        for plane, n in zip(planes, n_slices, strict=True)
        for dataset in classic_series(plane=plane, n_slices=n, matrix=32)
    ]
    for number, dataset in enumerate(datasets):
        dataset.SeriesDescription = "head"
        dataset.InstanceNumber = number + 1
    return rename_series(datasets, "planes")


@pytest.mark.parametrize("n_slices", [(1, 1, 1), (3, 3, 3), (9, 2, 2)])
def test_few_slices_in_all_three_planes_are_a_localizer_whatever_it_is_called(
    tmp_path: Path, tiny_bundle: Path, n_slices: tuple[int, ...]
) -> None:
    (row,) = _classify(_three_planes(*n_slices), tmp_path / "classic", tiny_bundle)
    assert row.reason.startswith("localizer: few slices in all three planes")


def test_an_enhanced_localizer_is_told_by_its_planes_too(tmp_path: Path, tiny_bundle: Path) -> None:
    (row,) = _classify([enhanced(_three_planes(2, 2, 2))], tmp_path / "enhanced", tiny_bundle)
    assert row.reason.startswith("localizer: few slices in all three planes")


def _spread(datasets: list[Dataset], step_mm: float, thickness_mm: float) -> list[Dataset]:
    """Give parallel slices another distance and thickness."""
    orientation = np.array(datasets[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    first = np.array(datasets[0].ImagePositionPatient, dtype=float)
    for index, dataset in enumerate(datasets):
        place = first + index * step_mm * np.cross(*orientation)
        dataset.ImagePositionPatient = [f"{mm:.3f}" for mm in place]
        dataset.SpacingBetweenSlices, dataset.SliceThickness = str(step_mm), str(thickness_mm)
    return datasets


def test_slices_far_apart_in_two_planes_of_one_series_are_a_localizer(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    planes = [
        _spread(classic_series(plane=plane, n_slices=3), 20.0, 8.0)
        for plane in (Plane.SAGITTAL, Plane.CORONAL)
    ]
    (row,) = _classify(rename_series([*planes[0], *planes[1]], "planes"), tmp_path / "two", tiny_bundle)
    assert (
        row.reason == "localizer: few slices far apart in two planes (3 sagittal, 3 coronal) are a localizer."
    )


@pytest.mark.parametrize("name", ["SAG", ""])
def test_three_thick_slices_with_wide_gaps_are_a_localizer(
    name: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    datasets = _spread(classic_series(n_slices=3), 20.0, 8.0)
    for dataset in datasets:
        dataset.SeriesDescription = name
    (row,) = _classify(datasets, tmp_path / "scout", tiny_bundle)
    assert row.reason.startswith("localizer: 3 thick slices in one plane")


@pytest.mark.parametrize(("step_mm", "thickness_mm"), [(6.0, 5.0), (20.0, 1.0)])
def test_three_slices_near_each_other_or_thin_are_answered(
    step_mm: float, thickness_mm: float, tmp_path: Path, tiny_bundle: Path
) -> None:
    datasets = _spread(classic_series(n_slices=3), step_mm, thickness_mm)
    (row,) = _classify(datasets, tmp_path / "few", tiny_bundle)
    assert row.phase is not None


def test_thick_slices_that_were_chosen_from_a_series_are_answered(tmp_path: Path, tiny_bundle: Path) -> None:
    datasets = _spread(classic_series(n_slices=12), 5.0, 5.0)[::4]
    (row,) = _classify(datasets, tmp_path / "chosen", tiny_bundle)
    assert row.phase is not None


def test_whole_heads_in_three_planes_are_answered(tmp_path: Path, tiny_bundle: Path) -> None:
    rows = _classify(_three_planes(16, 16, 16), tmp_path / "planes", tiny_bundle)
    assert [row.plane for row in rows[:3]] == [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL]
    assert all(row.phase is not None for row in rows)


def _write_nifti(
    path: Path, *shape: int, descrip: str = "", spacing_mm: tuple[float, ...] = (6.0, 6.0, 8.0)
) -> Path:
    voxels = np.random.default_rng(0).integers(0, 200, shape).astype(np.uint8)
    image = nibabel.Nifti1Image(voxels, np.diag([*spacing_mm, 1.0]))  # type: ignore[no-untyped-call]
    image.header["descrip"] = descrip
    nibabel.save(image, path)
    return path


def test_a_diffusion_series_is_one_row_by_the_b_values_beside_it(tmp_path: Path, tiny_bundle: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    _write_nifti(folder / "scan.nii.gz", 32, 32, 6, 7)
    (folder / "scan.bval").write_text("0 1000 1000 1000 1000 1000 1000\n")
    (folder / "scan.bvec").write_text("0 1 0 0 1 0 0\n" * 3)
    (row,) = classify(tiny_bundle, folder)
    assert row.reason.startswith("diffusion: b-values up to 1000 s/mm2")


@pytest.mark.parametrize("descrip", ["TE=30;Time=120000.000", "3T 2D EP TR=2000ms/TE=30ms/FA=78deg"])
def test_several_volumes_of_a_long_echo_are_one_row_by_the_header(
    tmp_path: Path, tiny_bundle: Path, descrip: str
) -> None:
    (row,) = classify(tiny_bundle, _write_nifti(tmp_path / "a.nii.gz", 32, 32, 6, 7, descrip=descrip))
    assert row.reason.startswith("functional: 7 volumes with an echo time of 30 ms")


@pytest.mark.parametrize("sidecar", [{"TaskName": "rest"}, {"EchoTime": 0.03, "RepetitionTime": 2.0}])
def test_a_functional_series_is_one_row_by_its_sidecar(
    tmp_path: Path, tiny_bundle: Path, sidecar: dict[str, object]
) -> None:
    path = _write_nifti(tmp_path / "a.nii.gz", 32, 32, 6, 7)
    (tmp_path / "a.json").write_text(json.dumps(sidecar))
    (row,) = classify(tiny_bundle, path)
    assert row.status is Status.REFUSED


def test_a_dynamic_t1_series_is_answered_volume_by_volume(tmp_path: Path, tiny_bundle: Path) -> None:
    path = _write_nifti(tmp_path / "a.nii.gz", 32, 32, 6, 7, descrip="TE=1.3;Time=120000.000")
    (tmp_path / "a.json").write_text(json.dumps({"EchoTime": 0.0013, "RepetitionTime": 0.004}))
    rows = classify(tiny_bundle, path)
    assert [row.volume_index for row in rows] == [*range(7), None]
    assert all(row.probability is not None for row in rows[:7])


def test_a_joint_of_four_small_slices_is_refused_by_its_size(tmp_path: Path, tiny_bundle: Path) -> None:
    path = _write_nifti(tmp_path / "001.nii.gz", 64, 64, 4, spacing_mm=(2.34, 2.34, 4.0))
    (row,) = classify(tiny_bundle, path)
    assert row.reason.startswith("not_t1_brain: 16 x 150 x 150 mm")
    (tmp_path / "001.json").write_text(json.dumps({"BodyPartExamined": "HEAD"}))
    (row,) = classify(tiny_bundle, path)
    assert row.phase is not None, "a tag says that it is a head"


def test_a_slab_through_a_part_of_the_head_meets_the_pixels(tmp_path: Path, tiny_bundle: Path) -> None:
    path = _write_nifti(tmp_path / "001.nii.gz", 256, 256, 16, spacing_mm=(0.625, 0.625, 1.0))
    (row,) = classify(tiny_bundle, path)
    assert row.phase is not None
    path = _write_nifti(tmp_path / "002.nii.gz", 256, 256, 7, spacing_mm=(0.55, 0.55, 2.0))
    (tmp_path / "002.json").write_text(json.dumps({"SeriesDescription": "COR T1 SELLA"}))
    (row,) = classify(tiny_bundle, path)
    assert row.phase is not None


@pytest.mark.parametrize(
    "said", [{"BodyPartExamined": "KNEE"}, {"SeriesDescription": "PD knee"}, {"ReceiveCoilName": "Knee_15Ch"}]
)
def test_a_limb_as_large_as_a_head_is_refused_by_what_is_said(
    tmp_path: Path, tiny_bundle: Path, said: dict[str, object]
) -> None:
    path = _write_nifti(tmp_path / "001.nii.gz", 64, 64, 24, spacing_mm=(2.5, 2.5, 4.0))
    (row,) = classify(tiny_bundle, path)
    assert row.phase is not None, "its size alone is a head's"
    (tmp_path / "001.json").write_text(json.dumps(said))
    (row,) = classify(tiny_bundle, path)
    assert row.reason.startswith("other_body_part")
    (row,) = classify(tiny_bundle, path.rename(tmp_path / "knee_t1.nii.gz"))
    assert row.reason.startswith("other_body_part: its file name")

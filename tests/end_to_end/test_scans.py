"""Whole runs over scans: one head in every form gives one answer, and nothing among the files is lost."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.write import Form, write_cohort
from tests.support.bundles import TINY_METADATA, TINY_SLOPE, write_tiny_bundle
from tests.support.dicom_files import (
    POST,
    PRE,
    classic_series,
    localizer,
    mosaic,
    rename_series,
    rename_study,
    set_pixels,
    stored_pixels,
    to_eight_bits,
    write_instance,
    write_series,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.dicom_others import OTHERS
from tests.support.scan_runs import classify, grey_of, window_of, write_bundle_between

pytestmark = pytest.mark.usefixtures("lasting_decoders")
nib: Any = nibabel  # has no types
SAME = 1e-4
"""Two forms of one head may differ by this much in probability, and no more."""
SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
    HTJ2KLossless,
)
AXIS_ORDERS = ("RAS", "LPS", "ASL", "SPR", "PIR", "IRP", "LAI", "SLA")


def _one(rows: list[SeriesResult]) -> SeriesResult:
    (row,) = rows
    assert row.status is Status.ANSWERED, row.reason
    return row


def _write_nifti(path: Path, voxels: NDArray[Any], affine: NDArray[Any], **header: float) -> Path:
    image = nib.Nifti1Image(voxels, affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def _nifti_of(datasets: list[Dataset], voxels: NDArray[Any]) -> Any:
    """Return the NIfTI of a phantom series: voxels (slice, row, column), the affine from the DICOM tags."""
    first, last = datasets[0], datasets[-1]
    orientation = np.asarray(first.ImageOrientationPatient, float)
    start, end = (np.asarray(d.ImagePositionPatient, float) for d in (first, last))
    affine = np.eye(4)
    affine[:3, 0] = orientation[:3] * float(first.PixelSpacing[1])
    affine[:3, 1] = orientation[3:] * float(first.PixelSpacing[0])
    affine[:3, 2] = (end - start) / max(len(datasets) - 1, 1)
    if len(datasets) == 1:
        affine[:3, 2] = np.cross(orientation[:3], orientation[3:]) * float(first.SliceThickness)
    affine[:3, 3] = start
    return nib.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL])
def test_one_slice_gives_one_probability_as_png_dicom_and_nifti(
    plane: Plane, tmp_path: Path, tiny_bundle: Path
) -> None:
    dataset = classic_series(POST, plane=plane)[2]
    grey = grey_of(dataset)
    Image.fromarray(grey).save(tmp_path / "slice.png")
    png = _one(classify(tiny_bundle, tmp_path / "slice.png"))
    write_instance(dataset, tmp_path / "12-bit")
    eight = classic_series(POST, plane=plane)[2]
    set_pixels(eight, grey)
    del eight.WindowCenter, eight.WindowWidth
    write_instance(eight, tmp_path / "8-bit")
    black, white = window_of(dataset)
    wide = _nifti_of([dataset], stored_pixels(dataset)[None].astype(np.int16))
    wide.header["cal_min"], wide.header["cal_max"] = black, white
    nib.save(wide, tmp_path / "wide.nii")
    nib.save(_nifti_of([dataset], grey[None]), tmp_path / "grey.nii.gz")
    for name in ("12-bit", "8-bit", "wide.nii", "grey.nii.gz"):
        row = _one(classify(tiny_bundle, tmp_path / name))
        assert row.probability == pytest.approx(png.probability, abs=SAME), name
        assert (row.plane, row.n_slices, row.n_slices_used) == (plane, 1, 1), name


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.AXIAL])
def test_a_series_gives_the_mean_logit_of_the_pictures_of_its_slices(
    plane: Plane, tmp_path: Path, tiny_bundle: Path
) -> None:
    datasets = classic_series(POST, plane=plane)
    window = datasets[0].WindowCenter, datasets[0].WindowWidth
    for index, dataset in enumerate(datasets):
        dataset.WindowCenter, dataset.WindowWidth = window
        (tmp_path / "png").mkdir(exist_ok=True)
        Image.fromarray(grey_of(dataset)).save(tmp_path / "png" / f"{index}.png")
    write_series(datasets, tmp_path / "dicom")
    series = _one(classify(tiny_bundle, tmp_path / "dicom"))
    pictures = [_one([row]) for row in classify(tiny_bundle, tmp_path / "png")]
    middle = pictures[2:4]  # the middle fifth of six slices touches these two
    assert series.n_slices_used == len(middle)
    logits = [np.log(row.probability / (1 - row.probability)) for row in middle if row.probability]
    assert series.probability == pytest.approx(1 / (1 + np.exp(-np.mean(logits))), abs=SAME)


def test_a_series_gives_one_probability_in_every_transfer_syntax(tmp_path: Path, tiny_bundle: Path) -> None:
    write_series(classic_series(POST), tmp_path / "plain")
    plain = _one(classify(tiny_bundle, tmp_path / "plain"))
    for syntax in SYNTAXES:
        write_series(classic_series(POST), tmp_path / syntax, syntax=syntax)
        other = _one(classify(tiny_bundle, tmp_path / syntax))
        assert other.probability == pytest.approx(plain.probability, abs=SAME), syntax.name


# The slow one's quicker twin is the other plane.
@pytest.mark.parametrize("plane", [Plane.SAGITTAL, pytest.param(Plane.CORONAL, marks=pytest.mark.slow)])
def test_classic_enhanced_and_legacy_converted_give_one_answer(
    plane: Plane, tmp_path: Path, tiny_bundle: Path
) -> None:
    datasets = classic_series(POST, plane=plane)
    write_series(datasets, tmp_path / "classic")
    classic = _one(classify(tiny_bundle, tmp_path / "classic"))
    for kind, made in {"enhanced": enhanced(datasets[::-1]), "legacy": legacy_converted(datasets)}.items():
        for syntax in (ImplicitVRLittleEndian, RLELossless, JPEG2000Lossless):
            path = write_instance(made, tmp_path / f"{kind}-{syntax}", syntax=syntax)
            row = _one(classify(tiny_bundle, path))
            assert row.probability == pytest.approx(classic.probability, abs=SAME), path.name
            assert (row.plane, row.n_slices, row.n_slices_used) == (plane, 6, classic.n_slices_used)


@pytest.fixture(scope="module", params=["stack", "volume", "volume without its slice axis"])
def answered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Path, Any]:
    """Return one series as a NIfTI image, a bundle, and the probability that it gives the series as DICOM."""
    folder = tmp_path_factory.mktemp("volume")
    is_stack = request.param == "stack"
    datasets = classic_series() if is_stack else classic_series(n_slices=32, matrix=48, whole_head=True)
    for dataset in datasets:
        del dataset.WindowCenter, dataset.WindowWidth
    write_series(datasets, folder / "dicom")
    image = _nifti_of(datasets, np.stack([stored_pixels(dataset) for dataset in datasets]).astype(np.int16))
    policy = SlicePolicy()
    if request.param == "volume":
        image.header.set_dim_info(freq=0, phase=1, slice=2)
    elif not is_stack:  # equal spacings say nothing of how it was acquired; the bundle has to
        policy = SlicePolicy(planes=(Plane.SAGITTAL,))
    metadata = replace(TINY_METADATA, planes=policy.planes, slice_policy=policy)
    bundle = write_tiny_bundle(folder / "bundle" / "tiny.onnx", metadata)
    return image, bundle, _one(classify(bundle, folder / "dicom")).probability


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_a_volume_gives_one_answer_as_dicom_and_as_nifti_of_any_axis_order(
    order: str, tmp_path: Path, answered: tuple[Any, Path, Any]
) -> None:
    image, bundle, of_dicom = answered
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(order)
    )
    nib.save(image.as_reoriented(turn), tmp_path / f"{order}.nii.gz")
    assert _one(classify(bundle, tmp_path / f"{order}.nii.gz")).probability == pytest.approx(
        of_dicom, abs=SAME
    )


@pytest.fixture
def published(shared: Path, tmp_path: Path) -> Path:
    """Return the bundle of the lesson's published weights, or skip."""
    from click.testing import CliRunner  # noqa: PLC0415 - only here, and it needs torch

    from gadoscope.cli.import_keras import command  # noqa: PLC0415

    weights, bundle = shared / "data/lesson/SimpleGadClass.h5", tmp_path / "lesson.onnx"
    result = CliRunner().invoke(command, [str(weights), "--output", str(bundle)], catch_exceptions=False)
    assert result.exit_code == 0
    return bundle


@pytest.mark.slow
def test_the_published_weights_give_one_probability_for_every_form(tmp_path: Path, published: Path) -> None:
    datasets = classic_series(POST, matrix=128)
    dataset = datasets[2]
    Image.fromarray(grey_of(dataset)).save(tmp_path / "slice.png")
    write_instance(dataset, tmp_path / "slice")
    nib.save(_nifti_of([dataset], grey_of(dataset)[None]), tmp_path / "slice.nii")
    png, dicom, nifti = (
        _one(classify(published, tmp_path / name)) for name in ("slice.png", "slice", "slice.nii")
    )
    assert dicom.probability == pytest.approx(png.probability, abs=SAME)
    assert nifti.probability == pytest.approx(png.probability, abs=SAME)
    for one in datasets:
        del one.WindowCenter, one.WindowWidth
    write_series(datasets, tmp_path / "volume", syntax=JPEGLosslessSV1)
    write_instance(enhanced(datasets), tmp_path / "enhanced")
    voxels = np.stack([stored_pixels(one) for one in datasets]).astype(np.int16)
    nib.save(_nifti_of(datasets, voxels), tmp_path / "volume.nii.gz")
    rows = [_one(classify(published, tmp_path / name)) for name in ("volume", "enhanced", "volume.nii.gz")]
    assert [row.probability for row in rows] == pytest.approx([rows[0].probability] * 3, abs=SAME)


def test_a_bids_tree_gives_a_row_for_each_t1w_and_none_for_what_describes_it(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    tree = tmp_path / "bids"
    cohort = Cohort(subjects=2, seed=1, slices=6, matrix=64)
    write_cohort(cohort, tree, form=Form.BIDS, header=HeaderMode.MISSING)
    session = tree / "sub-003" / "ses-01"
    (session / "anat").mkdir(parents=True)
    (session / "func").mkdir()
    source = tree / "sub-001" / "anat" / "sub-001_T1w.nii.gz"
    for name in (
        "anat/sub-003_ses-01_run-1_T1w",
        "anat/sub-003_ses-01_T2w",
        "func/sub-003_ses-01_task-rest_bold",
    ):
        (session / f"{name}.nii.gz").write_bytes(source.read_bytes())
    (session / "anat" / "sub-003_ses-01_run-1_T1w.json").write_text("{ not JSON")
    (tree / "derivatives" / "fs" / "sub-001").mkdir(parents=True)
    (tree / "derivatives" / "fs" / "sub-001" / "sub-001_T1w.nii.gz").write_bytes(source.read_bytes())
    rows = {Path(row.path).relative_to(tree).as_posix(): row for row in classify(tiny_bundle, tree)}
    assert {name: row.status for name, row in rows.items()} == {
        "derivatives": Status.REFUSED,
        "sub-001/anat/sub-001_T1w.nii.gz": Status.ANSWERED,
        "sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz": Status.ANSWERED,
        "sub-002/anat/sub-002_T1w.nii.gz": Status.ANSWERED,
        "sub-002/anat/sub-002_ce-gadolinium_T1w.nii.gz": Status.ANSWERED,
        "sub-003/ses-01/anat/sub-003_ses-01_T2w.nii.gz": Status.REFUSED,
        "sub-003/ses-01/anat/sub-003_ses-01_run-1_T1w.nii.gz": Status.ANSWERED,
        "sub-003/ses-01/func/sub-003_ses-01_task-rest_bold.nii.gz": Status.REFUSED,
    }
    assert rows["derivatives"].reason.startswith("bids_derivatives: ")
    assert rows["sub-003/ses-01/anat/sub-003_ses-01_run-1_T1w.nii.gz"].warnings
    contrast = rows["sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz"]
    assert contrast.header_state == "administered"
    assert rows["sub-001/anat/sub-001_T1w.nii.gz"].header_state == "silent"


@pytest.mark.parametrize("mode", [HeaderMode.RIGHT, HeaderMode.WRONG, HeaderMode.MISSING])
def test_header_and_pixels_agree_conflict_or_are_silent_as_the_header_is_right_wrong_or_missing(
    mode: HeaderMode, tmp_path: Path
) -> None:
    bundle = _make_bundle_for_phantom(tmp_path)
    for phase in (PRE, POST):
        write_series(_said(mode, phase), tmp_path / "study" / phase)
    rows = {row.phase: row for row in classify(bundle, tmp_path / "study")}
    assert set(rows) == {PRE, POST}
    expected = {HeaderMode.RIGHT: "agree", HeaderMode.WRONG: "conflict", HeaderMode.MISSING: "silent"}[mode]
    assert {row.agreement for row in rows.values()} == {expected}
    if mode is HeaderMode.MISSING:
        assert {row.header_quote for row in rows.values()} == {""}
    else:
        claimed = POST if mode is HeaderMode.RIGHT else PRE
        assert 'SeriesDescription="... POST GD"' in rows[claimed].header_quote


def test_a_description_that_the_hour_of_the_injection_contradicts_is_silent(tmp_path: Path) -> None:
    write_series(classic_series(PRE, mode=HeaderMode.WRONG), tmp_path / "series")
    (row,) = classify(_make_bundle_for_phantom(tmp_path), tmp_path / "series")
    assert (row.header_state, row.agreement) == ("silent", "silent")
    assert "POST GD" in row.header_quote
    assert "ContrastBolusStartTime" in row.header_quote


def test_mixed_headers_are_counted_over_a_run(tmp_path: Path) -> None:
    bundle = _make_bundle_for_phantom(tmp_path)
    modes = (HeaderMode.RIGHT, HeaderMode.WRONG, HeaderMode.MISSING, HeaderMode.RIGHT)
    for number, mode in enumerate(modes):
        for phase in (PRE, POST):
            series = rename_study(_said(mode, phase), f"{number}")
            write_series(rename_series(series, phase), tmp_path / "archive" / f"{number}-{phase}")
    rows = classify(bundle, tmp_path / "archive")
    assert Counter(row.agreement for row in rows) == {"agree": 4, "conflict": 2, "silent": 2}


def _said(mode: HeaderMode, phase: Phase) -> list[Dataset]:
    """Return a series whose description speaks; no hour of an injection confirms or contradicts it."""
    datasets = _same_window(classic_series(phase, mode=mode))
    for dataset in datasets:
        if "ContrastBolusStartTime" in dataset:
            del dataset.ContrastBolusStartTime
    return datasets


def _same_window(datasets: list[Dataset]) -> list[Dataset]:
    first = classic_series(PRE)[0]
    for dataset in datasets:
        dataset.WindowCenter, dataset.WindowWidth = first.WindowCenter, first.WindowWidth
    return datasets


def _make_bundle_for_phantom(folder: Path) -> Path:
    """Return a bundle that tells the phantom's pre- from its post-contrast series in one window."""
    darker, brighter = (
        np.mean([grey_of(dataset).mean() for dataset in _same_window(classic_series(phase))[2:4]]) / 255
        for phase in (PRE, POST)
    )
    return write_bundle_between(folder / "phantom.onnx", float(darker), float(brighter))


def test_what_is_no_t1_brain_series_is_refused_and_loses_nothing_beside_it(tmp_path: Path) -> None:
    study = tmp_path / "study"
    series = {
        **{name: build() for name, build in OTHERS.items()},
        "localizer": localizer(),
        "mosaic": mosaic(),
        "pre": _same_window(classic_series(PRE)),
        "post": _same_window(classic_series(POST)),
    }
    for name, datasets in series.items():
        for index, dataset in enumerate(datasets):
            write_instance(dataset, study / f"{name}-{index}")
    rows = classify(_make_bundle_for_phantom(tmp_path / "bundle"), study)
    assert len(rows) == len(OTHERS) + 4
    assert Counter(row.status for row in rows) == {Status.REFUSED: len(OTHERS) + 2, Status.ANSWERED: 2}
    reasons = {Path(row.path).name.split("-")[0]: row.reason.partition(":")[0] for row in rows}
    assert reasons["localizer"] == "localizer"
    assert reasons["mosaic"] == "mosaic"
    assert len({row.series_instance_uid for row in rows}) == len(rows)
    assert all(row.reason for row in rows if row.status is Status.REFUSED)


def test_a_series_scattered_over_folders_without_extensions_is_one_row(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    for index, dataset in enumerate(classic_series()):
        write_instance(dataset, tmp_path / "tree" / f"{index % 3}" / f"{index * 5 % 7}")
    for index, dataset in enumerate(classic_series(POST)):
        write_instance(dataset, tmp_path / "tree" / f"{index % 3}" / f"p{index * 5 % 7}")
    rows = classify(tiny_bundle, tmp_path / "tree")
    assert [row.n_slices for row in rows] == [6, 6]
    assert rows == classify(tiny_bundle, tmp_path / "tree", jobs=1)
    assert rows == classify(tiny_bundle, tmp_path / "tree", jobs=3)


def test_the_tiny_network_answers_the_brightness_of_the_series(tmp_path: Path, tiny_bundle: Path) -> None:
    datasets = [to_eight_bits(dataset) for dataset in classic_series(POST)]
    write_series(datasets, tmp_path / "series")
    row = _one(classify(tiny_bundle, tmp_path / "series"))
    greys = [np.frombuffer(dataset.PixelData, np.uint8).reshape(64, 64) for dataset in datasets[2:4]]
    small = [np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.NEAREST)) for grey in greys]
    logit = TINY_SLOPE * (np.mean(small) / 255 - 0.5)
    assert row.probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=SAME)


def test_real_series_have_rows(shared: Path, tmp_path: Path, tiny_bundle: Path) -> None:
    folder = shared / "data" / "dicom"
    (axial,) = classify(tiny_bundle, folder / "brainix-t1")
    assert (axial.status, axial.plane, axial.n_slices) == (Status.ANSWERED, Plane.AXIAL, 22)
    only = (Plane.SAGITTAL,)
    metadata = replace(TINY_METADATA, planes=only, slice_policy=SlicePolicy(planes=only))
    sagittal_only = write_tiny_bundle(tmp_path / "sagittal.onnx", metadata)
    (refused,) = classify(sagittal_only, folder / "brainix-t1")
    assert refused.status is Status.REFUSED
    assert refused.reason.startswith("plane_not_supported: ")
    (sagittal,) = classify(sagittal_only, folder / "memprage-sagittal")  # the mean of its echoes: one volume
    assert (sagittal.status, sagittal.plane, sagittal.n_slices) == (Status.ANSWERED, Plane.SAGITTAL, 6)
    assert sagittal.header_state == "silent"

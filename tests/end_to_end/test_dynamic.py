"""Whole runs over series of several volumes: a row for each, and one that says where contrast arrives."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from gadoscope.labels import Phase, Plane, SeriesResult, Status
from tests.support.dicom_files import (
    POST,
    PRE,
    Clock,
    dynamic_series,
    multi_echo_series,
    stored_pixels,
    write_instance,
    write_series,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.scan_runs import classify, mean_brightness, window_of, write_bundle_between

nib: Any = nibabel  # has no types
N_VOLUMES, TURNS_AT, N_SLICES = 5, 2, 3
TURN = f"mixed: post-contrast from volume {TURNS_AT} on, of {N_VOLUMES}."
PHASES = [PRE] * TURNS_AT + [POST] * (N_VOLUMES - TURNS_AT)


def _series(clock: Clock = Clock.TEMPORAL_POSITION, turns_at: int = TURNS_AT) -> list[Dataset]:
    return dynamic_series(N_VOLUMES, turns_at, clock=clock, n_slices=N_SLICES)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle whose edge lies between the phantom before and after contrast."""
    datasets = _series()
    middle = N_SLICES // 2
    before = mean_brightness([datasets[middle]])
    after = mean_brightness([datasets[-N_SLICES + middle]])
    return write_bundle_between(tmp_path / "bundle" / "phantom.onnx", before, after)


def _check(rows: list[SeriesResult], *, slices: int = N_SLICES) -> None:
    *volumes, whole = rows
    assert [row.volume_index for row in rows] == [*range(N_VOLUMES), None]
    assert [row.phase for row in volumes] == PHASES
    assert {row.status for row in rows} == {Status.ANSWERED}
    assert {row.n_slices for row in volumes} == {slices}
    assert {row.plane for row in rows} == {Plane.SAGITTAL}
    assert (whole.phase, whole.reason, whole.probability) == (Phase.MIXED, TURN, None)


@pytest.mark.parametrize("clock", Clock)
def test_a_dynamic_series_turns_at_the_volume_where_contrast_arrives(
    clock: Clock, tmp_path: Path, bundle: Path
) -> None:
    write_series(_series(clock), tmp_path / "series")
    _check(classify(bundle, tmp_path / "series"))


def test_a_dynamic_enhanced_object_turns_there_too(tmp_path: Path, bundle: Path) -> None:
    write_instance(enhanced(_series()), tmp_path / "enhanced", syntax=JPEG2000Lossless)
    _check(classify(bundle, tmp_path / "enhanced"))


def test_a_dynamic_legacy_converted_object_turns_there_too(tmp_path: Path, bundle: Path) -> None:
    write_instance(legacy_converted(_series()), tmp_path / "legacy")
    _check(classify(bundle, tmp_path / "legacy"))


def test_a_dynamic_nifti_turns_there_too(tmp_path: Path, bundle: Path) -> None:
    datasets = _series()
    stored = np.stack([stored_pixels(dataset) for dataset in datasets]).astype(np.int16)
    voxels = stored.reshape(N_VOLUMES, N_SLICES, 64, 64).transpose(3, 2, 1, 0)
    # Columns run to the back, rows to the feet, slices to the right: RAS+ for the phantom's sagittal stack.
    affine = np.array([[0, 0, 4.7, 0], [-3.75, 0, 0, 0], [0, -3.75, 0, 0], [0, 0, 0, 1]])
    image = nib.Nifti1Image(voxels, affine)
    image.header["cal_min"], image.header["cal_max"] = window_of(datasets[0])
    nib.save(image, tmp_path / "dynamic.nii.gz")
    _check(classify(bundle, tmp_path / "dynamic.nii.gz"))


@pytest.mark.parametrize(("turns_at", "phase"), [(0, POST), (N_VOLUMES, PRE)])
def test_a_dynamic_series_that_never_turns_has_one_phase(
    turns_at: int, phase: Phase, tmp_path: Path, bundle: Path
) -> None:
    write_series(_series(turns_at=turns_at), tmp_path / "series")
    rows = classify(bundle, tmp_path / "series")
    assert [row.phase for row in rows] == [phase] * (N_VOLUMES + 1)
    assert rows[-1].reason == ""


def test_the_contrast_usage_of_the_frames_is_evidence_for_each_volume(tmp_path: Path, bundle: Path) -> None:
    phases = [str(phase) for phase in PHASES for _ in range(N_SLICES)]
    write_instance(enhanced(_series(), agent_phase=phases), tmp_path / "enhanced")
    rows = classify(bundle, tmp_path / "enhanced")
    states = ["not administered"] * TURNS_AT + ["administered"] * (N_VOLUMES - TURNS_AT)
    assert [row.header_state for row in rows[:-1]] == states
    assert {row.agreement for row in rows[:-1]} == {"agree"}
    assert rows[-1].header_state == "silent"


def test_the_echoes_of_a_series_are_its_volumes(tmp_path: Path, bundle: Path) -> None:
    write_series(multi_echo_series(3, n_slices=4), tmp_path / "series")
    rows = classify(bundle, tmp_path / "series")
    assert [row.volume_index for row in rows] == [0, 1, 2, None]
    assert [row.n_slices for row in rows[:-1]] == [4, 4, 4]
    probabilities = [row.probability for row in rows[:-1] if row.probability is not None]
    assert probabilities == sorted(probabilities, reverse=True)  # each echo is fainter

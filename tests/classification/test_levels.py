"""A slice and a series are decided each on its own scale, by the threshold that was chosen on it."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from gadoscope.classification.dynamic import summarise_volumes
from gadoscope.classification.run import iter_results
from gadoscope.decision.aggregation import Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from tests.support.bundles import TINY_METADATA, TINY_POINT, TINY_SLOPE, write_tiny_bundle

COOL = Calibration("temperature", {"temperature": 2.0})
COOLER = Calibration("temperature", {"temperature": 4.0})
N_SLICES = 5
GREYS = (80, 90, 100, 110, 160)
"""Mean grey of each slice, 0 to 255."""


def metadata() -> BundleMetadata:
    """Return a bundle that calls slices at 0.5 and series, by their highest slice, at 0.9."""
    high = replace(TINY_POINT, threshold=0.9, lower=0.9, upper=0.9)
    decision = Decision(
        of_slice=LevelDecision(point=TINY_POINT, calibration=COOL),
        of_series=LevelDecision(point=high, calibration=COOLER),
        aggregation=Aggregation("max"),
    )
    slice_policy = replace(TINY_METADATA.slice_policy, extent=1.0)
    return replace(TINY_METADATA, slice_policy=slice_policy, decision=decision)


def write_volume(path: Path, greys: tuple[int, ...]) -> Path:
    """Write a volume of noisy axial slices whose grey values are used as they are."""
    noise = np.random.default_rng(0).integers(-9, 10, (40, 40, len(greys)))
    voxels = (np.array(greys) + noise).astype(np.uint8)
    voxels[0, 0], voxels[0, 1] = 0, 255
    image = nib.Nifti1Image(voxels, np.diag([5.0, 5.0, 6.0, 1.0]))  # type: ignore[no-untyped-call]  # nibabel's
    image.header["cal_min"], image.header["cal_max"] = 0, 255
    nib.save(image, path)
    return path


def logit_of_grey(grey: float) -> float:
    return TINY_SLOPE * (grey / 255 - 0.5)


def answer(tmp_path: Path, greys: tuple[int, ...]) -> SeriesResult:
    bundle = write_tiny_bundle(tmp_path / "b.onnx", metadata())
    (row,) = iter_results([write_volume(tmp_path / "t1.nii.gz", greys)], model=bundle, jobs=1)
    return row


def test_a_series_has_the_aggregation_the_calibration_and_the_threshold_of_series(tmp_path: Path) -> None:
    row = answer(tmp_path, GREYS)
    assert row.n_slices_used == N_SLICES
    expected = 1 / (1 + np.exp(-logit_of_grey(max(GREYS)) / 4))
    assert row.probability == pytest.approx(expected, abs=0.01)
    assert (row.status, row.phase) == (Status.ANSWERED, Phase.PRE_CONTRAST)  # 0.65 is below 0.9


def test_a_volume_of_which_one_slice_is_read_is_decided_as_a_slice(tmp_path: Path) -> None:
    row = answer(tmp_path, (160,))
    assert row.n_slices_used == 1
    assert row.probability == pytest.approx(1 / (1 + np.exp(-logit_of_grey(160) / 2)), abs=0.01)
    assert row.phase is Phase.POST_CONTRAST


def test_volumes_that_agree_are_decided_from_their_mean_on_the_scale_of_series(tmp_path: Path) -> None:
    session = Session(write_tiny_bundle(tmp_path / "b.onnx", metadata()))
    rows = [
        SeriesResult(
            path="x",
            plane=Plane.AXIAL,
            n_slices=9,
            n_slices_used=5,
            status=Status.ANSWERED,
            phase=Phase.POST_CONTRAST,
            probability=0.95,
        )
    ] * 2
    row = summarise_volumes(rows, [8.0, 16.0], SeriesResult(path="x", status=Status.FAILED), session)
    assert row.probability == pytest.approx(1 / (1 + np.exp(-12.0 / 4)))
    assert row.phase is Phase.POST_CONTRAST

"""Two volumes in one frame: contrast brightens, movement, noise and gain do not count."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import shift

from benchmarks.study_aware import compare_real_pairs, is_seen
from gadoscope.imaging.enhancement import compare_slices, find_change
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.physics.acquire import Acquisition
from tests.support.dicom_files import MPRAGE_SEED, SPIN_ECHO_SEED, SPOILED_SEED, phantom_scan
from tests.support.volumes import ArrayVolume

POLICY = SlicePolicy()
SEEDS = (MPRAGE_SEED, SPIN_ECHO_SEED, SPOILED_SEED)
SITE_THAT_CHANGED_ITS_SEQUENCE = "TCGA_CS"


def _acquire(seed: int, phase: Phase, plane: Plane = Plane.SAGITTAL) -> Acquisition:
    done = phantom_scan(plane, matrix=128, seed=seed)
    return next(series for series in done.series if series.phase is phase)


def _volume(made: Acquisition, voxels: NDArray[np.float32] | None = None) -> ArrayVolume:
    return ArrayVolume(made.signal if voxels is None else voxels, made.grid.affine)


def _repeat(made: Acquisition, *, moved_mm: float) -> NDArray[np.float32]:
    """Return the same head again: moved within the slice, with new noise and another gain."""
    pixel = made.grid.spacing_mm[1]
    moved = shift(made.signal, (0, moved_mm / pixel, -moved_mm / pixel / 2), order=1)
    noise = made.signal[:, :6, :6].std()
    again = moved + np.random.default_rng(0).normal(0, noise, moved.shape)
    repeated: NDArray[np.float32] = (1.7 * np.abs(again)).astype(np.float32)
    return repeated


# The slow ones' quicker twins are the same heads in the plane that the tests below have made already.
@pytest.mark.parametrize("plane", [Plane.SAGITTAL, pytest.param(Plane.AXIAL, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", SEEDS)
def test_contrast_between_two_series_is_seen_and_never_in_the_wrong_order(seed: int, plane: Plane) -> None:
    pre, post = (_volume(_acquire(seed, phase, plane)) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    onward, back = find_change(pre, post, POLICY), find_change(post, pre, POLICY)
    assert onward is not None
    assert onward.is_enhancement
    assert back is not None
    assert not back.is_enhancement
    assert pre.asked == post.asked == [POLICY.choose_indices(6)] * 2


@pytest.mark.parametrize("phase", [Phase.PRE_CONTRAST, Phase.POST_CONTRAST])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_again_moved_noisier_and_at_another_gain_is_no_enhancement(seed: int, phase: Phase) -> None:
    made = _acquire(seed, phase)
    for moved_mm in (0.0, 1.0, 2.0):
        change = find_change(_volume(made), _volume(made, _repeat(made, moved_mm=moved_mm)), POLICY)
        assert change is not None
        assert not change.is_enhancement, moved_mm


def test_finer_pixels_give_the_same_answer_in_bounded_memory() -> None:
    pre, post = (_acquire(SPIN_ECHO_SEED, phase) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    factor = 10  # 1280 pixels a side
    affine = pre.grid.affine.copy()
    affine[:3, 1:3] /= factor
    fine = [ArrayVolume(_enlarge(one.signal, factor), affine) for one in (pre, post)]
    tracemalloc.start()
    change = find_change(fine[0], fine[1], POLICY)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert change is not None
    assert change.is_enhancement
    assert peak_bytes < 150e6


def _enlarge(signal: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    return signal.repeat(factor, axis=1).repeat(factor, axis=2)


def test_volumes_meet_at_their_places_in_the_patient_not_at_their_indices() -> None:
    pre, post = (_acquire(MPRAGE_SEED, phase) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    straight = find_change(_volume(pre), _volume(post), POLICY)
    turned = ArrayVolume(post.signal[::-1, :, ::-1], post.grid.affine.copy())
    turned.geometry.affine[:3, 3] += post.grid.affine[:3, 0] * 5 + post.grid.affine[:3, 2] * 127
    turned.geometry.affine[:3, [0, 2]] *= -1
    assert find_change(_volume(pre), turned, POLICY) == straight


@pytest.mark.parametrize("off_mm", [(2.0, 0, 0), (500.0, 0, 0), (0, 200.0, 0)], ids=str)
def test_volumes_of_other_places_are_not_compared(off_mm: tuple[float, float, float]) -> None:
    pre, post = (_acquire(MPRAGE_SEED, phase) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    affine = post.grid.affine.copy()
    affine[:3, 3] += off_mm
    far = ArrayVolume(post.signal, affine)
    assert find_change(_volume(pre), far, POLICY) is None
    assert far.asked == [] or off_mm[1]


def test_no_signal_is_no_change() -> None:
    black = np.zeros((2, 32, 32), np.float32)
    assert compare_slices(black, black, np.ones(black.shape, bool), 1.0) is None


@pytest.mark.slow
def test_of_real_pairs_of_one_sequence_nine_in_ten_are_seen_and_none_backwards(shared: Path) -> None:
    pairs = compare_real_pairs(shared / "data" / "manifest.csv")
    alike = [pair for pair in pairs if pair.site != SITE_THAT_CHANGED_ITS_SEQUENCE]
    seen = [(is_seen(pair.onward), is_seen(pair.backward)) for pair in alike]
    assert len(seen) == 58
    assert np.sum(seen, axis=0).tolist() == [52, 0]

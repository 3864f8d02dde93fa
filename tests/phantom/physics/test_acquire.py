"""Acquisitions: what differs between before and after, noise, geometry, and what may not tell the label."""

from dataclasses import replace

import numpy as np
import pytest

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane, Split
from gadoscope.phantom.forms.cohort import PHASES, Cohort, scan
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.regions import INTACT_BARRIER, MAKEUP, Region
from gadoscope.phantom.head.subject import draw_subject
from gadoscope.phantom.physics.acquire import Grid, acquire, make_grid, window
from gadoscope.phantom.physics.scanner import Scanner, Sequence, draw_scanner

MATRIX = 96


@pytest.fixture(scope="module")
def scanned() -> tuple[Head, Scanner, Grid]:
    """Return a head in a scanner without noise and blur, and a grid of thin slices."""
    subject = draw_subject(11, 1)
    scanner = replace(draw_scanner(subject), signal_to_noise=float("inf"), blur_px=0.0, slice_mm=1.0)
    grid = make_grid(scanner, plane=Plane.SAGITTAL, n_slices=3, slice_gap_mm=5.0, matrix=MATRIX)
    return Head(subject), scanner, grid


@pytest.fixture(scope="module")
def exact(scanned: tuple[Head, Scanner, Grid]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pre, post and regions of that scan."""
    pre, post = acquire(*scanned, PHASES)
    return pre.signal, post.signal, pre.regions


def test_before_and_after_differ_just_where_tissue_enhances(
    scanned: tuple[Head, Scanner, Grid], exact: tuple[np.ndarray, ...]
) -> None:
    head, _, grid = scanned
    pre, post, _ = exact
    for index in range(grid.shape[0]):
        parts = head.fractions(grid.slice_positions(index), grid.spacing_mm[1])
        enhancing = sum(part for region, part in parts.items() if MAKEUP[region].enhances)
        share = np.asarray(enhancing).reshape(grid.shape[1:])
        assert (share == 0).mean() > 0.2
        assert np.array_equal(pre[index][share == 0], post[index][share == 0])
        assert (pre[index] != post[index])[share > 0.01].all()


def test_a_dural_sinus_lights_up(exact: tuple[np.ndarray, ...]) -> None:
    pre, post, regions = exact
    sinus = regions == Region.DURAL_SINUS
    assert sinus.any()
    assert (post[sinus] > 1.2 * pre[sinus]).mean() > 0.9


def test_the_brain_enhances_by_its_blood_alone(exact: tuple[np.ndarray, ...]) -> None:
    pre, post, regions = exact
    gain = {
        r: float(np.median(post[regions == r] / pre[regions == r]))
        for r in (Region.WHITE_MATTER, Region.MUCOSA)
    }
    assert Region.WHITE_MATTER in INTACT_BARRIER
    assert 1.0 < gain[Region.WHITE_MATTER] < 1.05
    assert gain[Region.MUCOSA] > 1.15


def test_white_matter_is_one_times_the_coils_sensitivity_and_bone_is_black(
    scanned: tuple[Head, Scanner, Grid], exact: tuple[np.ndarray, ...]
) -> None:
    _, scanner, grid = scanned
    pre, _, regions = exact
    coil = np.stack([scanner.sensitivity(grid.slice_positions(i)) for i in range(grid.shape[0])])
    callosum = regions == Region.CORPUS_CALLOSUM
    assert np.median(pre[callosum] / coil.reshape(grid.shape)[callosum]) == pytest.approx(1.0, abs=1e-3)
    bone = scanner.region_signal(Region.BONE, None) / scanner.region_signal(Region.WHITE_MATTER, None)
    assert bone < 0.05


def test_the_region_map_names_all_that_a_midline_slice_shows(exact: tuple[np.ndarray, ...]) -> None:
    shown = {Region(value) for value in np.unique(exact[2])}
    expected = {
        Region.AIR, Region.FAT, Region.BONE, Region.MARROW, Region.CORTEX, Region.WHITE_MATTER, Region.CSF,
        Region.CORPUS_CALLOSUM, Region.BRAINSTEM, Region.CEREBELLAR_CORTEX, Region.VENTRICLE, Region.TONGUE,
        Region.MUSCLE, Region.MUCOSA, Region.DURAL_SINUS, Region.THALAMUS,
    }  # fmt: skip
    assert expected <= shown


def test_background_noise_follows_rayleigh() -> None:
    subject = draw_subject(11, 1)
    scanner = replace(draw_scanner(subject), signal_to_noise=20.0, blur_px=0.0)
    grid = make_grid(scanner, plane=Plane.SAGITTAL, n_slices=2, slice_gap_mm=5.0, matrix=MATRIX)
    series = acquire(Head(subject), scanner, grid, [Phase.PRE_CONTRAST])[0]
    air = series.signal[:, :12, :12]
    assert (series.regions[:, :12, :12] == Region.AIR).all()
    # Without signal the Rician distribution is Rayleigh's: mean sigma * sqrt(pi / 2).
    assert air.mean() == pytest.approx(np.sqrt(np.pi / 2) / 20.0, rel=0.05)


def test_the_two_images_of_a_subject_share_everything_but_the_agent_and_the_noise() -> None:
    done = scan(Cohort(subjects=3, seed=2, slices=1, matrix=48), 1)
    pre, post = done.series
    assert pre.grid is post.grid
    assert np.array_equal(pre.regions, post.regions)


@pytest.mark.usefixtures("noise_drawn_anew")
def test_a_phase_is_the_same_whether_its_partner_is_made_or_not() -> None:
    cohort = Cohort(subjects=3, seed=2, slices=1, matrix=48)
    both = scan(cohort, 1).series[1].signal
    alone = scan(cohort, 1, [Phase.POST_CONTRAST]).series[0].signal
    assert np.array_equal(both, alone)


def test_scanner_settings_do_not_tell_the_label() -> None:
    cohort = Cohort(subjects=600, seed=4, slices=6)
    settings: dict[Phase, list[list[float]]] = {phase: [] for phase in PHASES}
    for number in cohort.numbers:
        scanner = draw_scanner(cohort.subject(number))
        row = [
            scanner.field_strength_t,
            float(scanner.timing.sequence is Sequence.MPRAGE),
            float(scanner.timing.sequence is Sequence.SPIN_ECHO),
            scanner.slice_mm,
            scanner.field_of_view_mm,
            scanner.signal_to_noise,
            scanner.window_percentile,
            scanner.inflow_per_s,
        ]
        for phase in cohort.classes[number]:
            settings[phase].append(row)
    pre, post = (np.asarray(settings[phase]) for phase in PHASES)
    spread = np.vstack([pre, post]).std(axis=0)
    # Means of equal distributions differ by about spread * sqrt(2 / n): 4 such is next to impossible.
    assert (np.abs(pre.mean(axis=0) - post.mean(axis=0)) / spread < 4 * np.sqrt(2 / len(pre))).all()


def test_every_split_has_both_classes_and_no_subject_stands_in_two() -> None:
    for subjects in (3, 5, 24):
        cohort = Cohort(subjects=subjects, seed=1, slices=1)
        assert sorted(cohort.splits) == list(cohort.numbers)
        for split in Split:
            members = [n for n in cohort.numbers if cohort.splits[n] is split]
            assert {phase for n in members for phase in cohort.classes[n]} == set(PHASES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"subjects": 0}, "subjects = 0 is too small"),
        ({"seed": -1}, "seed = -1 is too small"),
        ({"matrix": 3}, "matrix = 3 is too small"),
        ({"lesions": 2.0}, "lesions = 2.0 is no chance"),
    ],
)
def test_senseless_numbers_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Cohort(**{"subjects": 4, "seed": 1, "slices": 2, **wrong})  # type: ignore[arg-type]  # wrong on purpose


def test_a_window_ends_where_the_scanner_says() -> None:
    scanner = replace(draw_scanner(draw_subject(1, 1)), window_percentile=50.0, window_taste=1.0)
    shown = window(np.linspace(0, 2, 101, dtype=np.float32)[None], scanner)
    assert shown.dtype == np.uint8
    assert shown[0, 50] == 255
    assert shown[0, 25] == 128

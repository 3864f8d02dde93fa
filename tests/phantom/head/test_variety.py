"""Heads that an ordinary cohort lacks: fatty marrow, a fat face, huge ventricles, infants."""

from dataclasses import replace

import numpy as np
import pytest

from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import PHASES, Cohort, scan
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.subject import Subject, draw_subject
from gadoscope.phantom.head.variety import Variety, vary
from gadoscope.phantom.physics.acquire import Acquisition, acquire, make_grid
from gadoscope.phantom.physics.scanner import Scanner, Sequence, Timing, draw_scanner

ORDINARY = draw_subject(5, 1)
FATTY = vary(ORDINARY, Variety(marrow=(1.0, 1.0), facial_fat=(1.0, 1.0)))
WIDE = replace(vary(ORDINARY, Variety(hydrocephalus=1.0)), hydrocephalus=1.0)
NEWBORN = vary(ORDINARY, Variety(infants=1.0))
SPIN_ECHO = Timing(sequence=Sequence.SPIN_ECHO, tr_ms=500.0, te_ms=12.0, flip_deg=90.0)


def exact(subject: Subject) -> Scanner:
    """Return a spin echo without noise, blur or coil."""
    drawn = draw_scanner(subject)
    return replace(
        drawn,
        timing=SPIN_ECHO,
        coil=(0.0,) * 6,
        signal_to_noise=np.inf,
        blur_px=0.0,
        slice_mm=2.0,
        inflow_per_s=0.0,
    )


def take(subject: Subject, plane: Plane = Plane.SAGITTAL, shift_mm: float = 0.0) -> dict[Phase, Acquisition]:
    """Return one slice before and after contrast."""
    scanner = exact(subject)
    grid = make_grid(scanner, plane=plane, n_slices=1, slice_gap_mm=4.0, matrix=96, slice_shift_mm=shift_mm)
    return {series.phase: series for series in acquire(Head(subject), scanner, grid, PHASES)}


def bright(series: Acquisition, region: Region) -> float:
    """Return the median signal where ``region`` fills most of a voxel."""
    return float(np.median(series.signal[series.regions == region]))


def parts_at(subject: Subject, at: tuple[float, float, float]) -> dict[Region, float]:
    """Return what fills a voxel at a place of the template, in a head that was neither turned nor bent."""
    still = replace(
        subject,
        scale=(1.0, 1.0, 1.0),
        rotation=np.eye(3),
        shift_mm=(0.0, 0.0, 0.0),
        waves=np.zeros_like(subject.waves),
        features=(0.0,) * len(subject.features),
    )
    parts = Head(still).fractions(np.asarray([at], float), 1.0)
    return {region: float(part[0]) for region, part in parts.items()}


def test_without_a_wish_a_head_is_what_it_was() -> None:
    plain, asked = draw_subject(5, 1, lesions=0.5), vary(draw_subject(5, 1, lesions=0.5), Variety())
    assert all(
        np.array_equal(getattr(plain, name), getattr(asked, name)) for name in plain.__dataclass_fields__
    )


def test_a_wish_moves_nothing_else_of_a_subject() -> None:
    changed = {
        name
        for name in FATTY.__dataclass_fields__
        if not np.array_equal(getattr(FATTY, name), getattr(ORDINARY, name))
    }
    assert changed == {"marrow", "facial_fat"}
    everything = Variety(marrow=(0.2, 0.9), facial_fat=(0.2, 0.9), hydrocephalus=1.0, infants=0.0)
    alone = Variety(hydrocephalus=1.0)
    assert vary(ORDINARY, everything).hydrocephalus == vary(ORDINARY, alone).hydrocephalus


def test_with_fatty_marrow_the_clivus_is_as_bright_as_scalp_fat_in_both_phases() -> None:
    assert parts_at(FATTY, (0.0, -14.0, -46.0))[Region.FATTY_MARROW] > 0.9
    for series in take(FATTY).values():
        assert bright(series, Region.FATTY_MARROW) == pytest.approx(bright(series, Region.FAT), rel=0.08)
    ordinary = take(ORDINARY)[Phase.PRE_CONTRAST]
    assert bright(ordinary, Region.MARROW) < 0.75 * bright(ordinary, Region.FAT)


@pytest.mark.parametrize(
    "at",
    [
        (24.0, -14.0, -37.0),
        (18.0, -30.0, -73.0),
        (36.0, 30.0, -34.0),
        (17.0, 8.0, -46.0),
        (47.0, -4.0, -50.0),
    ],
)
def test_petrous_apex_condyle_sphenoid_and_jaw_hold_fatty_marrow_on_both_sides(
    at: tuple[float, float, float],
) -> None:
    for side in (-1, 1):
        assert parts_at(FATTY, (side * at[0], *at[1:])).get(Region.FATTY_MARROW, 0.0) > 0.8
        assert Region.FATTY_MARROW not in parts_at(ORDINARY, (side * at[0], *at[1:]))


@pytest.mark.parametrize("at", [(31.0, 50.0, -23.0), (40.0, 46.0, -68.0), (20.0, 2.0, -70.0)])
def test_fat_lies_behind_the_globe_in_the_cheek_and_beside_the_pharynx(
    at: tuple[float, float, float],
) -> None:
    assert parts_at(FATTY, at).get(Region.FAT, 0.0) > 0.9


def test_muscles_of_the_jaw_stay_dark_between_the_fat() -> None:
    assert parts_at(FATTY, (57.0, 16.0, -78.0)).get(Region.MUSCLE, 0.0) > 0.6
    assert parts_at(FATTY, (31.0, 14.0, -56.0)).get(Region.MUSCLE, 0.0) > 0.6


@pytest.mark.parametrize("subject", [FATTY, WIDE, NEWBORN], ids=["fatty", "wide", "newborn"])
def test_fat_is_as_bright_after_contrast_and_mucosa_is_brighter(subject: Subject) -> None:
    before, after = take(subject).values()
    np.testing.assert_array_equal(before.regions, after.regions)
    assert bright(after, Region.FAT) == pytest.approx(bright(before, Region.FAT), rel=0.06)
    assert bright(after, Region.MUCOSA) > 1.3 * bright(before, Region.MUCOSA)


@pytest.mark.parametrize(
    ("plane", "shift_mm"), [(Plane.SAGITTAL, 8.0), (Plane.CORONAL, -10.0), (Plane.AXIAL, 52.0)]
)
def test_huge_ventricles_are_huge_in_every_plane_and_leave_a_mantle(plane: Plane, shift_mm: float) -> None:
    before, after = (
        Counted(take(subject, plane, shift_mm)[Phase.PRE_CONTRAST].regions) for subject in (ORDINARY, WIDE)
    )
    assert after[Region.VENTRICLE] > 4 * before[Region.VENTRICLE]
    assert after[Region.CORTEX] > 0.3 * before[Region.CORTEX]


class Counted:
    """Voxels of each region of a map."""

    def __init__(self, regions: np.ndarray) -> None:
        self._counts = np.bincount(regions.ravel(), minlength=max(Region) + 1)

    def __getitem__(self, region: Region) -> int:
        return int(self._counts[region])


def test_a_newborn_has_white_matter_darker_than_cortex_a_small_head_and_little_fatty_marrow() -> None:
    newborn = replace(NEWBORN, infancy=1.0)
    slice_ = take(newborn, Plane.AXIAL, 50.0)[Phase.PRE_CONTRAST]
    assert bright(slice_, Region.UNMYELINATED_WHITE_MATTER) < bright(slice_, Region.CORTEX)
    grown = take(ORDINARY, Plane.AXIAL, 50.0)[Phase.PRE_CONTRAST]
    assert bright(grown, Region.WHITE_MATTER) > bright(grown, Region.CORTEX)
    assert np.prod(NEWBORN.scale) < 0.8 * np.prod(ORDINARY.scale)
    assert parts_at(newborn, (0.0, -14.0, -38.0)).get(Region.RED_MARROW, 0.0) > 0.9
    assert parts_at(newborn, (0.0, 14.0, -34.0)).get(Region.AIR, 0.0) < 0.5  # no sphenoid sinus yet


def test_slices_lie_where_the_extent_says_and_every_subject_of_a_paired_cohort_shows_both_phases() -> None:
    cohort = Cohort(
        subjects=5, seed=4, slices=3, matrix=32, plane=Plane.CORONAL, extent_mm=(-84.0, 66.0), paired=True,
        field_of_view_mm=(160.0, 160.0), slice_mm=(4.5, 4.5),
    )  # fmt: skip
    scanner = cohort.scanner(cohort.subject(1))
    grid, plain = cohort.grid(scanner), make_grid(
        scanner, plane=Plane.CORONAL, n_slices=1, slice_gap_mm=1.0, matrix=32
    )  # fmt: skip
    middle = float(np.mean(plain.slice_positions(0)[:, 1]))
    places = [float(np.mean(grid.slice_positions(index)[:, 1])) - middle for index in range(3)]
    assert places == pytest.approx([59.0, 9.0, -41.0])  # RAS+: towards the back is less
    assert (grid.spacing_mm[1], grid.slice_mm) == (5.0, 4.5)
    assert set(cohort.classes.values()) == {PHASES}


def test_an_infant_is_scanned_in_a_smaller_field() -> None:
    infants = Cohort(subjects=1, seed=4, slices=4, matrix=32, infants=1.0, whole_head=True)
    small, usual = (scan(one, 1).series[0].grid for one in (infants, replace(infants, infants=0.0)))
    assert small.spacing_mm[1] < usual.spacing_mm[1]
    assert small.spacing_mm[0] < usual.spacing_mm[0]


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"marrow": (0.5, 1.5)}, r"marrow = \(0.5, 1.5\) is no range; give two numbers from 0 to 1, rising"),
        ({"facial_fat": (0.5, 0.2)}, "facial_fat = .* is no range"),
        ({"hydrocephalus": 2.0}, "hydrocephalus = 2.0 is no chance; give a number from 0 to 1"),
        ({"infants": -1.0}, "infants = -1.0 is no chance"),
        ({"slice_mm": (0.0, 3.0)}, "slice_mm = .* is no range; give two numbers above 0, rising"),
        ({"extent_mm": (3.0, 3.0)}, "extent_mm = .* is no extent; give two numbers, rising"),
    ],
)
def test_a_wish_out_of_range_is_refused(wish: dict[str, object], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Cohort(subjects=1, seed=1, slices=1, **wish)  # type: ignore[arg-type]  # what is wrong is the claim

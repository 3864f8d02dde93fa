"""Suppressed fat darkens the rim of a head, a cyst fills a part of it: both where the head is."""

import cmath
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import label

from gadoscope.training.augmentation.strong.head import (
    BRIGHTEST,
    SOFTNESS,
    WAVES,
    WITH_BRIGHT_FAT,
    brighten_fat,
    darken_fat,
    fill_lobes,
    put_bright_lesion,
    put_cyst,
    suppress_fat,
)
from gadoscope.training.tissues import find_air, find_near_air

SIDE = 104
SKULL, BRAIN = 200.0, 100.0
RADII = SIDE * 0.45, SIDE * 0.40
"""Of the skull and of the brain, pixels: fat of 5 % of the side around."""

Pixels = NDArray[np.float32]

row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
RADIUS = np.hypot(row, column)
HEAD: Pixels = np.select([RADII[1] > RADIUS, RADII[0] > RADIUS], [BRAIN, SKULL], 0).astype(np.float32)
NEAR_AIR = find_near_air(find_air(HEAD.astype(np.uint8)))
FAT, DEEP = HEAD == SKULL, RADIUS < SIDE * 0.3


def test_suppressed_fat_is_darker_beside_the_brain_than_it_was() -> None:
    for seed in range(20):
        suppressed = suppress_fat(HEAD, NEAR_AIR, 1.0, np.random.default_rng(seed))
        amount = np.random.default_rng(seed).uniform(0.5, 1)
        ratio = np.median(suppressed[FAT]) / suppressed[DEEP].mean()
        assert ratio == pytest.approx(SKULL / BRAIN * (1 - amount), rel=0.01)


def test_muscle_and_skin_stay_as_they_are_beside_the_brain_when_fat_is_suppressed() -> None:
    head = np.where(FAT, np.float32(0.6 * BRAIN), HEAD)
    np.testing.assert_array_equal(darken_fat(head, NEAR_AIR, 0.9)[FAT], head[FAT])


def test_a_picture_without_a_head_has_no_fat() -> None:
    blank = np.zeros((SIDE, SIDE), np.float32)
    np.testing.assert_array_equal(darken_fat(blank, np.ones_like(blank), 0.9), blank)


def test_what_suppressed_fat_leaves_is_as_bright_as_the_whole_was() -> None:
    suppressed = suppress_fat(HEAD, NEAR_AIR, 1.0, np.random.default_rng(1))
    assert np.percentile(suppressed, BRIGHTEST) == pytest.approx(np.percentile(HEAD, BRIGHTEST), rel=0.02)
    assert np.ptp(suppressed[DEEP]) == 0


def test_a_vessel_deep_in_the_brain_stays_brighter_by_as_much_when_fat_is_suppressed() -> None:
    head = HEAD.copy()
    head[50:54, 60:64] = 180
    suppressed = suppress_fat(head, NEAR_AIR, 1.0, np.random.default_rng(2))
    assert suppressed[51, 61] / suppressed[40, 40] == pytest.approx(1.8, rel=1e-5)


def test_fluid_is_one_dark_patch_or_two_mirrored_ones_in_the_head_and_no_larger_than_its_range() -> None:
    reach, n_changed, n_mirrored = 0.16, [], 0
    for seed in range(40):
        filled = put_cyst(HEAD, NEAR_AIR, reach, np.random.default_rng(seed))
        changed = filled != HEAD
        patches, n_patches = label(changed)
        is_mirrored = np.array_equal(changed, changed[:, ::-1])
        if is_mirrored:
            n_mirrored += 1
            assert n_patches <= 2
            changed = patches == 1
        else:
            assert n_patches == 1
        assert not changed[RADII[0] < RADIUS].any()
        assert 0.1 * BRAIN <= filled[changed].min() <= 0.5 * BRAIN
        rows, columns = np.nonzero(changed)
        is_joined = is_mirrored and n_patches == 1  # two that meet at the midline
        longest = np.ptp(rows) if is_joined else max(np.ptp(rows), np.ptp(columns))
        assert longest < 2 * reach * SIDE * 2  # lobes and a soft edge reach further
        n_changed.append(changed.sum())
    assert np.std(n_changed) > 0.3 * np.mean(n_changed)
    assert 8 <= n_mirrored <= 24


def test_fluid_ends_at_its_wavy_edge_on_every_side() -> None:
    generator = np.random.default_rng(3)
    for _ in range(60):
        centre = tuple(generator.integers(0, SIDE, 2).tolist())
        (wide, high), turn = generator.uniform(2, 40, 2).tolist(), generator.uniform(0, 2 * math.pi)
        lobes = [(n, highest * generator.random(), generator.uniform(0, 2 * math.pi)) for n, highest in WAVES]
        share = fill_lobes(SIDE, centre, (wide, high), turn, lobes)
        for row, column in generator.integers(0, SIDE, (200, 2)).tolist():
            place = complex(column - centre[1], row - centre[0]) * cmath.exp(-1j * turn)
            stretched = complex(place.real / wide, place.imag / high)
            waves = [1 + height * math.cos(n * cmath.phase(stretched) + phase) for n, height, phase in lobes]
            depth = 1 - abs(stretched) * math.prod(waves)
            assert share[row, column] == pytest.approx(min(max(0.5 + depth / SOFTNESS, 0), 1), abs=1e-3)


def test_a_picture_without_a_head_gets_no_cyst() -> None:
    blank = np.zeros((SIDE, SIDE), np.float32)
    filled = put_cyst(blank, find_near_air(find_air(blank.astype(np.uint8))), 0.16, np.random.default_rng(0))
    np.testing.assert_array_equal(filled, blank)


def test_bright_fat_is_white_beside_a_brain_in_which_nothing_else_changes() -> None:
    head = HEAD.copy()
    head[50:54, 60:64] = 180  # a vessel
    for seed in range(20):
        shown = brighten_fat(head, NEAR_AIR, 1.0, np.random.default_rng(seed))
        dimmed = shown[DEEP] / head[DEEP]
        assert WITH_BRIGHT_FAT[0] <= dimmed.min() <= dimmed.max() <= WITH_BRIGHT_FAT[1]
        assert np.ptp(dimmed) < 1e-5
        assert np.median(shown[FAT]) > 1.2 * SKULL / BRAIN * np.median(shown[DEEP]) * 0.8
        assert shown.max() <= 255


def test_fat_that_shines_is_brighter_beside_the_brain_than_it_was() -> None:
    ratios = []
    for seed in range(40):
        shown = brighten_fat(HEAD, NEAR_AIR, 1.0, np.random.default_rng(seed))
        ratios.append(np.median(shown[FAT]) / np.median(shown[DEEP]))
    assert min(ratios) > SKULL / BRAIN
    assert max(ratios) > 1.5 * SKULL / BRAIN


def test_a_bright_lesion_is_brighter_than_the_brain_and_never_beyond_white() -> None:
    for seed in range(20):
        filled = put_bright_lesion(HEAD, NEAR_AIR, 0.1, np.random.default_rng(seed))
        changed = (filled != HEAD) & DEEP
        assert filled.max() <= 255
        assert (filled[changed] > BRAIN).all()

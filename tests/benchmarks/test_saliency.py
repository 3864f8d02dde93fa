"""The table of regions: every region once, shares that add up, and a truth that is the contrast's doing."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.saliency_regions import (
    GROUPS,
    REACH,
    Case,
    exchange_groups,
    find_groups,
    is_near_truth,
    share_by_group,
    strongest,
)
from gadoscope.inference.session import Session
from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.head.regions import MAKEUP, Region

NAMES = list(GROUPS)


def test_every_region_stands_in_one_group() -> None:
    assert Counter(region for members in GROUPS.values() for region in members) == Counter(Region)


def test_the_last_three_groups_do_not_enhance() -> None:
    assert not any(MAKEUP[region].enhances for name in NAMES[-3:] for region in GROUPS[name])
    assert all(MAKEUP[region].enhances for name in NAMES[:-3] for region in GROUPS[name])


def test_air_beside_mucosa_is_an_airways_and_air_far_from_it_is_not() -> None:
    regions = np.full((40, 40), Region.AIR, np.uint8)
    regions[10, 10] = Region.MUCOSA
    groups = find_groups(regions, pixel_mm=1.0)
    assert NAMES[groups[10, 10]] == "mucosa and cartilage"
    assert NAMES[groups[12, 12]] == "airways"
    assert NAMES[groups[35, 35]] == "air around the head"


def test_evidence_for_the_other_phase_is_not_counted() -> None:
    groups = np.array([[0, 1], [2, 2]], np.uint8)
    evidence = np.array([[3.0, -5.0], [0.5, 0.5]], np.float32)
    post = share_by_group(evidence, groups, Phase.POST_CONTRAST)
    pre = share_by_group(evidence, groups, Phase.PRE_CONTRAST)
    assert_allclose(post[:3], [0.75, 0.0, 0.25])
    assert_allclose(pre[:3], [0.0, 1.0, 0.0])
    assert np.isnan(share_by_group(np.zeros((2, 2), np.float32), groups, Phase.PRE_CONTRAST)).all()


def test_what_a_slice_does_not_hold_cannot_be_what_decided() -> None:
    """Group 1 has the most truth, but no pixel; group 2 is the decisive one of those that are there."""
    groups = np.zeros((100, 100), np.uint8)
    groups[50, 50] = 2
    truth = np.full(len(GROUPS), -1.0)
    truth[1:3] = 9.0, 5.0
    case = Case(Phase.POST_CONTRAST, np.zeros((100, 100), np.uint8), {}, groups, truth)
    near = is_near_truth(case)
    assert near[50, 50 + REACH]
    assert not near[50, 50 + REACH + 1]


def test_the_strongest_evidence_for_pre_contrast_is_the_most_negative() -> None:
    evidence = np.array([[3.0, -5.0], [0.5, 0.5]], np.float32)
    assert strongest(evidence, Phase.POST_CONTRAST) == (0, 0)
    assert strongest(evidence, Phase.PRE_CONTRAST) == (0, 1)


@pytest.mark.parametrize("phase", [0, 1])
def test_what_the_groups_do_adds_up_to_what_all_do_for_a_network_that_adds(
    tiny_bundle: Path, phase: int
) -> None:
    """The tiny bundle's logit is linear in the pixels, so exchanging groups one by one must add up."""
    session = Session(tiny_bundle)
    done = scan(Cohort(subjects=1, seed=3, slices=1), 1)
    own, other = done.series[phase], done.series[1 - phase]
    groups = find_groups(own.regions[0], own.grid.spacing_mm[1])
    everything = np.zeros_like(groups)
    one_by_one = exchange_groups(own.signal[0], other.signal[0], groups, done.scanner, session)
    together = exchange_groups(own.signal[0], other.signal[0], everything, done.scanner, session)
    assert_allclose(one_by_one.sum(), together[0], rtol=1e-4)
    assert bool(together[0] > 0) is (phase == 1)

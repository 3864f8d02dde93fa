"""The benchmark of fat from dim to saturating, and the phantom whose fat has a gain."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.bright_fat import N_SLICES, PLANES, Shown, iter_shown, tally_answers
from gadoscope.errors import UsageError
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import PHASES, Cohort, scan
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.physics.scanner import draw_scanner

PRE, POST = PHASES
GAINS = (0.3, 1.0, 3.0)


def test_each_head_is_shown_with_every_gain_and_its_fat_alone_differs() -> None:
    shown = list(iter_shown(1, matrix=48, gains=GAINS))
    assert len(shown) == len(PLANES) * len(GAINS) * len(PHASES) * N_SLICES
    assert len({one.pixels.tobytes() for one in shown}) == len(shown)


def test_a_gain_makes_fat_and_marrow_brighter_by_as_much_in_both_phases_and_nothing_else() -> None:
    cohort = Cohort(subjects=1, seed=5, slices=1)
    subject = cohort.subject(1)
    plain = draw_scanner(subject)
    bright = replace(plain, fat_gain=2.0)
    for injection in (None, subject.injection):
        for region in (Region.WHITE_MATTER, Region.CSF):
            assert bright.region_signal(region, injection) == plain.region_signal(region, injection)
        ratio = bright.region_signal(Region.FAT, injection) / plain.region_signal(Region.FAT, injection)
        assert 1.85 < ratio < 2


def test_the_gain_of_fat_is_drawn_for_a_subject_and_moves_no_other_draw() -> None:
    cohort = Cohort(subjects=20, seed=5, slices=1, fat_gain=(0.4, 3.0))
    gains = []
    for number in cohort.numbers:
        subject = cohort.subject(number)
        drawn = draw_scanner(subject, cohort.fat_gain)
        assert replace(drawn, fat_gain=1.0) == draw_scanner(subject)
        gains.append(drawn.fat_gain)
    assert 0.4 <= min(gains) < 0.8
    assert 1.5 < max(gains) <= 3


def test_a_phantom_is_what_it_was_where_no_gain_is_asked_for() -> None:
    cohort = Cohort(subjects=1, seed=5, slices=1, matrix=32)
    plain, asked = (scan(one, 1) for one in (cohort, replace(cohort, fat_gain=(1.0, 1.0))))
    for one, other in zip(plain.series, asked.series, strict=True):
        np.testing.assert_array_equal(one.signal, other.signal)


@pytest.mark.parametrize("gain", [(0.0, 1.0), (2.0, 1.0)])
def test_a_range_of_gains_that_is_none_is_refused(gain: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match=r"fat_gain = .* is no range; give two numbers above 0, rising"):
        Cohort(subjects=1, seed=1, slices=1, fat_gain=gain)


def test_a_change_counts_where_both_are_answered_and_a_refused_slice_is_silent() -> None:
    blank = np.zeros((2, 2), np.uint8)
    answers = [
        (Shown(1, 0, Plane.AXIAL, PRE, gain, blank), phase)
        for gain, phase in ((1.0, PRE), (0.3, PRE), (1.7, POST), (3.0, None), (0.6, Phase.INDETERMINATE))
    ]
    (tally,) = tally_answers(answers).values()
    assert (tally.n, tally.n_answered_twice, tally.n_changed, tally.n_wrong, tally.n_silent) == (
        4,
        2,
        1,
        1,
        2,
    )

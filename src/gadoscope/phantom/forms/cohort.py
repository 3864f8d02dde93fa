"""A cohort: how many subjects, who belongs to which split and class, and what each one's scans are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gadoscope.errors import UsageError
from gadoscope.labels import Label, Phase, Plane, Split
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.subject import Subject, draw_subject
from gadoscope.phantom.physics.acquire import Acquisition, Grid, acquire, make_grid
from gadoscope.phantom.physics.scanner import Scanner, draw_scanner

# Parts of the subjects, as in the lesson: a fifth of what is not test is for validation.
TEST_PART, VALIDATION_PART = 0.25, 0.2
# Fewer subjects cannot stand in all three splits.
FEWEST_SUBJECTS = 3
# Sagittal slices of a lesson lie this far from the midline at most, on either side.
NEAR_MIDLINE_MM = 14.0
# A volume spans this much of a head from side to side, top to bottom, front to back.
VOLUME_SPAN_MM = {Plane.SAGITTAL: 156.0, Plane.AXIAL: 200.0, Plane.CORONAL: 210.0}
# Slices of the brain span this much, around a middle that lies so far from the field of view's.
BRAIN_SPAN_MM = {Plane.SAGITTAL: 100.0, Plane.AXIAL: 95.0, Plane.CORONAL: 125.0}
BRAIN_SHIFT_MM = {Plane.SAGITTAL: 0.0, Plane.AXIAL: 34.0, Plane.CORONAL: -2.0}
PHASES = (Phase.PRE_CONTRAST, Phase.POST_CONTRAST)
LABEL = {Phase.PRE_CONTRAST: Label.PRE, Phase.POST_CONTRAST: Label.POST}
PLAN = 9_000_001
"""Stream of the cohort's own random numbers: no subject has this number."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """What to make.

    Parameters
    ----------
    subjects
        How many; ids are ``sub-001`` and so on.
    seed
        All that is random follows from it.
    slices
        Per subject and phase.
    matrix
        Rows and columns of a slice.
    plane
        Orientation of the slices.
    lesions
        Chance that a subject has a lesion, 0 to 1.
    whole_head
        Whether the slices span the head, or lie near the midline.
    brain
        Whether they span the brain instead, so that every slice shows it.
    fat_gain
        From where to where the scanners' gain of fat is drawn: fat says nothing of the phase.

    Raises
    ------
    UsageError
        If a number is out of range.
    """

    subjects: int
    seed: int
    slices: int
    matrix: int = 256
    plane: Plane = Plane.SAGITTAL
    lesions: float = 0.3
    whole_head: bool = False
    brain: bool = False
    fat_gain: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self) -> None:
        for name, least in (("subjects", 1), ("seed", 0), ("slices", 1), ("matrix", 16)):
            value = getattr(self, name)
            if value < least:
                raise UsageError(f"{name} = {value} is too small; it must be {least} or more.")
        if not 0 <= self.lesions <= 1:
            raise UsageError(f"lesions = {self.lesions} is no chance; give a number from 0 to 1.")
        if not 0 < self.fat_gain[0] <= self.fat_gain[1]:
            raise UsageError(f"fat_gain = {self.fat_gain} is no range; give two numbers above 0, rising.")

    @property
    def numbers(self) -> range:
        """Return the subjects' numbers."""
        return range(1, self.subjects + 1)

    @cached_property
    def splits(self) -> dict[int, Split]:
        """Return the split of each subject; a subject stands in one split only.

        Raises
        ------
        UsageError
            If there are too few subjects for three splits.
        """
        if self.subjects < FEWEST_SUBJECTS:
            raise UsageError(
                f"{self.subjects} subjects cannot be split into train, validation and test; "
                f"ask for {FEWEST_SUBJECTS} or more."
            )
        order = [int(n) + 1 for n in np.random.default_rng([self.seed, PLAN]).permutation(self.subjects)]
        n_test = max(1, round(TEST_PART * self.subjects))
        n_validation = max(1, round(VALIDATION_PART * (self.subjects - n_test)))
        ends = {Split.TEST: order[:n_test], Split.VALIDATION: order[n_test : n_test + n_validation]}
        splits = dict.fromkeys(order, Split.TRAIN)
        splits.update({number: split for split, numbers in ends.items() for number in numbers})
        return splits

    @cached_property
    def classes(self) -> dict[int, tuple[Phase, ...]]:
        """Return the phases each subject shows in a lesson: both, only the first or only the second.

        In every split the first subject shows both, so that no class is missing anywhere.
        """
        cycle = (PHASES, PHASES[:1], PHASES[1:])
        seen = dict.fromkeys(Split, 0)
        classes: dict[int, tuple[Phase, ...]] = {}
        for number in self.numbers:
            split = self.splits[number]
            classes[number] = cycle[seen[split] % len(cycle)]
            seen[split] += 1
        return classes

    def subject(self, number: int) -> Subject:
        """Return subject ``number``, from 1."""
        return draw_subject(self.seed, number, lesions=self.lesions)

    def grid(self, scanner: Scanner) -> Grid:
        """Return where a subject's slices lie."""
        span = VOLUME_SPAN_MM[self.plane] if self.whole_head else 2 * NEAR_MIDLINE_MM
        if self.brain:
            span = BRAIN_SPAN_MM[self.plane]
        gap = span / self.slices if self.slices > 1 else span
        return make_grid(
            scanner,
            plane=self.plane,
            n_slices=self.slices,
            slice_gap_mm=gap,
            matrix=self.matrix,
            slice_shift_mm=BRAIN_SHIFT_MM[self.plane] if self.brain else 0.0,
        )


@dataclass(frozen=True)
class Scan:
    """All series of one subject.

    Parameters
    ----------
    subject, scanner
        Who, and in what.
    series
        One acquisition per phase asked for.
    """

    subject: Subject
    scanner: Scanner
    series: tuple[Acquisition, ...]


def scan(cohort: Cohort, number: int, phases: Sequence[Phase] = PHASES) -> Scan:
    """Scan subject ``number`` of the cohort once per phase."""
    subject = cohort.subject(number)
    scanner = draw_scanner(subject, cohort.fat_gain)
    series = acquire(Head(subject), scanner, cohort.grid(scanner), phases)
    return Scan(subject, scanner, tuple(series))

"""A cohort: how many subjects, who belongs to which split and class, and what each one's scans are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gadoscope.errors import UsageError
from gadoscope.labels import Label, Phase, Plane, Split
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.subject import VIEW, Subject, draw_subject
from gadoscope.phantom.head.variety import Variety, vary
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
INFANT_FIELD = 0.75
"""Field of view of a newborn against an adult's."""
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
    marrow, facial_fat, hydrocephalus, infants
        Heads that are not ordinary, as ``Variety`` describes them.
    field_of_view_mm, slice_mm
        From where to where the scanners' are drawn instead of their own, such as 150 to 190 mm for orbits.
    extent_mm
        From where to where slices lie, from the middle of the field of view towards the left, the vertex or
        the back, instead of what ``whole_head`` and ``brain`` say.
    paired
        Whether every subject shows both phases, also where others show one.

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
    marrow: tuple[float, float] = (0.0, 0.0)
    facial_fat: tuple[float, float] = (0.0, 0.0)
    hydrocephalus: float = 0.0
    infants: float = 0.0
    field_of_view_mm: tuple[float, float] | None = None
    slice_mm: tuple[float, float] | None = None
    extent_mm: tuple[float, float] | None = None
    paired: bool = False

    def __post_init__(self) -> None:
        for name, least in (("subjects", 1), ("seed", 0), ("slices", 1), ("matrix", 16)):
            value = getattr(self, name)
            if value < least:
                raise UsageError(f"{name} = {value} is too small; it must be {least} or more.")
        for name in ("lesions", "hydrocephalus", "infants"):
            if not 0 <= (chance := getattr(self, name)) <= 1:
                raise UsageError(f"{name} = {chance} is no chance; give a number from 0 to 1.")
        for name in ("fat_gain", "field_of_view_mm", "slice_mm"):
            if (limits := getattr(self, name)) and not 0 < limits[0] <= limits[1]:
                raise UsageError(f"{name} = {limits} is no range; give two numbers above 0, rising.")
        for name in ("marrow", "facial_fat"):
            if not 0 <= (limits := getattr(self, name))[0] <= limits[1] <= 1:
                raise UsageError(f"{name} = {limits} is no range; give two numbers from 0 to 1, rising.")
        if self.extent_mm and not self.extent_mm[0] < self.extent_mm[1]:
            raise UsageError(f"extent_mm = {self.extent_mm} is no extent; give two numbers, rising.")

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
        cycle = (PHASES,) if self.paired else (PHASES, PHASES[:1], PHASES[1:])
        seen = dict.fromkeys(Split, 0)
        classes: dict[int, tuple[Phase, ...]] = {}
        for number in self.numbers:
            split = self.splits[number]
            classes[number] = cycle[seen[split] % len(cycle)]
            seen[split] += 1
        return classes

    def subject(self, number: int) -> Subject:
        """Return subject ``number``, from 1."""
        variety = Variety(
            marrow=self.marrow,
            facial_fat=self.facial_fat,
            hydrocephalus=self.hydrocephalus,
            infants=self.infants,
        )
        return vary(draw_subject(self.seed, number, lesions=self.lesions), variety)

    def scanner(self, subject: Subject) -> Scanner:
        """Return the scanner that a subject of the cohort lies in."""
        scanner = draw_scanner(subject, self.fat_gain)
        generator = subject.generator(VIEW)
        field_of_view = _draw(generator, self.field_of_view_mm, scanner.field_of_view_mm)
        return replace(
            scanner,
            field_of_view_mm=field_of_view * _scan_scale(subject),  # a small head is scanned in a small field
            slice_mm=_draw(generator, self.slice_mm, scanner.slice_mm),
        )

    def grid(self, scanner: Scanner, subject: Subject | None = None) -> Grid:
        """Return where slices lie: an adult's, or those of ``subject``, who may be small."""
        scale = 1.0 if subject is None else _scan_scale(subject)
        shift = BRAIN_SHIFT_MM[self.plane] if self.brain else 0.0
        span = VOLUME_SPAN_MM[self.plane] if self.whole_head else 2 * NEAR_MIDLINE_MM
        if self.brain:
            span = BRAIN_SPAN_MM[self.plane]
        if self.extent_mm:
            span, shift = self.extent_mm[1] - self.extent_mm[0], sum(self.extent_mm) / 2
        span, shift = span * scale, shift * scale
        gap = span / self.slices if self.slices > 1 else span
        return make_grid(
            scanner,
            plane=self.plane,
            n_slices=self.slices,
            slice_gap_mm=gap,
            matrix=self.matrix,
            slice_shift_mm=shift,
        )


def _draw(generator: np.random.Generator, limits: tuple[float, float] | None, usual: float) -> float:
    """Return a number between ``limits``, or the ``usual`` one without; it is drawn in either case."""
    drawn = float(generator.uniform(*(limits or (0.0, 1.0))))
    return drawn if limits else usual


def _scan_scale(subject: Subject) -> float:
    """Return how large a subject's field of view is against an adult's."""
    return 1 - (1 - INFANT_FIELD) * subject.infancy


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
    scanner = cohort.scanner(subject)
    series = acquire(Head(subject), scanner, cohort.grid(scanner, subject), phases)
    return Scan(subject, scanner, tuple(series))

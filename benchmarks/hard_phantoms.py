"""Phantoms of what a default model gets wrong: bright things before contrast, and stacks without a brain.

    python -m benchmarks.hard_phantoms src/gadoscope/weights/default.onnx

*Bright*: something bright on T1 that is no enhancement (blood, protein, fat) lies in the brain, at the same
place with the same grey before and after contrast, and fat has any gain: prints sensitivity and specificity
by plane, every decision counted, as `benchmarks.hospitals` counts. *Heads*: the same of heads with fatty
marrow of the skull base, with fat orbits in a small field of view, with huge ventricles, and of infants.
*Stacks*: whole series of the skull base alone, of the pituitary and of the orbits, in small fields of view,
through the door that `classify` has: answered or silent, but not firmly wrong.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.bright_fat import MATRIX, PLANES
from benchmarks.default_copies import Pixels
from benchmarks.hospitals import REFUSED, Answer, answer_of
from gadoscope.classification.classifier import Classifier
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.phantom.forms.cohort import LABEL, PHASES, Cohort, scan
from gadoscope.phantom.forms.nifti import write_volume
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.physics.acquire import acquire, make_grid, window
from gadoscope.phantom.physics.scanner import draw_scanner
from gadoscope.preparation.items import Item
from gadoscope.training.augmentation.strong.head import put_bright_lesion
from gadoscope.training.tissues import find_air, find_near_air
from recipes.default.hard_heads import FAT_GAIN

SEED: Final = 4712
"""No cohort of the training data has it."""
N_HEADS, N_SLICES = 12, 3
LARGEST_RADIUS: Final = 0.1
"""Of the bright thing, as a share of the image's side."""


@dataclass(frozen=True)
class Stack:
    """A series that covers a part of the head only.

    ``shift_mm`` is from the middle of the phantom's view towards the last slice: to the left, the vertex or
    the back.
    """

    name: str
    plane: Plane
    shift_mm: float
    gap_mm: float
    n_slices: int
    field_mm: float


@dataclass(frozen=True)
class Kind:
    """Heads of one kind, and where slices of them lie: from where to where in each plane, mm."""

    name: str
    cohort: Cohort
    extent_mm: Mapping[Plane, tuple[float, float]]


FATTY: Final = (0.7, 1.0)
"""Of the marrow, and of the fat that a face can have."""
HEADS: Final = Cohort(
    subjects=N_HEADS, seed=SEED, slices=N_SLICES, matrix=MATRIX, lesions=0.5, fat_gain=FAT_GAIN, paired=True
)
FATTY_HEADS: Final = replace(HEADS, marrow=FATTY, facial_fat=FATTY)
WHOLE_MM: Final = {Plane.SAGITTAL: (-45.0, 45.0), Plane.AXIAL: (-10.0, 70.0), Plane.CORONAL: (-60.0, 50.0)}
BASE_MM: Final = {Plane.SAGITTAL: (-54.0, 54.0), Plane.AXIAL: (-28.0, 4.0), Plane.CORONAL: (-34.0, 20.0)}
ORBITS_MM: Final = {Plane.SAGITTAL: (20.0, 44.0), Plane.AXIAL: (-18.0, 0.0), Plane.CORONAL: (-82.0, -52.0)}
KINDS: Final = (
    Kind("skull base", FATTY_HEADS, BASE_MM),
    Kind("orbits", replace(FATTY_HEADS, field_of_view_mm=(150.0, 200.0)), ORBITS_MM),
    Kind("huge ventricles", replace(HEADS, hydrocephalus=1.0), WHOLE_MM),
    Kind("infants", replace(HEADS, infants=1.0), WHOLE_MM),
)
STACKS: Final = (
    Stack("skull base, axial", Plane.AXIAL, -16.0, 3.3, 14, 230.0),
    Stack("skull base, coronal", Plane.CORONAL, 0.0, 3.3, 14, 180.0),
    Stack("pituitary, coronal", Plane.CORONAL, -14.0, 2.5, 12, 160.0),
    Stack("pituitary, sagittal", Plane.SAGITTAL, 0.0, 2.5, 11, 160.0),
    Stack("orbits, axial", Plane.AXIAL, -4.0, 3.0, 12, 160.0),
    Stack("orbits, coronal", Plane.CORONAL, -62.0, 3.0, 14, 160.0),
)


def main() -> None:
    """Scan, ask, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--heads", type=int, default=N_HEADS)
    arguments = parser.parse_args()
    session = Session(arguments.bundle)
    print("| plane | slices a phase | specificity | sensitivity | silent errors | silent | refused |")
    print("|---|---|---|---|---|---|---|")
    for plane in PLANES:
        slices = iter_bright(plane, arguments.heads)
        print(format_bright(plane, [judge(session, pixels, phase, plane) for phase, pixels in slices]))
    print(
        "\n| heads, plane | slices a phase | specificity | sensitivity | silent errors | silent | refused |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind, plane in product(KINDS, PLANES):
        heads = iter_heads(kind, plane, arguments.heads)
        answers = [judge(session, pixels, phase, plane) for phase, pixels in heads]
        print(format_bright(f"{kind.name}, {plane}", answers))
    print("\n| stack | series | right | silent | refused | wrong |\n|---|---|---|---|---|---|")
    with Classifier(arguments.bundle) as classifier:
        for stack in STACKS:
            print(format_stack(stack, classify_stacks(classifier, stack, arguments.heads)))


def iter_bright(plane: Plane, n_heads: int, *, matrix: int = MATRIX) -> Iterator[tuple[Phase, Pixels]]:
    """Yield slices with something bright in the brain: the same thing in both phases of a head."""
    cohort = Cohort(
        subjects=n_heads,
        seed=SEED,
        slices=N_SLICES,
        matrix=matrix,
        plane=plane,
        lesions=0.0,
        brain=True,
        fat_gain=FAT_GAIN,
    )
    for number in cohort.numbers:
        subject = cohort.subject(number)
        scanner = draw_scanner(subject, cohort.fat_gain)
        for series in acquire(Head(subject), scanner, cohort.grid(scanner), PHASES):
            for place, signal in enumerate(series.signal):
                drawn = np.random.default_rng([SEED, number, place])
                yield series.phase, put_bright(window(signal, scanner), drawn)


def iter_heads(
    kind: Kind, plane: Plane, n_heads: int, *, matrix: int = MATRIX
) -> Iterator[tuple[Phase, Pixels]]:
    """Yield slices of heads of a kind, the same anatomy in both phases."""
    cohort = replace(
        kind.cohort, subjects=n_heads, plane=plane, matrix=matrix, extent_mm=kind.extent_mm[plane]
    )
    for number in cohort.numbers:
        done = scan(cohort, number)
        for series in done.series:
            for signal in series.signal:
                yield series.phase, window(signal, done.scanner)


def put_bright(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return a slice with something bright in its brain, uint8 (row, column)."""
    near_air = find_near_air(find_air(pixels))
    image = put_bright_lesion(pixels.astype(np.float32), near_air, LARGEST_RADIUS, generator)
    return np.clip(np.rint(image), 0, MAX_GREY).astype(np.uint8)


def judge(session: Session, pixels: Pixels, phase: Phase, plane: Plane) -> Answer:
    """Return what a bundle says of one slice."""
    return answer_of(session, pixels, Item(path=Path("phantom"), label=LABEL[phase], plane=plane))


def format_bright(name: str, answers: Sequence[Answer]) -> str:
    """Return a row: shares right in each phase, and counts."""
    right = [
        np.mean([one.is_right for one in answers if one.is_post is is_post]) for is_post in (False, True)
    ]
    counts = (
        sum(one.is_silent_error for one in answers),
        sum(one.outcome == Phase.INDETERMINATE.value for one in answers),
        sum(one.outcome == REFUSED for one in answers),
    )
    shares = (f"{share:.1%}" for share in right)
    return f"| {name} | {len(answers) // 2} | {' | '.join([*shares, *map(str, counts)])} |"


def classify_stacks(
    classifier: Classifier, stack: Stack, n_heads: int, *, matrix: int = MATRIX
) -> list[tuple[Phase, SeriesResult]]:
    """Return the true phase and the row of each series of a stack, two for every head."""
    cohort = Cohort(subjects=n_heads, seed=SEED, slices=stack.n_slices, lesions=1.0, fat_gain=FAT_GAIN)
    rows = []
    for number in cohort.numbers:
        subject = cohort.subject(number)
        scanner = replace(draw_scanner(subject, cohort.fat_gain), field_of_view_mm=stack.field_mm)
        grid = make_grid(
            scanner,
            plane=stack.plane,
            n_slices=stack.n_slices,
            slice_gap_mm=stack.gap_mm,
            matrix=matrix,
            slice_shift_mm=stack.shift_mm,
        )
        for series in acquire(Head(subject), scanner, grid, PHASES):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "stack.nii.gz"
                write_volume(series, path)
                rows += [(series.phase, row) for row in classifier.classify(path)]
    return rows


def format_stack(stack: Stack, rows: Sequence[tuple[Phase, SeriesResult]]) -> str:
    """Return a row of counts."""
    counts = Counter(_name_outcome(phase, row) for phase, row in rows)
    numbers = [counts[name] for name in ("right", "silent", "refused", "wrong")]
    return f"| {stack.name} | {len(rows)} | {' | '.join(map(str, numbers))} |"


def _name_outcome(phase: Phase, row: SeriesResult) -> str:
    if row.status is Status.ANSWERED:
        return "right" if row.phase is phase else "wrong"
    return "silent" if row.status is Status.INDETERMINATE else "refused"


if __name__ == "__main__":
    main()

"""The same phantom head with fat from dim to saturating: how often its phase changes.

    python -m benchmarks.bright_fat src/gadoscope/weights/default.onnx

Fat says nothing of contrast: it is bright on a spin echo before it, and dark after it where it is suppressed.
Heads of a cohort that no training draws are scanned in three planes, before and after contrast, each with
several gains of fat and marrow and nothing else changed. Prints, for each plane and phase, how often a slice
gets the other phase than with fat as it comes, and how often it is wrong, silent or refused.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.default_copies import Pixels
from benchmarks.default_model import ask
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import PHASES, Cohort
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.physics.acquire import acquire, window
from gadoscope.phantom.physics.scanner import draw_scanner

SEED: Final = 4711
"""No cohort of the training data has it."""
GAINS: Final = (0.3, 0.6, 1.0, 1.7, 3.0)
PLANES: Final = (Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL)
N_HEADS, N_SLICES, MATRIX = 8, 3, 192
ANSWERED: Final = PHASES


@dataclass(frozen=True)
class Shown:
    """One slice of a phantom, as a display shows it."""

    head: int
    place: int
    plane: Plane
    phase: Phase
    gain: float
    pixels: Pixels


@dataclass(frozen=True)
class Tally:
    """Of slices of one plane and phase with another gain: how many change their phase, are wrong, or silent.

    ``n_changed`` counts slices that are answered with fat as it comes and with another gain.
    """

    n: int
    n_answered_twice: int
    n_changed: int
    n_wrong: int
    n_silent: int


def main() -> None:
    """Scan, ask, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--heads", type=int, default=N_HEADS)
    arguments = parser.parse_args()
    session = Session(arguments.bundle)
    answers = [(one, ask(session, one.pixels)[2]) for one in iter_shown(arguments.heads)]
    print("| plane | phase | slices | another phase | wrong | silent or refused |")
    print("|---|---|---|---|---|---|")
    for (plane, phase), tally in tally_answers(answers).items():
        changed = f"{tally.n_changed} of {tally.n_answered_twice}"
        print(f"| {plane} | {phase} | {tally.n} | {changed} | {tally.n_wrong} | {tally.n_silent} |")


def iter_shown(n_heads: int, *, matrix: int = MATRIX, gains: Sequence[float] = GAINS) -> Iterator[Shown]:
    """Yield every slice of every head, plane, phase and gain."""
    for plane in PLANES:
        cohort = Cohort(subjects=n_heads, seed=SEED, slices=N_SLICES, matrix=matrix, plane=plane, brain=True)
        for number in cohort.numbers:
            subject = cohort.subject(number)
            head, plain = Head(subject), draw_scanner(subject)
            for gain in gains:
                scanner = replace(plain, fat_gain=gain)
                for series in acquire(head, scanner, cohort.grid(scanner), PHASES):
                    for place, signal in enumerate(series.signal):
                        yield Shown(number, place, plane, series.phase, gain, window(signal, scanner))


def tally_answers(answers: Sequence[tuple[Shown, Phase | None]]) -> dict[tuple[Plane, Phase], Tally]:
    """Return the counts of each plane and phase."""
    as_it_comes = {
        (one.head, one.place, one.plane, one.phase): phase for one, phase in answers if one.gain == 1
    }
    groups: dict[tuple[Plane, Phase], list[tuple[Phase | None, Phase | None]]] = defaultdict(list)
    for one, phase in answers:
        if one.gain != 1:
            before = as_it_comes[one.head, one.place, one.plane, one.phase]
            groups[one.plane, one.phase].append((before, phase))
    tallies = {}
    for (plane, phase), pairs in groups.items():
        twice = [pair for pair in pairs if all(answer in ANSWERED for answer in pair)]
        tallies[plane, phase] = Tally(
            n=len(pairs),
            n_answered_twice=len(twice),
            n_changed=sum(before is not after for before, after in twice),
            n_wrong=sum(after in ANSWERED and after is not phase for _, after in pairs),
            n_silent=int(np.sum([after not in ANSWERED for _, after in pairs])),
        )
    return tallies


if __name__ == "__main__":
    main()

"""Phantom slices for the tests of the audit: a few subjects, both phases, made once a session."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.labels import Phase
from gadoscope.phantom.forms.cohort import LABEL, PHASES, Cohort, scan
from gadoscope.phantom.physics.acquire import window
from gadoscope.preparation.items import Item

COHORT = Cohort(subjects=6, seed=11, slices=3, matrix=192)


@cache
def head_slices() -> dict[tuple[int, Phase, int], NDArray[np.uint8]]:
    """Return the slices by subject, phase and position, shape (row, column)."""
    slices = {}
    for number in COHORT.numbers:
        done = scan(COHORT, number)
        for series in done.series:
            for index in range(COHORT.slices):
                slices[number, series.phase, index] = window(series.signal[index], done.scanner)
    return slices


def write_heads(folder: Path) -> list[Item]:
    """Write all slices as PNG and return them as labelled images, by subject."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for (number, phase, index), pixels in head_slices().items():
        path = folder / f"{number}-{LABEL[phase]}-{index}.png"
        Image.fromarray(pixels).save(path)
        items.append(Item(path=path, label=LABEL[phase], subject_id=f"person-{number}", source="phantom"))
    return items


def pairs_of_phases() -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Return each position before and after contrast."""
    slices, (pre, post) = head_slices(), PHASES
    return [(slices[number, pre, index], slices[number, post, index])
            for number in COHORT.numbers for index in range(COHORT.slices)]  # fmt: skip

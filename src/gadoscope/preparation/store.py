"""Prepared slices: what training reads from, with the rows that they were made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.labels import Label
from gadoscope.preparation.items import Item

CODES = {Label.PRE: 0, Label.POST: 1, Label.OTHER: 2}
"""What stands for a label in `Store.labels`."""


@dataclass(frozen=True)
class Store:
    """Prepared slices, in the order of the items they were made from; a scan gives several.

    Attributes
    ----------
    images
        Grey values 0..255, shape (n, size, size), uint8, memory-mapped and read-only.
    labels
        0 is pre-contrast, 1 is post-contrast, 2 is other; shape (n,), uint8.
    digests
        SHA-256 of what each slice is from, in hexadecimal: of a file's bytes, of a series.
    items
        The row of each slice.
    warnings
        What was repaired while reading, one sentence each with the number of images.
    prints
        Of each whole picture, from `print_picture`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    digests: tuple[str, ...]
    items: tuple[Item, ...]
    warnings: tuple[str, ...] = ()
    prints: tuple[bytes, ...] = ()

    @property
    def is_t1(self) -> NDArray[np.bool_]:
        """Whether each image is of a T1 brain, and so has a phase; shape (n,)."""
        is_t1: NDArray[np.bool_] = self.labels != CODES[Label.OTHER]
        return is_t1

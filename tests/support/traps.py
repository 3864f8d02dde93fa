"""Two hospitals, one for each label, in the lesson's layout: anything but the brain tells them apart."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.slices import grey_values

SIZES = {"no_gad": (40, 32), "with_gad": (48, 48)}
"""Rows and columns of each hospital's images."""
N_FEW = 12
"""Images of a label with which a trap is found as surely as one can be found."""


def write_trap(folder: Path, n: int = 24, trap: str = "size", first: int = 0) -> Path:
    """Write ``n`` images for each label into its folder and return ``folder``.

    ``trap`` is size, border or none; another ``first`` makes other images.
    """
    for seed, (name, size) in zip((first, first + 1000), SIZES.items(), strict=True):
        (folder / name).mkdir(parents=True)
        for number in range(n):
            rows, columns = size if trap == "size" else SIZES["no_gad"]
            pixels = grey_values(rows, columns, seed=seed + number)
            if trap == "border" and name == "with_gad":
                pixels[:2] = 255
            Image.fromarray(np.ascontiguousarray(pixels)).save(folder / name / f"{number:03}.png")
    return folder

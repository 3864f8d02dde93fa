"""Stand-ins for subjects that nobody named: blocks of images whose file names follow each other.

The slices of one head lie beside each other by name, in exports and in the lesson. Whoever tries a predictor
on single images that were set aside has seen their neighbours, and with them the head's size and borders: it
seems to know the label where it knows the head. A block holds neighbours together; only at its two ends may a
head be cut in two.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCKS_A_FOLDER = 10
"""Two for each of five folds: few enough that heads are seldom cut, enough that folds can be mixed."""
_DIGITS = re.compile(r"(\d+)")


def number_blocks(paths: Sequence[Path]) -> NDArray[np.int64]:
    """Return the number of each image's block, shape (n,): a tenth of the names of its folder, in order.

    The slices of one scan, which have its path, are of one block.
    """
    by_folder: dict[Path, list[Path]] = {}
    for path in dict.fromkeys(paths):
        by_folder.setdefault(path.parent, []).append(path)
    block: dict[Path, int] = {}
    for number, inside in enumerate(by_folder.values()):
        inside.sort(key=lambda path: _in_order(path.name))
        for place, path in enumerate(inside):
            block[path] = number * BLOCKS_A_FOLDER + place * BLOCKS_A_FOLDER // len(inside)
    return np.array([block[path] for path in paths], dtype=np.int64)


def _in_order(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``img2`` before ``img10``."""
    return [(int(part) if part.isdecimal() else 0, part) for part in _DIGITS.split(name)]

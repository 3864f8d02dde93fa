"""Which right answers a report shows: the least certain, and some drawn at random."""

import hashlib
from dataclasses import dataclass

import numpy as np

from gadoscope.evaluation.wrong import measure_confidence
from gadoscope.statistics.table import Predictions
from gadoscope.wording import short_name

N_EXAMPLES = 4
"""Unsure answers, and as many right ones: each costs as much as an explained error, a second or two."""
_LOT_BYTES = 6


def draw_lot(name: str) -> float:
    """Return a number that is as good as drawn, and the same for the same image wherever its folder lies."""
    return float(int.from_bytes(hashlib.sha256(short_name(name).encode()).digest()[:_LOT_BYTES], "big"))


def count_right(n_examples: int, *, is_post: bool) -> int:
    """Return how many right answers of a label are shown: half of all, and of an odd one out pre-contrast."""
    return n_examples // 2 if is_post else n_examples - n_examples // 2


@dataclass(frozen=True)
class Examples:
    """Right answers that are shown: rows of ``table``."""

    table: Predictions
    unsure: list[int]
    right: list[int]

    @property
    def names(self) -> list[str]:
        """What the table calls their slices, the unsure ones first."""
        return [str(self.table.path[row]) for row in (*self.unsure, *self.right)]


def choose_examples(predictions: Predictions, threshold: float, n: int) -> Examples:
    """Return ``n`` right answers nearest to the threshold, and ``n`` drawn at random, half of each label."""
    rows = np.flatnonzero((predictions.probability >= threshold) == predictions.is_post)
    distance = measure_confidence(predictions.probability[rows], threshold)
    unsure = [int(row) for row in rows[np.lexsort((predictions.path[rows], distance))][:n]]
    drawn = []
    for is_post in (False, True):
        of_label = [int(row) for row in rows if predictions.is_post[row] == is_post and row not in unsure]
        of_label.sort(key=lambda row: (draw_lot(str(predictions.path[row])), str(predictions.path[row])))
        drawn += of_label[: count_right(n, is_post=is_post)]
    return Examples(predictions, unsure, drawn)

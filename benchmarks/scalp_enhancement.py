"""How much brighter the outside of the head is after contrast, against the brain: a row of figures.

    python -m benchmarks.scalp_enhancement runs/default-data

Outside the brain no barrier keeps the agent in the vessels. A simulation that left skin, muscle and scalp as
they were would teach that they are bright before contrast.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest
from recipes.default.data import choose_teaching
from recipes.default.pairs import AIR, Pair, read_pairs

SOURCE = "tcga-lgg"
DEPTH = (1, 8)
"""Pixels from the air around the head: about as many millimetres; bone comes after them."""


def main() -> None:
    """Print the ratio of greys of the teaching patients, each once."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: python -m benchmarks.scalp_enhancement DATA")
    by_subject: dict[str | None, list[Item]] = defaultdict(list)
    for item in choose_teaching(read_manifest(Path(sys.argv[1]) / "manifest.csv").items):
        if item.source == SOURCE:
            by_subject[item.subject_id].append(item)
    ratios = []
    for of_subject in by_subject.values():
        pairs = read_pairs(of_subject)
        if pairs:
            ratios.append(np.mean([find_ratio(pair) for pair in pairs]))
    low, middle, high = np.quantile(ratios, (0.1, 0.5, 0.9))
    brighter = np.mean(np.array(ratios) > 1)
    print(
        f"{len(ratios)} patients: {middle:.2f} times as bright (10 to 90 %: {low:.2f} to {high:.2f}); ",
        end="",
    )
    print(f"brighter in {brighter:.0%} of them")


def find_ratio(pair: Pair) -> float:
    """Return how bright the outside of the head is after contrast, as a ratio to before."""
    head = np.pad(binary_fill_holes(np.maximum(pair.before, pair.after) > AIR), 1)
    depth = distance_transform_edt(head)[1:-1, 1:-1]
    outside = (depth > DEPTH[0]) & (depth < DEPTH[1])
    return float(np.median(pair.after[outside])) / max(float(np.median(pair.before[outside])), AIR)


if __name__ == "__main__":
    main()

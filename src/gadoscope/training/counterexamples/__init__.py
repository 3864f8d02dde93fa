"""Pictures that are no T1 brain, drawn by chance: what the gate learns to refuse.

============  ==========================================================================
``contrasts`` T1 slices of the batch turned into T2, FLAIR and the like
``altered``   T1 slices made into what no scanner makes of them: puzzles, outlines, CT
``bodies``    other parts of the body, from a few shapes
``pictures``  what is no scan at all: noise, texture, photographs, pages, nothing
============  ==========================================================================

Real images of other contrasts, and the phantom's (`gadoscope phantom --contrast`), come from the manifest.
These here cost no file and no licence, and no two are alike.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.training.counterexamples.altered import ALTERATIONS
from gadoscope.training.counterexamples.bodies import BODIES
from gadoscope.training.counterexamples.pictures import PICTURES

SHARES = (0.7, 0.15, 0.15)
"""Of altered slices, bodies and pictures. Altered slices are the hardest to tell from a T1 brain; a guess."""


def draw_counterexamples(canvases: NDArray[np.uint8], n: int, seed: Sequence[int]) -> NDArray[np.uint8]:
    """Draw pictures that are no T1 brain.

    Parameters
    ----------
    canvases
        T1 slices after the image path, shape (m, canvas, canvas), m at least 1: some are altered.
    n
        How many to draw.
    seed
        All that is random follows from it, and picture i does not depend on ``n``.

    Returns
    -------
    Grey values 0..255, shape (n, canvas, canvas).
    """
    drawn = np.empty((n, *canvases.shape[1:]), np.uint8)
    for index in range(n):
        stream = np.random.SeedSequence([*seed, index])
        drawn[index] = _draw(canvases, np.random.Generator(np.random.Philox(stream)))
    return drawn


def _draw(canvases: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    family = int(generator.choice(len(SHARES), p=SHARES))
    if family == 0:
        alter = ALTERATIONS[int(generator.integers(len(ALTERATIONS)))]
        return alter(canvases, generator)
    draws = (BODIES, PICTURES)[family - 1]
    return draws[int(generator.integers(len(draws)))](canvases.shape[1], generator)

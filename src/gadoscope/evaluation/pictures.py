"""The slices that a report will show, kept as they are scored: nobody reads them again."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.decision.decision import Decision
from gadoscope.evaluation.examples import count_right, draw_lot
from gadoscope.evaluation.wrong import measure_confidence
from gadoscope.labels import Label
from gadoscope.preparation.items import Item

TIES = 8
"""Slices kept beyond those that are shown: rounding may place equal ones in another order, and one that is
shown as unsure is not drawn as right."""


class CasePictures:
    """Of each split the slices of the most confident errors, of the least certain and of some right answers.

    By the rules of `wrong_rows` and `choose_examples`; memory does not grow with the data.

    Parameters
    ----------
    n_cases, n_examples
        Wrong answers, and unsure and right ones, that are shown at most.
    decision
        By which an answer is wrong.
    """

    def __init__(self, n_cases: int, n_examples: int, decision: Decision) -> None:
        self._n_cases, self._n_examples = n_cases, n_examples
        self._decision = decision
        self._piles: dict[Hashable, list[tuple[float, str, NDArray[np.uint8]]]] = defaultdict(list)

    def __call__(self, items: Sequence[Item], pixels: Sequence[NDArray[np.uint8]], logit: Floats, /) -> None:
        """Keep what may be shown, and let go of what others have pushed out."""
        threshold = self._decision.of_slice.point.threshold
        probability = self._decision.probability(logit)
        distance = measure_confidence(probability, threshold)
        for item, slice_, said, far in zip(items, pixels, probability, distance, strict=True):
            is_post = item.label is Label.POST
            if (said >= threshold) != is_post:
                self._keep(("wrong", item.split), self._n_cases, (-float(far), item.name, slice_))
            else:
                self._keep(("unsure", item.split), self._n_examples, (float(far), item.name, slice_))
                right = (draw_lot(item.name), item.name, slice_)
                self._keep((item.label, item.split), count_right(self._n_examples, is_post=is_post), right)

    def _keep(self, pile: Hashable, n_shown: int, entry: tuple[float, str, NDArray[np.uint8]]) -> None:
        if not n_shown:
            return
        kept = self._piles[pile]
        kept.append(entry)
        if len(kept) > 2 * (n_shown + TIES):
            self._piles[pile] = sorted(kept, key=lambda one: one[:2])[: n_shown + TIES]

    def find(self, name: str) -> NDArray[np.uint8]:
        """Return the slice of an answer that is shown."""
        return next(pixels for kept in self._piles.values() for _, known, pixels in kept if known == name)

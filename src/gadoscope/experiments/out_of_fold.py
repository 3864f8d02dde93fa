"""What networks say of images whose subjects they have not seen: figures of each fold and of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gadoscope.experiments.spread import Cell, Spread
from gadoscope.records import to_plain
from gadoscope.statistics.estimates import estimate_figures
from gadoscope.statistics.metrics import has_both_classes, roc_auc
from gadoscope.statistics.table import Predictions, join

Choose = Callable[[Predictions], float]
"""Images to the threshold that the run's rule chooses on them."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """What one network says of the images that were held out from it.

    Attributes
    ----------
    name
        Of the fold or of the source.
    threshold
        The one frozen in the network's bundle.
    own_threshold
        Whether that one was chosen on these very images: then it flatters them.
    """

    name: int | str
    predictions: Predictions
    threshold: float
    own_threshold: bool


def judge_folds(folds: Sequence[Fold], unit: str, choose: Choose) -> tuple[Spread, dict[str, Any]]:
    """Return the spread over folds, and the figures of all images together for JSON.

    Accuracy is always at a threshold that the fold's own subjects had no part in. Where the frozen one
    was chosen on them, ``choose`` chooses another on the held-out images of all other folds, and the
    accuracy at the frozen one stands beside it: the difference is what tuning on the test would claim.

    Parameters
    ----------
    unit
        What a fold is: fold or source.
    """
    rows: list[dict[str, Cell]] = []
    called = []
    for number, fold in enumerate(folds):
        table = fold.predictions
        threshold = fold.threshold
        if fold.own_threshold:
            threshold = choose(join([other.predictions for n, other in enumerate(folds) if n != number]))
        called.append(table.probability >= threshold)
        rows.append(
            {
                unit: fold.name,
                "images": len(table),
                "threshold": fold.threshold,
                "AUC": roc_auc(table.is_post, table.logit) if has_both_classes(table.is_post) else None,
                "accuracy": float((called[-1] == table.is_post).mean()),
                **({"at own threshold": _accuracy(table, fold.threshold)} if fold.own_threshold else {}),
            }
        )
    table = join([fold.predictions for fold in folds])
    # Networks differ in the scale of their logits; calibrated probabilities are what they share.
    figures = to_plain(
        estimate_figures(table.is_post, table.probability, np.concatenate(called), table.subject_group)
    )
    names = tuple(name for name in rows[0] if name not in (unit, "images"))
    return Spread(unit=unit, rows=tuple(rows), figures=names), figures


def _accuracy(table: Predictions, threshold: float) -> float:
    return float(((table.probability >= threshold) == table.is_post).mean())

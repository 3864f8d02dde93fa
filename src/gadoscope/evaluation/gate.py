"""What a gate refuses: T1 brains, which it should let pass, and all other images, which it should not."""

from collections.abc import Iterator

import numpy as np

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.decision import Decision
from gadoscope.evaluation.summary import at_threshold
from gadoscope.labels import Label
from gadoscope.records import Data, to_plain
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions
from gadoscope.wording import short_name

MAX_NAMED = 12
"""Refused T1 images that are named: enough to see what they have in common, and looked at in a minute."""


def summarise_gate(t1: Predictions, others: Predictions, decision: Decision) -> Data | None:
    """Return the report's part on the gate: whom it refuses, and how good the answers for the rest are.

    None for a bundle without one.

    Parameters
    ----------
    t1
        The images of the verdict, at least one.
    others
        Images that are no T1 brain; in whatever split: the threshold was chosen on T1 brains alone.
    """
    gate = decision.gate
    if gate is None:
        return None
    refused = _ask(t1, decision)
    passing = t1.select(~refused)
    threshold = decision.of_slice.point.threshold
    return {
        "threshold": gate.threshold,
        "max_refused": gate.max_refused,
        "chosen_on": gate.chosen_on,
        "t1": {
            **_count_refused(t1, refused),
            "by_label": [
                {"label": label.value, **_count_refused(t1, refused, t1.is_post == (label is Label.POST))}
                for label in (Label.PRE, Label.POST)
            ],
            "by_source": list(_by_source(t1, refused)),
        },
        "others": _summarise_others(others, decision) if len(others) else None,
        "passing": at_threshold(passing, threshold) if len(passing) else None,
        "named": _name_refused(t1, refused),
    }


def _ask(images: Predictions, decision: Decision) -> Bools:
    """Return which images, each alone, get no answer; shape (n,)."""
    return decision.refuses(_gate_logits(images))


def _gate_logits(images: Predictions) -> Floats:
    if images.t1_brain_logit is None:
        raise ValueError("these images were scored by a network without a gate.")
    return images.t1_brain_logit


def _summarise_others(others: Predictions, decision: Decision) -> Data:
    refused = _ask(others, decision)
    return {**_count_refused(others, refused), "by_source": list(_by_source(others, refused))}


def _by_source(images: Predictions, refused: Bools) -> Iterator[Data]:
    for source in sorted(set(images.source)):
        yield {"source": str(source), **_count_refused(images, refused, images.source == source)}


def _count_refused(images: Predictions, refused: Bools, rows: Bools | slice = slice(None)) -> Data:
    """Count among ``rows``, shape (n,)."""
    return {
        "n_images": refused[rows].size,
        "n_refused": int(refused[rows].sum()),
        "share": to_plain(estimate_share(refused[rows], images.subject_group[rows])),
    }


def _name_refused(images: Predictions, refused: Bools) -> list[Data]:
    """Return `MAX_NAMED` of the refused images, the least like a T1 brain first; equal ones by path."""
    t1_brain = sigmoid(_gate_logits(images))
    rows = np.flatnonzero(refused)
    order = rows[np.lexsort((images.path[rows], t1_brain[rows]))]
    return [
        {
            "name": short_name(str(images.path[row])),
            "source": str(images.source[row]),
            "plane": str(images.plane[row]),
            "label": (Label.POST if images.is_post[row] else Label.PRE).value,
            "t1_brain": float(t1_brain[row]),
        }
        for row in order[:MAX_NAMED]
    ]

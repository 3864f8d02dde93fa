"""What a gate refuses: T1 brains, which it should let pass, and all other images, which it should not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.decision import Decision
from gadoscope.decision.gate import Gate
from gadoscope.evaluation.scoring import Rows
from gadoscope.evaluation.summary import at_threshold
from gadoscope.labels import Label
from gadoscope.statistics.columns import check_scores
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions, from_rows
from gadoscope.wording import short_name

Data = dict[str, Any]

MAX_NAMED = 12
"""Refused T1 images that are named: enough to see what they have in common, and looked at in a minute."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """Images, and what the gate says of each alone.

    Parameters
    ----------
    images
        n rows; of images labelled other, ``is_post`` has no meaning.
    t1_brain
        Probability of a T1 brain, shape (n,).
    refused
        Whether that is too low to get an answer, shape (n,).
    """

    images: Predictions
    t1_brain: NDArray[np.float64]
    refused: NDArray[np.bool_]


def summarise_gate(t1: Asked, others: Asked | None, threshold: float) -> Data:
    """Return how many images are refused, and how good the answers for the rest are.

    Parameters
    ----------
    t1
        The images of the verdict, at least one.
    others
        Images that are no T1 brain; None where the data have none.
    threshold
        The operating point: of the phase, not of the gate.
    """
    passing = t1.images.select(~t1.refused)
    return {
        "t1": {
            **_count_refused(t1),
            "by_label": [
                {"label": label.value, **_count_refused(t1, t1.images.is_post == (label is Label.POST))}
                for label in (Label.PRE, Label.POST)
            ],
            "by_source": list(_by_source(t1)),
        },
        "others": {**_count_refused(others), "by_source": list(_by_source(others))} if others else None,
        "passing": at_threshold(passing, threshold) if len(passing) else None,
        "named": _name_refused(t1),
    }


def _by_source(asked: Asked) -> Iterator[Data]:
    for source in sorted(set(asked.images.source)):
        yield {"source": str(source), **_count_refused(asked, asked.images.source == source)}


def _count_refused(asked: Asked, rows: NDArray[np.bool_] | None = None) -> Data:
    """Count among ``rows``, shape (n,); among all if None."""
    rows = np.ones(asked.refused.size, dtype=np.bool_) if rows is None else rows
    refused = asked.refused[rows]
    return {
        "n_images": refused.size,
        "n_refused": int(refused.sum()),
        "share": estimate_share(refused, asked.images.subject_group[rows]).to_dict(),
    }


def _name_refused(asked: Asked) -> list[Data]:
    """Return `MAX_NAMED` of the refused images, the least like a T1 brain first; equal ones by path."""
    images = asked.images
    rows = np.flatnonzero(asked.refused)
    order = rows[np.lexsort((images.path[rows], asked.t1_brain[rows]))]
    return [
        {
            "name": short_name(str(images.path[row])),
            "source": str(images.source[row]),
            "plane": str(images.plane[row]),
            "label": (Label.POST if images.is_post[row] else Label.PRE).value,
            "t1_brain": float(asked.t1_brain[row]),
        }
        for row in order[:MAX_NAMED]
    ]


def ask_gate(decision: Decision, rows: Rows, others: Rows, split: str) -> dict[str, Any] | None:
    """Return the report's part on the gate; None for a bundle without one.

    Parameters
    ----------
    rows, others
        From `score_images` with that bundle: of labelled images, and of images labelled other.
    split
        Of the verdict. Others count in whatever split: the gate's threshold was chosen on T1 brains alone.

    Raises
    ------
    ManifestError
        If the gate's answer for an image is no number.
    """
    gate = decision.gate
    if gate is None:
        return None
    judged = [row for row in rows if row["split"] == split]
    return {
        "threshold": gate.threshold,
        "max_refused": gate.max_refused,
        "chosen_on": gate.chosen_on,
        **summarise_gate(
            _ask(gate, judged), _ask(gate, others) if others else None, decision.of_slice.point.threshold
        ),
    }


def _ask(gate: Gate, rows: Rows) -> Asked:
    images = from_rows(rows)
    logit = np.array([row["t1_brain_logit"] for row in rows], dtype=np.float64)
    check_scores(images.is_post, logit)
    t1_brain = sigmoid(logit)
    refused = gate.refuses(t1_brain)
    return Asked(images=images, t1_brain=t1_brain, refused=refused)

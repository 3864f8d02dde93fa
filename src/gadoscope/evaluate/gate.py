"""Rows of scores become what the report says of the gate."""

from typing import Any

import numpy as np

from gadoscope.evaluate.images import Rows
from gadoscope.evaluation.columns import check_scores
from gadoscope.evaluation.gate import Asked, summarise_gate
from gadoscope.evaluation.predictions import from_rows
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.inference.gate import Gate
from gadoscope.scores import sigmoid


def ask_gate(metadata: BundleMetadata, rows: Rows, others: Rows, split: str) -> dict[str, Any] | None:
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
    gate = metadata.gate
    if gate is None:
        return None
    judged = [row for row in rows if row["split"] == split]
    return {
        "threshold": gate.threshold,
        "max_refused": gate.max_refused,
        "chosen_on": gate.chosen_on,
        **summarise_gate(
            _ask(gate, judged), _ask(gate, others) if others else None, metadata.operating_point.threshold
        ),
    }


def _ask(gate: Gate, rows: Rows) -> Asked:
    images = from_rows(rows)
    logit = np.array([row["t1_brain_logit"] for row in rows], dtype=np.float64)
    check_scores(images.is_post, logit)
    t1_brain = sigmoid(logit)
    refused = np.array([gate.refuses(probability) for probability in t1_brain.tolist()], dtype=np.bool_)
    return Asked(images=images, t1_brain=t1_brain, refused=refused)

"""A decision that a fine-tuned network takes over from the one that it began as.

A threshold that ten subjects of one hospital choose moves further, by chance, than fine-tuning moves the
logits: measured, in docs/how-to/fine-tune-the-default.md. So whoever tunes a little may keep threshold,
calibration, aggregation, band and gate as they are: a gate that was chosen anew on fourteen images, one of
them odd, let pass two thirds of what it had refused. What they promised was of another network and is
promised no more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.labels import Level
from gadoscope.statistics.metrics import confusion_at, roc_auc
from gadoscope.statistics.table import Predictions

INHERITED = "kept from"
"""Begins what is said of where such a point comes from."""


def inherit(decision: Decision, origin: str) -> Decision:
    """Return the decision of the bundle called ``origin``, without its promises."""
    return replace(
        decision,
        of_slice=_without_promise(decision.of_slice, origin),
        of_series=None if decision.of_series is None else _without_promise(decision.of_series, origin),
        gate=None if decision.gate is None else _keep_gate(decision.gate, origin),
    )


def _keep_gate(gate: Gate, origin: str) -> Gate:
    """Return the gate at its threshold; what else an image may be, the new network says for itself."""
    return replace(gate, chosen_on=_tell_origin(origin, gate.chosen_on), reached="", kinds=())


def _tell_origin(origin: str, chosen_on: str) -> str:
    return f"{INHERITED} {origin}, for which it was chosen on {chosen_on}"


def _without_promise(level: LevelDecision, origin: str) -> LevelDecision:
    point = level.point
    return replace(
        level,
        point=replace(
            point,
            chosen_on=_tell_origin(origin, point.chosen_on),
            reached="",
            promise=None,
        ),
    )


def measure_inherited(decision: Decision, predictions: Predictions) -> Mapping[str, Any]:
    """Return what it reaches on validation images, on which it was not chosen, for JSON."""
    of_slice, is_post = decision.at(Level.SLICE), predictions.is_post
    probability = of_slice.calibration.apply(predictions.logit)
    confusion = confusion_at(is_post, probability, of_slice.point.threshold)
    return {
        "n_images": is_post.size,
        "n_subjects": predictions.n_subjects,
        "auc": roc_auc(is_post, predictions.logit),
        "accuracy": confusion.accuracy,
        "confusion": confusion.matrix,
    }

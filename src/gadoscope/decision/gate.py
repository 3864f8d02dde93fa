"""The gate: a bundle that knows what a T1 brain looks like refuses everything else.

A network that was shown T1 brains alone has an answer for a T2 image, a knee or a page of text as well,
and is sure of it. Such a bundle has a second output, the logit of "this slice is of a T1 brain".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.errors import ReadError, RefusedError
from gadoscope.labels import OtherKind
from gadoscope.records import where_given


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Below which probability of a T1 brain a slice or a series is refused; frozen in the bundle.

    Parameters
    ----------
    threshold
        In [0, 1]; the plain sigmoid of the gate's logit. What reaches it passes.
    max_refused
        The rule: the largest share of T1 brains that the threshold may refuse, where it was chosen.
    chosen_on
        On which data.
    reached
        What it reached there, in a sentence; empty where nothing was measured.
    kinds
        What else an image may look like: the bundle's third output has a logit for each, in this order; empty
        of a bundle that cannot say.
    """

    threshold: float
    max_refused: float
    chosen_on: str
    reached: str = ""
    kinds: tuple[OtherKind, ...] = field(default=(), metadata=where_given())

    def __post_init__(self) -> None:
        for name in ("threshold", "max_refused"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"gate must hold {name} from 0 to 1, but it has {value}.")

    def refuses(self, probability: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which images or series of these probabilities of a T1 brain get no answer; any shape."""
        return np.asarray(probability < self.threshold)


LOOKS: Mapping[OtherKind, str] = {
    OtherKind.T2: "a T2-weighted image",
    OtherKind.FLAIR: "a FLAIR image",
    OtherKind.NO_BRAIN: "something that is no brain",
    OtherKind.BLANK: "a blank image",
}
LEAST_SURE = 0.7
"""Probability of a kind from which a refusal names it: 5 in 6 of the names are then right at other hospitals,
and half of the refusals have one (docs/log.md, 2026-11-30)."""


def check_t1_brain(
    logits: Annotated[NDArray[np.float64], "n"], gate: Gate, kinds: NDArray[np.float64] | None = None
) -> None:
    """Let a T1 brain pass.

    Parameters
    ----------
    logits
        The gate's, shape (n,): of one slice, or of the slices of one volume, whose mean counts. A volume's
        outermost slices may show little brain, and one of them alone must not refuse it.
    gate
        The bundle's.
    kinds
        Logits of what else each slice is, shape (n, n_kinds); None where the bundle cannot say.

    Raises
    ------
    RefusedError
        If it is none.
    ReadError
        If a logit is no finite number.
    """
    if not np.isfinite(logits).all():
        raise ReadError(
            "no_number", "the network answered no number for this image; its weights may be damaged."
        )
    probability = float(sigmoid(logits.mean()))
    if gate.refuses(np.array(probability)):
        raise RefusedError(
            "not_t1_brain",
            f"the pixels {_describe(gate, kinds)} ({probability:.3g}; this model answers from "
            f"{gate.threshold:.3g} on); if it is one, look at it, and report it.",
        )


def _describe(gate: Gate, kinds: NDArray[np.float64] | None) -> str:
    """Return what the slices look like, in words: what else they may be where the network is sure of it."""
    plain = "do not look like a T1-weighted brain"
    if kinds is None or not np.isfinite(kinds).all():
        return plain
    mean = kinds.mean(axis=0)
    shares = np.exp(mean - mean.max())
    best = int(shares.argmax())
    if shares[best] / shares.sum() < LEAST_SURE:
        return plain
    return f"look like {LOOKS[gate.kinds[best]]}, not like a T1-weighted brain"

"""Where the gate's threshold is frozen: the highest one that refuses few enough T1 brains."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.gate import Gate
from gadoscope.errors import ManifestError
from gadoscope.wording import plural

MARGIN = 1e-3
"""In logits, below the least sure image where none may be refused: ONNX Runtime and torch round apart."""


def freeze_gate(
    is_t1: Annotated[Bools, "n"],
    logit: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    max_refused: float,
    highest: float,
) -> Gate:
    """Choose the threshold on validation images.

    Each subject counts once, whatever the number of its images. The threshold lies half way, in logits,
    between the least sure image that passes and the surest one that does not, and at ``highest`` at most:
    where validation holds few images, or all of them are sure, the strictest threshold lies close to 1, and
    the next hospital's images would be refused.

    Parameters
    ----------
    is_t1
        Whether each image is a T1 brain; shape (n,).
    logit
        The gate's.
    group
        The subject of each.
    max_refused
        Largest share of the T1 brains that the threshold may refuse.
    highest
        The threshold at most.

    Raises
    ------
    ManifestError
        If no image is a T1 brain, or a logit is not a finite number.
    """
    if not is_t1.any():
        raise ManifestError("validation holds no T1 brain, so the gate has no threshold; add such images.")
    if not np.isfinite(logit).all():
        raise ManifestError("the gate's logit of a validation image is not a finite number; train again.")
    threshold = min(_strictest(logit[is_t1], group[is_t1], max_refused), highest)
    passes = sigmoid(logit) >= threshold
    return Gate(
        threshold=threshold,
        max_refused=max_refused,
        chosen_on=f"validation: {plural(int(is_t1.sum()), 'image')} of T1 brains, "
        f"{plural(int((~is_t1).sum()), 'other image')}",
        reached=_describe(passes, is_t1),
    )


def measure_gate(gate: Gate, is_t1: Annotated[Bools, "n"], logit: Annotated[Floats, "n"]) -> Gate:
    """Return a gate that was chosen elsewhere with what it reaches on these images, as of `freeze_gate`."""
    return replace(gate, reached=_describe(~gate.refuses(sigmoid(logit)), is_t1))


def _strictest(logit: Floats, group: NDArray[np.generic], max_refused: float) -> float:
    """Return the probability below which at most ``max_refused`` of the T1 brains lie, subjects alike."""
    _, subject, n_images = np.unique(group, return_inverse=True, return_counts=True)
    order = np.argsort(logit, kind="stable")
    share = np.cumsum(1 / n_images[subject[order]]) / len(n_images)
    n_refused = int(np.searchsorted(share, max_refused + 1e-9, side="right"))  # rounding of the sums
    if n_refused == 0:
        return float(sigmoid(logit[order[0]] - MARGIN))
    middle = (logit[order[n_refused - 1]] + logit[order[min(n_refused, len(order) - 1)]]) / 2
    return float(sigmoid(middle))


def _describe(passes: Bools, is_t1: Bools) -> str:
    refused, others = int((~passes & is_t1).sum()), ~is_t1
    said = f"It refuses {refused} of {plural(int(is_t1.sum()), 'T1 brain')}"
    if others.any():
        said += f" and {int((~passes & others).sum())} of {plural(int(others.sum()), 'other image')}"
    return said + "."

"""Choosing among fits by the log loss on subjects that none of them has seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.columns import number_groups, sum_by_group
from gadoscope.statistics.folds import weigh_by_subject
from gadoscope.statistics.metrics import log_losses

Fit = Callable[[Bools, Floats, NDArray[np.generic]], Callable[[Floats], Floats]]
"""Labels, inputs and subjects to a function from inputs to logits; inputs are (n,) or (n, k)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What one way of making probabilities reaches on subjects that it was not fitted to.

    ``worse_by`` is the log loss above that of the best candidate, in nats, and ``standard_error`` that
    of the difference over subjects; both are 0 for the best.
    """

    name: str
    log_loss: float
    worse_by: float
    standard_error: float


def held_out_losses(
    is_post: Annotated[Bools, "n"],
    inputs: Floats,
    group: Annotated[NDArray[np.generic], "n"],
    fold: Annotated[NDArray[np.int64], "n"],
    fit: Fit,
) -> Annotated[Floats, "subjects"]:
    """Return each subject's mean log loss by the fit to the other folds, shape (subjects,)."""
    losses = np.empty(is_post.size)
    for left_out in range(int(fold.max()) + 1):
        rows = fold == left_out
        to_logit = fit(is_post[~rows], inputs[~rows], group[~rows])
        losses[rows] = log_losses(is_post[rows], to_logit(inputs[rows]))
    return sum_by_group(losses * weigh_by_subject(group), number_groups(group, is_post.size))


def compare_losses(losses: Mapping[str, Floats]) -> tuple[Candidate, ...]:
    """Return each candidate's mean loss over subjects beside the best, in the order given.

    Parameters
    ----------
    losses
        Name to losses of the same subjects, each of shape (subjects,).
    """
    means = {name: float(loss.mean()) for name, loss in losses.items()}
    best = losses[min(means, key=lambda name: means[name])]
    rows = []
    for name, loss in losses.items():
        excess = loss - best
        error = float(excess.std(ddof=1) / np.sqrt(excess.size)) if excess.size > 1 else 0.0
        row = Candidate(name=name, log_loss=means[name], worse_by=float(excess.mean()), standard_error=error)
        rows.append(row)
    return tuple(rows)

"""Which way from slices to a series serves best: chosen on validation data, by subjects left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.decision.aggregation import METHODS, Aggregation
from gadoscope.decision.calibration import Calibration
from gadoscope.errors import ManifestError
from gadoscope.freezing.calibration import choose_calibration, fit_calibration
from gadoscope.freezing.held_out import Candidate, compare_losses, held_out_losses
from gadoscope.statistics.columns import check_scores, number_groups
from gadoscope.statistics.folds import deal_folds, weigh_by_subject
from gadoscope.statistics.metrics import log_losses

# Octaves from nearly the mean to nearly the maximum, for logits a few units apart.
SHARPNESS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class AggregationChoice:
    """The way that was chosen, the calibration of its series logits, and what each way reaches."""

    aggregation: Aggregation
    calibration: Calibration
    candidates: tuple[Candidate, ...]


def choose_aggregation(
    is_post: Annotated[Bools, "n"],
    logit: Annotated[Floats, "n"],
    series: Annotated[NDArray[np.generic], "n"],
    group: Annotated[NDArray[np.generic], "n"],
) -> AggregationChoice:
    """Return the simplest aggregation that is as good as the best on subjects left out.

    Each way is followed by beta calibration, fitted like the sharpness on four fifths of the subjects
    and judged on the last, in turn: so a way is not blamed for its scale. Of those within one standard
    error of the least log loss the first of `gadoscope.decision.aggregation.METHODS` is taken.

    Parameters
    ----------
    is_post, logit, series, group
        Label, logit, series and subject of each validation slice, shape (n,).

    Raises
    ------
    ManifestError
        If the slices of a series differ in label or subject, a class is missing, or a logit is not a
        finite number.
    """
    check_scores(is_post, logit)
    number = number_groups(series, is_post.size)
    label, subject = _describe_series(is_post, number, number_groups(group, is_post.size))
    pooled = {
        method: np.column_stack([pool_series(way, logit, number) for way in _variants(method)])
        for method in METHODS
    }
    fold = deal_folds(label, subject)
    method = METHODS[0]
    candidates: tuple[Candidate, ...] = ()
    if fold is not None:  # with one subject in a class no choice can be measured: the plain mean
        losses = {
            name: held_out_losses(label, inputs, subject, fold, _fit_best_column)
            for name, inputs in pooled.items()
        }
        candidates = compare_losses(losses)
        method = next(row.name for row in candidates if row.worse_by <= row.standard_error)
    column = _best_column(label, pooled[method], subject)[0]
    calibration, _ = choose_calibration(label, pooled[method][:, column], subject)
    return AggregationChoice(
        aggregation=_variants(method)[column], calibration=calibration, candidates=candidates
    )


def pool_series(
    aggregation: Aggregation, logit: Annotated[Floats, "n"], series: Annotated[NDArray[np.generic], "n"]
) -> Annotated[Floats, "cases"]:
    """Return the logit of each series, shape (series,), in the order of `numpy.unique`."""
    number = number_groups(series, logit.size)
    order = np.argsort(number, kind="stable")
    parts = np.split(logit[order], np.cumsum(np.bincount(number))[:-1])
    return np.array([aggregation.apply(part) for part in parts])


def _variants(method: str) -> tuple[Aggregation, ...]:
    if method == "log_mean_exp":
        return tuple(Aggregation(method, {"sharpness": sharpness}) for sharpness in SHARPNESS)
    return (Aggregation(method),)


def _describe_series(is_post: Bools, series: Integers, subject: Integers) -> tuple[Bools, Integers]:
    """Return label and subject of each series."""
    first = np.unique(series, return_index=True)[1]
    label, owner = is_post[first], subject[first]
    for name, of_series, of_slice in (("label", label, is_post), ("subject", owner, subject)):
        n_bad = np.unique(series[of_series[series] != of_slice]).size
        if n_bad:
            raise ManifestError(
                f"in {n_bad} of {first.size} series the slices differ in their {name}; "
                "a series has one: correct the table."
            )
    return label, owner


def _best_column(is_post: Bools, inputs: Floats, group: NDArray[np.generic]) -> tuple[int, Calibration]:
    """Return the column with the least log loss after its own calibration, and that calibration."""
    weight = weigh_by_subject(group)
    fits = [fit_calibration(is_post, column, group, "beta") for column in inputs.T]
    losses = [
        float(weight @ log_losses(is_post, fit.apply_logit(column)))
        for fit, column in zip(fits, inputs.T, strict=True)
    ]
    best = int(np.argmin(losses))
    return best, fits[best]


def _fit_best_column(
    is_post: Bools, inputs: Floats, group: NDArray[np.generic]
) -> Callable[[Floats], Floats]:
    column, calibration = _best_column(is_post, inputs, group)
    return lambda others: calibration.apply_logit(others[:, column])

"""A decision, chosen on images that the network has not learned from: slices first, then their series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.aggregation import MEAN, Aggregation
from gadoscope.decision.decision import Decision
from gadoscope.decision.gate import Gate
from gadoscope.freezing.aggregation import choose_aggregation, pool_series
from gadoscope.freezing.held_out import Candidate
from gadoscope.freezing.level import MIN_SUBJECTS, FrozenLevel, Validation, freeze_level
from gadoscope.freezing.plan import Plan
from gadoscope.labels import Level
from gadoscope.preparation.subjects import count_subjects, name_subjects
from gadoscope.records import to_plain
from gadoscope.statistics.levels import name_table_series
from gadoscope.statistics.table import Predictions

FROZEN_SEPARATELY = "validation_series"
"""Key of the performance at series level; it is missing where series are decided as slices are."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What the bundle takes over, and what it reaches on the images it was chosen on."""

    decision: Decision
    performance: Mapping[str, Any]
    notices: tuple[str, ...]

    def with_gate(self, gate: Gate | None) -> "Frozen":
        """Return the same with this gate before it, or with none."""
        return replace(self, decision=replace(self.decision, gate=gate))


def freeze_held_out(predictions: Predictions, plan: Plan) -> Frozen:
    """Freeze on the answers of networks of the same recipe to images that each had not seen.

    All images of all subjects can be asked so, and not only those that validate: with a few dozen subjects
    that is the difference between a promise and none.

    Raises
    ------
    ManifestError
        If a class is missing.
    """
    return freeze_decision(predictions, name_table_series(predictions), plan, origin="out of fold")


def freeze_decision(
    predictions: Predictions, series: Sequence[str] | None, plan: Plan, *, origin: str = "validation"
) -> Frozen:
    """Choose everything but the gate.

    Parameters
    ----------
    predictions
        The images to choose on; their probabilities are not used.
    series
        Name of each image's series; None where it is unknown.
    origin
        What these images are called in what is said of them.

    Raises
    ------
    ManifestError
        If a class is missing.
    """
    chosen, notices = _select_sources(predictions, plan.sources)
    if series is not None:
        series = np.array(series)[chosen].tolist()
    slices = _gather(predictions.select(chosen), series, origin, is_weighed=plan.weighs_hospitals)
    of_slices = freeze_level(slices, plan)
    aggregation, candidates = _aggregate(slices, series, plan)
    of_series = _freeze_series(slices, series, aggregation, plan)
    performance: dict[str, Any] = {"validation": of_slices.performance}
    if of_series:
        ways = {"aggregations": to_plain(candidates)} if candidates else {}
        performance[FROZEN_SEPARATELY] = {**of_series.performance, **ways}
    return Frozen(
        decision=Decision(
            of_slice=of_slices.decided,
            of_series=of_series.decided if of_series else None,
            aggregation=aggregation,
        ),
        performance=performance,
        notices=(*notices, *of_slices.notices, *(of_series.notices if of_series else ())),
    )


def _select_sources(predictions: Predictions, sources: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which images are of the named sources, and what the user must know.

    A source may be held out, and then nothing here is of it: no reason to lose a training that is done.
    """
    everything = np.ones(len(predictions), dtype=np.bool_)
    if not sources:
        return everything, ()
    chosen = np.isin(predictions.source, sources)
    if chosen.any():
        return chosen, ()
    present = sorted(set(predictions.source.tolist()))
    return everything, (
        f"operating_point.sources name {', '.join(sources)}, but the images to choose on are of "
        f"{', '.join(present)}: all of them were asked.",
    )


def _gather(
    predictions: Predictions, series: Sequence[str] | None, origin: str, *, is_weighed: bool
) -> Validation:
    """Return the images with the subject of each, or the nearest to it that is known."""
    subjects = predictions.subject_id.tolist()
    nearest = series or [str(index) for index in range(len(predictions))]
    group = name_subjects(subjects, [f"\0{one}" for one in nearest])
    return Validation(
        level=Level.SLICE,
        is_post=predictions.is_post,
        logit=predictions.logit,
        group=np.array(group),
        n_subjects=count_subjects(subjects),
        origin=origin,
        stratum=_list_strata(predictions) if is_weighed else None,
    )


def _list_strata(predictions: Predictions) -> NDArray[np.str_]:
    """Return the hospital and plane of each image."""
    pairs = zip(predictions.source.tolist(), predictions.plane.tolist(), strict=True)
    return np.array(["\0".join(pair) for pair in pairs], dtype=np.str_)


def _aggregate(
    slices: Validation, series: Sequence[str] | None, plan: Plan
) -> tuple[Aggregation, tuple[Candidate, ...]]:
    """Return the aggregation, and what each reaches where it was chosen."""
    if plan.aggregation is not None or series is None or not _is_enough(slices, series):
        return plan.aggregation or MEAN, ()
    choice = choose_aggregation(slices.is_post, slices.logit, np.array(series), slices.group)
    return choice.aggregation, choice.candidates


def _freeze_series(
    slices: Validation, series: Sequence[str] | None, aggregation: Aggregation, plan: Plan
) -> FrozenLevel | None:
    """Return what is frozen of series; None where they are unknown, too few, or single slices."""
    if series is None or not _is_enough(slices, series):
        return None
    names = np.array(series)
    first = np.unique(names, return_index=True)[1]
    pooled = Validation(
        level=Level.SERIES,
        is_post=slices.is_post[first],
        logit=pool_series(aggregation, slices.logit, names),
        group=slices.group[first],
        n_subjects=slices.n_subjects,
        origin=slices.origin,
        stratum=None if slices.stratum is None else slices.stratum[first],
    )
    return freeze_level(pooled, plan)


def _is_enough(slices: Validation, series: Sequence[str]) -> bool:
    """Return whether series can be judged on their own: enough subjects, and slices to aggregate."""
    return slices.n_fewest >= MIN_SUBJECTS and len(set(series)) < len(series)

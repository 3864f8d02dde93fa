"""What is frozen of one level, slices or series: calibration, then threshold, then band.

In this order, on the same validation subjects: threshold and band are places on the calibrated scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import Calibration, logit_of, sigmoid
from gadoscope.decision.decision import LevelDecision
from gadoscope.decision.operating_point import OperatingPoint, Promise
from gadoscope.freezing.band import Band, Weighed, choose_band
from gadoscope.freezing.calibration import choose_calibration, fit_calibration
from gadoscope.freezing.held_out import Candidate
from gadoscope.freezing.plan import AUTO, Plan
from gadoscope.freezing.rules import ChosenPoint, choose_point
from gadoscope.labels import Level
from gadoscope.records import to_plain
from gadoscope.statistics.metrics import confusion_at, roc_auc
from gadoscope.wording import plural

MIN_SUBJECTS = 10
"""Of each class, below which nothing is fitted but the threshold.

By simulation a temperature costs a network that needed none 0.02 nats or more in 58 of 100 draws of 5
subjects, in 24 of 10, in 5 of 20; networks that needed one gain on average from 10 on.
"""
UNITS: Mapping[Level, str] = {Level.SLICE: "images", Level.SERIES: "series"}
"""Subjects are never frozen: they are decided as series are."""
UNKNOWN_SUBJECTS = "Subjects are unknown: this supposes that no two {unit} are of one subject."


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The validation images, or their series, after the network.

    Parameters
    ----------
    is_post, logit, group
        Label, logit of POST_CONTRAST and subject of each, shape (n,).
    n_subjects
        None where subjects are unknown; ``group`` is then the nearest to it that is known.
    origin
        What these images are called in what is said of them.
    stratum
        Hospital and plane of each, shape (n,), where they are to weigh by it; else None.
    """

    level: Level
    is_post: Bools
    logit: Floats
    group: NDArray[np.generic]
    n_subjects: int | None
    origin: str = "validation"
    stratum: NDArray[np.generic] | None = None

    @property
    def n_fewest(self) -> int:
        """Return the number of subjects of the class that has fewer."""
        return min(np.unique(self.group[self.is_post]).size, np.unique(self.group[~self.is_post]).size)

    @property
    def words(self) -> str:
        """Return what and how many these are."""
        subjects = "subjects unknown" if self.n_subjects is None else plural(self.n_subjects, "subject")
        weighed = "" if self.stratum is None else ", weighed so that no source and plane decides alone"
        return f"{self.origin}: {self.is_post.size} {UNITS[self.level]}, {subjects}{weighed}"


@dataclass(frozen=True, kw_only=True)
class FrozenLevel:
    """What the bundle takes of one level, what it reaches, and what the user must be told."""

    decided: LevelDecision
    performance: Mapping[str, Any]
    notices: tuple[str, ...]


def freeze_level(validation: Validation, plan: Plan) -> FrozenLevel:
    """Fit the calibration, choose the threshold by the stated rule, then the band.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    """
    calibration, candidates, notices = _calibrate(validation, plan.calibration)
    probability = calibration.apply(validation.logit)
    rule = plan.rule
    chosen = choose_point(validation.is_post, probability, validation.group, rule, stratum=validation.stratum)
    band = _choose_band(validation, probability, chosen, plan)
    point = OperatingPoint(
        threshold=chosen.threshold,
        lower=chosen.threshold,
        upper=chosen.threshold,
        rule=rule.name,
        rule_parameters=_list_parameters(chosen),
        chosen_on=validation.words,
        reached=chosen.sentence,
    )
    if not chosen.is_met:
        notices = (*notices, f"{_title(validation)}: {chosen.sentence}")
    if plan.abstain_below_logit:
        point = _widen(point, plan.abstain_below_logit)
    if plan.max_risk:
        point = _promise(point, band, validation, plan)
        notices = (*notices, f"{_title(validation)}: {point.promise.sentence if point.promise else ''}")
    return FrozenLevel(
        decided=LevelDecision(point=point, calibration=calibration),
        performance=_measure(validation, probability, chosen, candidates, band),
        notices=notices,
    )


def _title(validation: Validation) -> str:
    return UNITS[validation.level].capitalize()


def _calibrate(
    validation: Validation, method: str
) -> tuple[Calibration, tuple[Candidate, ...], tuple[str, ...]]:
    """Return the calibration, what each method reaches if one was chosen, and why there is none."""
    if method == "none":
        return Calibration(), (), ()
    if validation.n_fewest < MIN_SUBJECTS:
        kind = "image" if validation.n_subjects is None else "subject"
        notice = (
            f"{_title(validation)} are not calibrated: {validation.origin} has only "
            f"{plural(validation.n_fewest, kind)} of one class, and it takes {MIN_SUBJECTS}; "
            "their probabilities are scores."
        )
        return Calibration(), (), (notice,)
    if method == AUTO:
        chosen, candidates = choose_calibration(
            validation.is_post, validation.logit, validation.group, stratum=validation.stratum
        )
        return chosen, candidates, ()
    calibration = fit_calibration(
        validation.is_post, validation.logit, validation.group, method, stratum=validation.stratum
    )
    return calibration, (), ()


def _choose_band(validation: Validation, probability: Floats, chosen: ChosenPoint, plan: Plan) -> Band | None:
    """Return the band that keeps the promise; None where none is asked for or none can be tested."""
    if not plan.max_risk or validation.n_fewest < MIN_SUBJECTS:
        return None
    return choose_band(
        validation.is_post,
        probability,
        validation.group,
        chosen.threshold,
        plan.max_risk,
        plan.confidence,
        choose=chosen.rule if validation.stratum is None else Weighed(chosen.rule, validation.stratum),
        unit=UNITS[validation.level],
        least_silent=plan.least_silent,
    )


def _promise(point: OperatingPoint, band: Band | None, validation: Validation, plan: Plan) -> OperatingPoint:
    """Return the point with the band and the promise, or with why there is none."""
    if band is None:
        sentence = (
            f"Nothing can be promised from {plural(validation.n_fewest, 'subject')} of one class; "
            f"it takes at least {MIN_SUBJECTS}."
        )
    else:
        sentence = band.sentence
    if validation.n_subjects is None:
        sentence += " " + UNKNOWN_SUBJECTS.format(unit=UNITS[validation.level])
    promise = Promise(
        max_risk=plan.max_risk,
        confidence=plan.confidence,
        is_promised=band is not None and band.is_promised,
        coverage=band.coverage.value if band is not None and band.is_promised else None,
        sentence=sentence,
    )
    if band is None or band.lower is None or band.upper is None:
        return replace(point, promise=promise)
    # The edges are computed on the logit scale: an empty band must not miss the threshold by rounding.
    lower, upper = min(band.lower, point.threshold), max(band.upper, point.threshold)
    return replace(point, lower=lower, upper=upper, promise=promise)


def _widen(point: OperatingPoint, half_width: float) -> OperatingPoint:
    """Return the point with a band of stated width in logits to each side, which promises nothing."""
    centre = float(logit_of(np.array(point.threshold)))
    lower, upper = sigmoid(np.array([centre - half_width, centre + half_width]))
    return replace(point, lower=min(float(lower), point.threshold), upper=max(float(upper), point.threshold))


def _list_parameters(chosen: ChosenPoint) -> Mapping[str, Any]:
    """Return the numbers that the rule had."""
    rule = chosen.rule
    if rule.target is not None:
        return {"target": rule.target, "bound": rule.bound, "is_met": chosen.is_met}
    if rule.cost_of_missed_post is not None:
        return {"cost_of_missed_post": rule.cost_of_missed_post, "prevalence": rule.prevalence}
    return {}


def _measure(
    validation: Validation,
    probability: Floats,
    chosen: ChosenPoint,
    candidates: tuple[Candidate, ...],
    band: Band | None,
) -> Mapping[str, Any]:
    """Return what the threshold reaches on the very data it was chosen on, for JSON."""
    confusion = confusion_at(validation.is_post, probability, chosen.threshold)
    return {
        f"n_{UNITS[validation.level]}": confusion.n,
        "n_subjects": validation.n_subjects,
        "auc": roc_auc(validation.is_post, validation.logit),
        "accuracy": confusion.accuracy,
        "confusion": confusion.matrix,
        "point": to_plain(chosen),
        **({"calibrations": to_plain(candidates)} if candidates else {}),
        **({"band": to_plain(band)} if band else {}),
    }

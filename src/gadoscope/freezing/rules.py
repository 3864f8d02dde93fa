"""Rules for the operating point that need a number: a target to reach, or what an error costs."""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.errors import UsageError
from gadoscope.freezing.strata import weigh_strata
from gadoscope.freezing.threshold import RULES, Cuts, choose_threshold
from gadoscope.statistics.columns import number_groups
from gadoscope.statistics.intervals import CONFIDENCE, Estimate
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates, estimate_share
from gadoscope.wording import percent, plural

Bound = Literal["lower", "point"]
TARGETS = ("target_sensitivity", "target_specificity")
BALANCED = "balanced_accuracy"
POINT_RULES: tuple[str, ...] = (*RULES, *TARGETS, "cost")
"""All rules; those of `operating_point.RULES` need no number."""


@dataclass(frozen=True, kw_only=True)
class PointRule:
    """How an operating point is chosen.

    Parameters
    ----------
    name
        One of `POINT_RULES`.
    target
        For ``target_sensitivity`` and ``target_specificity``: the rate to reach, between 0 and 1.
    bound
        What must reach the target: ``lower``, the one-sided 95 % bound by subject, or ``point``, the
        rate itself, which on new data is missed about every second time.
    cost_of_missed_post
        For ``cost``: how many pre-contrast series called post one missed post-contrast series is worth.
    prevalence
        For ``cost``: share of post-contrast series where the model will be used; None: as in the data.

    Raises
    ------
    UsageError
        If the rule is unknown, or a number is missing, superfluous or out of its range.
    """

    name: str = "balanced_accuracy"
    target: float | None = None
    bound: Bound = "lower"
    cost_of_missed_post: float | None = None
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if self.name not in POINT_RULES:
            raise UsageError(
                f"the threshold rule {self.name!r} is unknown; choose one of {', '.join(POINT_RULES)}."
            )
        if self.bound not in get_args(Bound):
            raise UsageError(f"the bound {self.bound!r} is unknown; choose lower or point.")
        self._check_number("target", self.name in TARGETS, is_share=True)
        self._check_number("cost_of_missed_post", self.name == "cost", is_share=False)
        if self.name == "cost" and self.prevalence is None:
            return
        self._check_number("prevalence", self.name == "cost", is_share=True)

    def _check_number(self, key: str, needed: bool, *, is_share: bool) -> None:
        value: float | None = getattr(self, key)
        if (value is None) == needed:
            raise UsageError(
                f"the threshold rule {self.name} needs {key}: give it one."
                if needed
                else f"the threshold rule {self.name} has no use for {key} {value}: leave it out."
            )
        if value is not None and not 0 < value < (1 if is_share else float("inf")):
            limits = "between 0 and 1" if is_share else "above 0"
            raise UsageError(
                f"{key} of the threshold rule {self.name} is {value}; expected a number {limits}."
            )


@dataclass(frozen=True, kw_only=True)
class ChosenPoint:
    """A threshold, and what it reached on the data it was chosen on: on new data expect less.

    ``is_met`` is False where a target is out of reach; the threshold is then the nearest to it.
    """

    threshold: float
    rule: PointRule
    is_met: bool
    sentence: str
    sensitivity: Estimate
    specificity: Estimate
    balanced_accuracy: Estimate


def choose_point(
    is_post: Annotated[Bools, "n"],
    probability: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    rule: PointRule,
    *,
    stratum: Annotated[NDArray[np.generic], "n"] | None = None,
) -> ChosenPoint:
    """Return the threshold that ``rule`` asks for, and what it reached.

    A target with ``bound="lower"`` is tested from the safest cut on, and the last cut before the first
    failure is taken: testing in a fixed order keeps the 95 % for all of them together.

    Parameters
    ----------
    is_post, probability, group
        Label, P(post-contrast) and subject of each validation image, shape (n,).
    stratum
        Hospital and plane of each, shape (n,): ``balanced_accuracy`` is then that of all strata together,
        which weigh as `weigh_strata` says. The other rules do not look at it.

    Raises
    ------
    ManifestError
        If a class is missing or a probability is not a number in [0, 1].

    References
    ----------
    Angelopoulos et al., Ann. Appl. Stat. 19 (2025) 1641 (testing in a fixed sequence)
    """
    threshold, is_met = find_threshold(is_post, probability, group, rule, stratum=stratum)
    rates = estimate_rates(is_post, probability >= threshold, group)
    return ChosenPoint(
        threshold=threshold,
        rule=rule,
        is_met=is_met,
        sentence=_describe(rule, is_met, rates.sensitivity, rates.specificity),
        sensitivity=rates.sensitivity,
        specificity=rates.specificity,
        balanced_accuracy=estimate_balanced_accuracy(rates),
    )


def find_threshold(
    is_post: Bools,
    probability: Floats,
    group: NDArray[np.generic],
    rule: PointRule,
    *,
    stratum: NDArray[np.generic] | None = None,
) -> tuple[float, bool]:
    """Return the threshold of `choose_point` alone, and whether the target is reached where there is one."""
    if rule.name == BALANCED and stratum is not None:
        weight = weigh_strata(is_post, stratum, group)
        return choose_threshold(is_post, probability, weight=weight), True
    if rule.name in RULES:
        return choose_threshold(is_post, probability, rule.name), True
    if rule.name == "cost":
        return _least_cost(Cuts(is_post, probability), rule), True
    return _reach_target(is_post, probability, number_groups(group, is_post.size), rule)


def _least_cost(cuts: Cuts, rule: PointRule) -> float:
    prevalence = rule.prevalence or cuts.n_post / (cuts.n_post + cuts.n_pre)
    missed = 1 - cuts.true_post / cuts.n_post
    called = 1 - cuts.true_pre / cuts.n_pre
    cost = prevalence * (rule.cost_of_missed_post or 1.0) * missed + (1 - prevalence) * called
    return cuts.best(-np.round(cost, 12))  # equally good cuts must be equal in spite of rounding


def _reach_target(
    is_post: Bools, probability: Floats, subject: Integers, rule: PointRule
) -> tuple[float, bool]:
    """Return the threshold that gives up least of the other rate, and whether the target is reached."""
    cuts = Cuts(is_post, probability)
    wants_post = rule.name == "target_sensitivity"
    rows = is_post if wants_post else ~is_post
    own, owner, target = probability[rows], subject[rows], rule.target or 0.0
    right = cuts.true_post if wants_post else cuts.true_pre
    # Cuts at which the rate changes, the safest first, each the one that is best for the other class.
    n_cuts = cuts.scores.size + 1
    order = np.arange(n_cuts) if wants_post else np.arange(n_cuts)[::-1]
    last_of_step = np.flatnonzero(np.diff(right[order], append=-1))
    chosen: int | None = None
    for cut in order[last_of_step]:
        threshold = cuts.threshold(int(cut))
        called = own >= threshold
        rate = estimate_share(called == wants_post, owner, confidence=2 * CONFIDENCE - 1)
        reached = rate.lower if rule.bound == "lower" else rate.value
        if (reached or 0.0) < target:
            break
        chosen = int(cut)
    if chosen is None:
        return cuts.threshold(int(order[last_of_step[0]])), False
    return cuts.threshold(chosen), True


def _describe(rule: PointRule, is_met: bool, sensitivity: Estimate, specificity: Estimate) -> str:
    reached = (
        f"sensitivity {percent(sensitivity.value)} in {plural(sensitivity.n_subjects, 'subject')} and "
        f"specificity {percent(specificity.value)} in {plural(specificity.n_subjects, 'subject')}"
    )
    if rule.name not in TARGETS:
        return f"Chosen by {rule.name.replace('_', ' ')} on validation data: {reached}."
    rate = rule.name.removeprefix("target_")
    aim = f"a {rate} of {percent(rule.target)}"
    if rule.bound == "lower":
        aim += " with 95\N{NO-BREAK SPACE}% confidence"
    if not is_met:
        return f"No threshold reaches {aim} with so few subjects; the safest gives {reached}."
    return f"Chosen for {aim} on validation data: {reached}."

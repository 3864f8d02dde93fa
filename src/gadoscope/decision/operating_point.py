"""From logit to probability to phase: the bundle's calibration and its operating point."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gadoscope.labels import Phase


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What the abstention band was chosen for, and whether it could be had.

    Parameters
    ----------
    max_risk
        Largest share of silent errors that was asked for.
    confidence
        How sure the promise is over draws of the validation subjects.
    is_promised
        False where too few subjects, or too many errors, allow no such promise.
    coverage
        Share of the validation images or series that get an answer.
    sentence
        The promise for a person, or why there is none.
    """

    max_risk: float
    confidence: float
    is_promised: bool
    coverage: float | None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """Where a calibrated probability becomes an answer; chosen on validation data, frozen in the bundle.

    ``lower <= threshold <= upper``, all in [0, 1]. Probabilities in ``[lower, upper)`` are
    INDETERMINATE; the band is empty where ``lower == upper``.

    Parameters
    ----------
    rule, rule_parameters
        How the threshold was chosen, such as ``target_sensitivity`` with its ``target`` and ``bound``.
    chosen_on
        On which data.
    reached
        What the threshold reached on these, in a sentence; empty where nothing was measured.
    promise
        What the band promises; None where none was asked for.
    """

    threshold: float
    lower: float
    upper: float
    rule: str
    chosen_on: str
    rule_parameters: Mapping[str, Any] = field(default_factory=dict)
    reached: str = ""
    promise: Promise | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.lower <= self.threshold <= self.upper <= 1:
            raise ValueError(
                "operating_point must hold 0 <= lower <= threshold <= upper <= 1, but it has "
                f"lower {self.lower}, threshold {self.threshold}, upper {self.upper}."
            )


def decide(probability: float, point: OperatingPoint) -> Phase:
    """Return the phase that ``probability`` = P(post-contrast) stands for at this operating point.

    ``[lower, upper)`` is INDETERMINATE; ``upper`` itself is post-contrast. Where the band is empty
    this is ``probability >= threshold``.

    Raises
    ------
    ValueError
        If ``probability`` is not in [0, 1]; NaN is not.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies in [0, 1], but this one is {probability}.")
    if probability >= point.upper:
        return Phase.POST_CONTRAST
    if probability < point.lower:
        return Phase.PRE_CONTRAST
    return Phase.INDETERMINATE

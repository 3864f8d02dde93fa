"""How each part of a decision is to be chosen: what whoever freezes is told."""

from dataclasses import dataclass, field

from gadoscope.decision.aggregation import Aggregation
from gadoscope.freezing.rules import PointRule

AUTO = "auto"
"""The simplest method that is as good as the best on validation subjects left out."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is chosen by which rule.

    Parameters
    ----------
    rule
        How the threshold is chosen.
    calibration
        One of `gadoscope.decision.calibration.METHODS`, or `AUTO`.
    aggregation
        Of the slices of a series; None: the best, or the mean where none can be measured.
    abstain_below_logit
        Half the width of a band of stated width, in calibrated logits; 0 for none.
    max_risk, confidence
        What the band promises: at most so many silent errors, and how surely; ``max_risk`` 0 for no promise.
    least_silent
        The nearest to the threshold are silent up to this share, also where the promise needs no band.
    sources
        Only their images are asked; none named asks all.
    weighs_hospitals
        Whether no source and plane decides alone, as `weigh_strata` says; for balanced accuracy only.
    """

    rule: PointRule = field(default_factory=PointRule)
    calibration: str = "temperature"
    aggregation: Aggregation | None = None
    abstain_below_logit: float = 0.0
    max_risk: float = 0.0
    confidence: float = 0.95
    least_silent: float = 0.0
    sources: tuple[str, ...] = ()
    weighs_hospitals: bool = False

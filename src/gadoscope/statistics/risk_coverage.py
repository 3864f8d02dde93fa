"""Risk and coverage: the share of wrong answers against the share of images that get one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import logit_of
from gadoscope.statistics.columns import check_scores, number_groups
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.shares import estimate_share

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)
"""Coverages that a table shows."""


@dataclass(frozen=True, kw_only=True)
class CoveragePoint:
    """The widest band that still answers at least ``asked`` of the images.

    ``error_of_answered`` is the share of wrong ones among the answers; ``half_width_logit`` that of the
    band around the threshold.
    """

    asked: float
    coverage: float
    half_width_logit: float
    error_of_answered: Estimate


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskCoverage:
    """The curve over all bands around the threshold, from the most certain image to all of them.

    Attributes
    ----------
    coverage, risk
        Share of images answered, ascending to 1, and the share of wrong ones among them, shape (k,).
    area
        Mean risk over coverages: the area under the curve; lower is better.
    points
        The curve at `COVERAGES`, with intervals by subject.
    """

    coverage: Floats
    risk: Floats
    area: float
    points: tuple[CoveragePoint, ...]


def measure_risk_coverage(
    is_post: Annotated[Bools, "n"],
    probability: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    threshold: float,
    coverages: Sequence[float] = COVERAGES,
) -> RiskCoverage:
    """Return the risk-coverage curve of a threshold.

    Images are answered in the order of their distance from the threshold in logits; equally distant ones
    are answered together.

    Parameters
    ----------
    is_post, probability, group
        Label, P(post-contrast) and subject of each image, shape (n,).

    Raises
    ------
    ManifestError
        If there is no image, or a probability is not a number.

    References
    ----------
    El-Yaniv and Wiener, J. Mach. Learn. Res. 11 (2010) 1605; Geifman and El-Yaniv, NeurIPS 2017
    """
    check_scores(is_post, probability)
    subject = number_groups(group, is_post.size)
    is_wrong = (probability >= threshold) != is_post
    distance = np.abs(logit_of(probability) - logit_of(np.array(threshold)))
    steps, step = np.unique(-distance, return_inverse=True)  # the farthest first
    answered = np.cumsum(np.bincount(step))
    wrong = np.cumsum(np.bincount(step, weights=is_wrong))
    coverage, risk = answered / is_post.size, wrong / answered
    points = []
    for asked in coverages:
        last = int(np.searchsorted(coverage, asked - 1e-12))  # 0.95 * 20 images need not be 19 exactly
        rows = step <= last
        points.append(
            CoveragePoint(
                asked=asked,
                coverage=float(coverage[last]),
                half_width_logit=0.0 if last + 1 == steps.size else float(-steps[last]),
                error_of_answered=estimate_share(is_wrong[rows], subject[rows]),
            )
        )
    area = float(risk @ np.diff(coverage, prepend=0.0))
    return RiskCoverage(coverage=coverage, risk=risk, area=area, points=tuple(points))


def measure_by_source(
    is_post: Bools,
    probability: Floats,
    group: NDArray[np.generic],
    source: NDArray[np.str_],
    threshold: float,
) -> dict[str, RiskCoverage]:
    """Return the curve of each source, by name."""
    return {
        str(name): measure_risk_coverage(
            is_post[source == name], probability[source == name], group[source == name], threshold
        )
        for name in np.unique(source)
    }

"""Every figure of a table of predictions, each with the interval that simulation found honest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.columns import number_groups
from gadoscope.statistics.delong import estimate_auc
from gadoscope.statistics.intervals import Estimate
from gadoscope.statistics.metrics import average_precision
from gadoscope.statistics.prevalence import PREVALENCES, estimate_predictive_values
from gadoscope.statistics.resampling import DRAWS, bootstrap_average_precision
from gadoscope.statistics.shares import estimate_balanced_accuracy, estimate_rates, estimate_share


@dataclass(frozen=True, kw_only=True)
class PredictiveValues:
    """How far an answer can be trusted where ``prevalence`` of all series are post-contrast."""

    prevalence: float
    positive: Estimate
    negative: Estimate


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one table at one threshold; what the data do not define has the value None."""

    auc: Estimate
    average_precision: Estimate
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    balanced_accuracy: Estimate
    predictive_values: tuple[PredictiveValues, ...]


def estimate_figures(
    is_post: Annotated[Bools, "n"],
    score: Annotated[Floats, "n"],
    called_post: Annotated[Bools, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    prevalences: Sequence[float] = PREVALENCES,
    draws: int = DRAWS,
) -> Figures:
    """Return every figure with a 95 % interval for subjects drawn anew.

    Parameters
    ----------
    is_post, group
        Label and subject of each image, shape (n,).
    score
        What the images are ranked by, such as the logit.
    called_post
        The answers at the operating point.

    Raises
    ------
    ManifestError
        If there is no image, the lengths differ, or a score is not a number.
    """
    auc = estimate_auc(is_post, score, group)  # first: it checks the scores
    subject = number_groups(group, is_post.size)
    rates = estimate_rates(is_post, called_post, subject)
    values = [(share, *estimate_predictive_values(rates, share)) for share in prevalences]
    return Figures(
        auc=auc,
        average_precision=_estimate_average_precision(is_post, score, subject, draws),
        accuracy=estimate_share(called_post == is_post, subject),
        sensitivity=rates.sensitivity,
        specificity=rates.specificity,
        balanced_accuracy=estimate_balanced_accuracy(rates),
        predictive_values=tuple(
            PredictiveValues(prevalence=share, positive=positive, negative=negative)
            for share, positive, negative in values
        ),
    )


def _estimate_average_precision(
    is_post: Bools, score: Floats, subject: NDArray[np.int64], draws: int
) -> Estimate:
    interval = bootstrap_average_precision(is_post, score, subject, draws=draws)
    return Estimate(
        value=average_precision(is_post, score),
        lower=interval.lower if interval else None,
        upper=interval.upper if interval else None,
        n=is_post.size,
        n_subjects=int(subject.max()) + 1,
        method="bootstrap by subject",
    )

"""When to stay silent: a band around the threshold that keeps a promise about silent errors.

The promise is about subjects like those of the validation data (exchangeable with them). It says
nothing of another scanner, hospital or kind of patient.

References
----------
Bates et al., J. ACM 68 (2021) 43 (risk-controlling sets: one test at the chosen band is enough where
wider bands never err more); Angelopoulos et al., Ann. Appl. Stat. 19 (2025) 1641 (Learn then Test)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.decision.calibration import logit_of, sigmoid
from gadoscope.errors import ManifestError
from gadoscope.freezing.rules import PointRule, find_threshold
from gadoscope.freezing.threshold import LIMIT
from gadoscope.statistics.columns import check_scores, number_groups, sum_by_group
from gadoscope.statistics.folds import deal_folds, weigh_by_subject
from gadoscope.statistics.intervals import CONFIDENCE, Estimate, bound_risk, risk_p_value
from gadoscope.statistics.shares import estimate_share
from gadoscope.wording import percent, plural


class Weighed(NamedTuple):
    """A rule, and the hospital and plane of each image, shape (n,), that `choose_point` weighs by."""

    rule: PointRule
    stratum: NDArray[np.generic]


Choose = Callable[[Bools, Floats], float] | PointRule | Weighed
"""Labels and probabilities to a threshold, or what `operating_rules.choose_point` is told."""

# Where the threshold fits the same images, the subjects left out do not show all of its luck: by
# simulation promises are then broken up to 1.4 times as often as the test errs. So the test may err this
# much less.
FITTED_SHARE = 0.7
# Nine tenths of the subjects choose nearly the threshold that all do.
N_FOLDS = 10
# A band that must reach beyond the outermost score ends this far from it, in logits.
OUTER_MARGIN_LOGIT = 0.5


@dataclass(frozen=True, kw_only=True)
class Band:
    """Probabilities in ``[lower, upper)`` are INDETERMINATE, and what that was worth on validation data.

    A silent error is an image that gets an answer, and a wrong one.

    Attributes
    ----------
    lower, upper
        None where nothing can be promised; equal to the threshold where no band is needed.
    risk
        Share of silent errors among all images, each subject counting once; ``upper`` is the one-sided
        bound that the promise rests on.
    coverage
        Share of images that get an answer.
    error_of_answered
        Share of wrong answers among the answers: the promise is not about it.
    n_errors, n_errors_without_band
        Silent errors in images, at this threshold with and without the band.
    n_subjects_needed
        How many subjects without one silent error the promise takes.
    least_risk
        The smallest risk that so many subjects without one silent error could promise.
    """

    threshold: float
    lower: float | None
    upper: float | None
    max_risk: float
    confidence: float
    is_promised: bool
    sentence: str
    risk: Estimate
    coverage: Estimate
    error_of_answered: Estimate
    n_errors: int
    n_errors_without_band: int
    n_subjects_needed: int
    least_risk: float


def choose_band(  # noqa: PLR0913 - a promise has so many words
    is_post: Annotated[Bools, "n"],
    probability: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    threshold: float,
    max_risk: float,
    confidence: float = CONFIDENCE,
    *,
    choose: Choose | None = None,
    unit: str = "images",
    least_silent: float = 0.0,
) -> Band:
    """Return the narrowest band with which at most ``max_risk`` silent errors can be promised.

    The risk of a band is the chance that an image of a new subject gets a wrong answer, the images of
    one subject weighing as much as those of another. A wider band never has more, so one test at the
    narrowest band that passes is enough. The test is exact where each subject has one image (binomial),
    and valid for any shares of errors where they have more (Hoeffding and Bentkus).

    A threshold that was chosen on these very images errs less on them than on new ones. Say how it was
    chosen, and each subject is judged by the threshold that the others alone would have given, too.
    Without that a promise is broken up to twice as often as stated, as simulation shows. With it, not more
    often than stated: that is measured, not proven, as it is for a threshold from other subjects.

    Parameters
    ----------
    is_post, probability, group
        Label, P(post-contrast) and subject of each validation image (or series), shape (n,). Where
        subjects are unknown each image counts as one, and the promise is about images drawn alone.
    threshold
        The operating point, inside (0, 1).
    max_risk
        The promise, such as 0.02 for two in a hundred.
    confidence
        How sure the promise is over draws of the validation subjects.
    choose
        Labels and probabilities to a threshold, a `PointRule`, or a `Weighed` one: how ``threshold`` was
        chosen on these images. None if it was chosen on other subjects.
    unit
        What the rows are, for the sentence.
    least_silent
        The nearest to the threshold are silent up to this share, each subject counting once, also where
        the promise needs no band: 179 series without an error say nothing of the firmness of a 0.68.

    Raises
    ------
    ValueError
        If threshold, risk or confidence does not lie between 0 and 1.
    ManifestError
        If there is no image, or a probability is not a number.
    """
    for name, value in (("threshold", threshold), ("risk", max_risk), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ValueError(f"the {name} lies between 0 and 1, but this one is {value}.")
    check_scores(is_post, probability)
    subject = number_groups(group, is_post.size)
    reach = _reach(is_post, probability, np.array(threshold))
    alpha = 1 - confidence
    if choose is not None:  # an error by either threshold counts
        alpha *= FITTED_SHARE
        others = _held_out(is_post, probability, subject, choose)
        reach = np.maximum(reach, _reach(is_post, probability, others))
    test = _Test(subject, max_risk)
    # Silencing the nearest errors first; equally far ones go together. Wider is never worse.
    widths = np.unique(reach[np.isfinite(reach)])

    def passes(n_silenced: int) -> bool:
        is_error = reach > widths[n_silenced - 1] if n_silenced else reach > -np.inf
        return test.p_value(is_error) <= alpha

    n_silenced = _first_passing(passes, widths.size + 1)
    edges: tuple[float, float] | None = None
    if n_silenced == 0:
        edges = threshold, threshold
    elif n_silenced is not None:
        edges = _edges(float(widths[n_silenced - 1]), probability, threshold)
    if edges is not None and least_silent:
        edges = _widen(edges, probability, subject, threshold, least_silent)
    promise = _Promise(max_risk, confidence, alpha, test.n_subjects, unit)
    return _describe(is_post, probability, subject, threshold, edges, promise)


def is_answered(probability: Floats, lower: float, upper: float) -> Bools:
    """Return which images lie outside the band ``[lower, upper)``."""
    return (probability < lower) | (probability >= upper)


@dataclass(frozen=True)
class _Test:
    """Whether the mean over subjects of their share of silent errors is below ``risk``."""

    subject: Integers
    risk: float

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return int(self.subject.max()) + 1

    def p_value(self, is_error: Bools) -> float:
        """Return how likely so few errors are if the risk is at least ``self.risk``."""
        shares = _subject_shares(is_error, self.subject)
        return risk_p_value(shares, self.risk, is_binary=shares.size == self.subject.size)


def _subject_shares(is_error: Bools, subject: Integers) -> Floats:
    return sum_by_group(is_error * weigh_by_subject(subject), subject)


def _first_passing(passes: Callable[[int], bool], n: int) -> int | None:
    """Return the first index that passes, None if none does; all indices after a passing one pass."""
    if not passes(n - 1):
        return None
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        if passes(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _held_out(is_post: Bools, probability: Floats, subject: Integers, choose: Choose) -> Floats:
    """Return for each image the threshold that subjects other than its own give, shape (n,)."""
    fold = deal_folds(is_post, subject, n_folds=N_FOLDS)
    if fold is None:
        raise ManifestError(
            "a threshold cannot be chosen without one subject where a class has only one; "
            "a promise needs more subjects."
        )
    thresholds = np.empty(is_post.size)
    for left_out in range(int(fold.max()) + 1):
        rows = fold == left_out
        if isinstance(choose, PointRule | Weighed):
            rule, stratum = choose if isinstance(choose, Weighed) else (choose, None)
            rest = None if stratum is None else stratum[~rows]
            thresholds[rows], _ = find_threshold(
                is_post[~rows], probability[~rows], subject[~rows], rule, stratum=rest
            )
        else:
            thresholds[rows] = choose(is_post[~rows], probability[~rows])
    return thresholds


def _reach(is_post: Bools, probability: Floats, threshold: Floats) -> Floats:
    """Return how wide a band must be, in logits to each side, to silence an image, shape (n,).

    Minus infinity for what is answered rightly, infinity for errors so certain that no band holds them.
    """
    distance = np.abs(logit_of(probability) - logit_of(threshold))
    beyond = (probability <= LIMIT) | (probability >= 1 - LIMIT)
    is_wrong = (probability >= threshold) != is_post
    return np.where(is_wrong, np.where(beyond, np.inf, distance), -np.inf)


def _edges(width: float, probability: Floats, threshold: float) -> tuple[float, float]:
    """Return the band that holds what lies up to ``width`` from the threshold, and nothing beyond."""
    centre = float(logit_of(np.array(threshold)))
    distance = np.abs(logit_of(probability) - centre)
    farther = distance[distance > width]
    half = (width + farther.min()) / 2 if farther.size else width + OUTER_MARGIN_LOGIT
    lower, upper = sigmoid(np.array([centre - half, centre + half]))
    return float(lower), float(upper)


def _widen(
    edges: tuple[float, float], probability: Floats, subject: Integers, threshold: float, silent: float
) -> tuple[float, float]:
    """Return the band that is silent on ``silent`` of all and no more, unless ``edges`` already are wider."""
    distance = np.abs(logit_of(probability) - float(logit_of(np.array(threshold))))
    order = np.argsort(distance, kind="stable")
    share = np.cumsum(weigh_by_subject(subject)[order]) / (int(subject.max()) + 1)
    # Equally far ones go together: what is within reach ends where the next lies farther.
    ends = np.append(np.diff(distance[order]) > 0, True)
    within = distance[order][ends & (share <= silent)]
    if not within.size:
        return edges
    lower, upper = _edges(float(within[-1]), probability, threshold)
    return min(lower, edges[0]), max(upper, edges[1])


@dataclass(frozen=True)
class _Promise:
    """What is to be promised from how many subjects; ``alpha`` is how often the test may err."""

    max_risk: float
    confidence: float
    alpha: float
    n_subjects: int
    unit: str

    @property
    def n_needed(self) -> int:
        return math.ceil(math.log(self.alpha) / math.log1p(-self.max_risk))

    @property
    def least_risk(self) -> float:
        return float(1 - self.alpha ** (1 / self.n_subjects))

    def keep(self, coverage: float | None) -> str:
        return (
            f"On data like those of the {plural(self.n_subjects, 'validation subject')} at most "
            f"{percent(self.max_risk)} of all {self.unit} get a wrong answer, with "
            f"{percent(self.confidence)} confidence; {percent(coverage)} get an answer. "
            "It holds for no other scanner, hospital or patients."
        )

    def refuse(self) -> str:
        why = (
            f"it takes at least {self.n_needed} subjects without a silent error, "
            f"and there are {self.n_subjects}"
            if self.n_subjects < self.n_needed
            else "too many errors lie beyond any band"
        )
        return (
            f"At most {percent(self.max_risk)} silent errors cannot be promised with "
            f"{percent(self.confidence)} confidence: {why}. The least that "
            f"{plural(self.n_subjects, 'subject')} can promise is {percent(self.least_risk)}."
        )


def _describe(
    is_post: Bools,
    probability: Floats,
    subject: Integers,
    threshold: float,
    edges: tuple[float, float] | None,
    promise: _Promise,
) -> Band:
    is_wrong = (probability >= threshold) != is_post
    answered = is_answered(probability, *(edges or (threshold, threshold)))
    coverage = estimate_share(answered, subject)
    return Band(
        threshold=threshold,
        lower=edges[0] if edges else None,
        upper=edges[1] if edges else None,
        max_risk=promise.max_risk,
        confidence=promise.confidence,
        is_promised=edges is not None,
        sentence=promise.keep(coverage.value) if edges else promise.refuse(),
        risk=_estimate_risk(_subject_shares(is_wrong & answered, subject), is_post.size, promise),
        coverage=coverage,
        error_of_answered=estimate_share(is_wrong[answered], subject[answered]),
        n_errors=int((is_wrong & answered).sum()),
        n_errors_without_band=int(is_wrong.sum()),
        n_subjects_needed=promise.n_needed,
        least_risk=promise.least_risk,
    )


def _estimate_risk(losses: Floats, n_images: int, promise: _Promise) -> Estimate:
    return Estimate(
        value=float(losses.mean()),
        lower=0.0,
        upper=bound_risk(losses, 1 - promise.alpha, is_binary=losses.size == n_images),
        n=n_images,
        n_subjects=losses.size,
        method="one-sided bound by subject",
    )

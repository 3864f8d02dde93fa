"""The area under the ROC curve and the difference of two, without resampling.

DeLong's variance supposes independent images. Here it is summed by subject first, which is exact for
one image a subject and right, with enough subjects, for many.

Which comparison to use: with at least about 20 subjects of each class `compare_auc`; its p-value and
interval belong together. For figures other than the area, or as a check, the paired bootstrap of
`paired`.

References
----------
DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837; Obuchowski, Biometrics 53 (1997) 567;
Sun and Xu, IEEE Signal Process. Lett. 21 (2014) 1389 (the fast form); Newcombe, Stat. Med. 25 (2006) 559
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import rankdata
from scipy.stats import t as student_t

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.columns import check_scores, effective_number, number_groups, sum_by_group
from gadoscope.statistics.intervals import CONFIDENCE, PRIOR_SUBJECTS, Difference, Estimate, Interval
from gadoscope.statistics.metrics import has_both_classes

NEWCOMBE = "Newcombe's score interval, DeLong variance by subject"
DELONG = "DeLong by subject (Obuchowski)"


@dataclass(frozen=True)
class Components:
    """What each subject adds to the error of an area: through its post and its pre images.

    Both have shape (subjects,), a subject without images of the class has 0; ``n_post`` and ``n_pre``
    count the subjects with images of that class, ``n_both`` those with images of both.
    """

    post: Floats
    pre: Floats
    n_post: int
    n_pre: int

    @property
    def variance(self) -> float:
        """Obuchowski's variance of the area; NaN with one subject in a class."""
        if min(self.n_post, self.n_pre) < 2:  # noqa: PLR2004  # a variance needs two
            return float("nan")
        n = self.post.size
        own = _spread(self.post, self.n_post) + _spread(self.pre, self.n_pre)
        return max(0.0, own + 2 * n / (n - 1) * float(self.post @ self.pre))

    @property
    def degrees_of_freedom(self) -> float:
        """Satterthwaite's, of a sum of two variances; infinite where both are 0."""
        post, pre = _spread(self.post, self.n_post), _spread(self.pre, self.n_pre)
        if post + pre == 0:
            return float("inf")
        return (post + pre) ** 2 / (post**2 / (self.n_post - 1) + pre**2 / (self.n_pre - 1))

    @property
    def n_informative(self) -> float:
        """Effective number of subjects that carry the error; 0 where none does."""
        squares = (self.post + self.pre) ** 2
        fourth = float(squares @ squares)
        return float(squares.sum()) ** 2 / fourth if fourth > 0 else 0.0

    def __sub__(self, other: "Components") -> "Components":
        return Components(self.post - other.post, self.pre - other.pre, self.n_post, self.n_pre)


def _spread(part: Floats, n: int) -> float:
    return n / (n - 1) * float(part @ part)


def find_components(is_post: Bools, score: Floats, group: NDArray[np.generic]) -> tuple[float, Components]:
    """Return the ROC area and its components by subject; both classes present."""
    subject = number_groups(group, is_post.size)
    n_subjects = int(subject.max()) + 1
    n_post, n_pre = int(is_post.sum()), int((~is_post).sum())
    rank = rankdata(score)  # mid-ranks: ties count half
    # How many images of the other class lie on the right side of each image, as a share.
    post = (rank[is_post] - rankdata(score[is_post])) / n_pre
    pre = 1 - (rank[~is_post] - rankdata(score[~is_post])) / n_post
    area = float(post.mean())
    return area, Components(
        post=sum_by_group((post - area) / n_post, subject[is_post], n_subjects),
        pre=sum_by_group((pre - area) / n_pre, subject[~is_post], n_subjects),
        n_post=np.unique(subject[is_post]).size,
        n_pre=np.unique(subject[~is_post]).size,
    )


def estimate_auc(
    is_post: Annotated[Bools, "n"],
    score: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    *,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return the ROC area with an interval for subjects drawn anew.

    Newcombe's interval inverts a test whose variance depends on the area as it does for exponential
    scores; that variance is scaled to the one by subject. It stays inside [0, 1] and is defined where
    every image is ranked right, and for a single subject in a class: there subjects count, not images.
    Value and limits are None where a class is missing.

    Parameters
    ----------
    is_post, score, group
        Label, score (only the order counts) and subject of each image, shape (n,).
    """
    check_scores(is_post, score)
    subject = number_groups(group, is_post.size)
    n, n_subjects = is_post.size, int(subject.max()) + 1
    if not has_both_classes(is_post):
        return Estimate(value=None, lower=None, upper=None, n=n, n_subjects=n_subjects, method=NEWCOMBE)
    area, components = find_components(is_post, score, subject)
    sizes = effective_number(subject[is_post]), effective_number(subject[~is_post])
    interval = _score_interval(area, components, sizes, confidence)
    return Estimate(
        value=area,
        lower=interval.lower,
        upper=interval.upper,
        n=n,
        n_subjects=n_subjects,
        method=NEWCOMBE,
    )


def _score_interval(
    area: float, components: Components, sizes: tuple[float, float], confidence: float
) -> Interval:
    """Return {a: |area - a| <= quantile * standard error at a}."""
    scale, freedom = 1.0, float("inf")
    by_subject = components.variance
    by_shape = exponential_variance(area, *sizes)
    if by_subject > 0 and by_shape > 0:  # not so where all is ranked right, or a class has one subject
        weight = PRIOR_SUBJECTS / (components.n_informative + PRIOR_SUBJECTS)
        scale = ((1 - weight) * by_subject + weight * max(by_subject, by_shape)) / by_shape
        freedom = components.degrees_of_freedom
    quantile = float(student_t.isf((1 - confidence) / 2, freedom))

    def excess(candidate: float) -> float:
        return (area - candidate) ** 2 - quantile**2 * scale * exponential_variance(candidate, *sizes)

    # One root on each side of the area. At 0 and 1 the variance vanishes: there the area itself is a root,
    # and the search starts beside it.
    edge = 1e-12
    inside = min(max(area, 1000 * edge), 1 - 1000 * edge)
    lower = brentq(excess, edge, inside) if excess(edge) > 0 else 0.0
    upper = brentq(excess, inside, 1 - edge) if excess(1 - edge) > 0 else 1.0
    return Interval(min(float(lower), area), max(float(upper), area))


def exponential_variance(area: float, n_post: float, n_pre: float) -> float:
    """Return the variance of an ROC area of exponential scores (Newcombe 2006, method 5)."""
    mean = (n_post + n_pre) / 2
    shape = 1 + (mean - 1) * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * shape / (n_post * n_pre)


def compare_auc(is_post: Bools, score_a: Floats, score_b: Floats, group: NDArray[np.generic]) -> Difference:
    """Return the area of A less that of B on the same images, with interval and p-value.

    Value and limits are None where a class is missing. Where the two rank all images alike, or both
    rank all right, the data hold no difference: p is 1, and the interval is as wide as the two single
    intervals allow.
    """
    check_scores(is_post, score_a, score_b)
    if not has_both_classes(is_post):
        return Difference(value=None, lower=None, upper=None, p_value=None, method=DELONG)
    area_a, part_a = find_components(is_post, score_a, group)
    area_b, part_b = find_components(is_post, score_b, group)
    between = part_a - part_b
    value, variance = (
        area_a - area_b,
        _variance_of_difference(is_post, group, (area_a, area_b), (part_a, part_b)),
    )
    if not variance > 0:
        return _without_variance(value, is_post, (score_a, score_b), group)
    error = float(np.sqrt(variance))
    freedom = between.degrees_of_freedom
    quantile = float(student_t.isf((1 - CONFIDENCE) / 2, freedom))
    return Difference(
        value=value,
        lower=max(-1.0, value - quantile * error),
        upper=min(1.0, value + quantile * error),
        p_value=float(2 * student_t.sf(abs(value) / error, freedom)),
        method=DELONG,
    )


def _variance_of_difference(
    is_post: Bools,
    group: NDArray[np.generic],
    areas: tuple[float, float],
    parts: tuple[Components, Components],
) -> float:
    """Return the variance by subject, drawn towards the one of exponential scores as for a single area."""
    between = parts[0] - parts[1]
    by_subject, own = between.variance, (parts[0].variance, parts[1].variance)
    if not by_subject > 0 or not min(own) > 0:
        return by_subject
    sizes = effective_number(group[is_post]), effective_number(group[~is_post])
    by_shape = np.array([exponential_variance(area, *sizes) for area in areas])
    together = (own[0] + own[1] - by_subject) / 2 / np.sqrt(own[0] * own[1])
    shape = float(by_shape.sum() - 2 * together * np.sqrt(by_shape.prod()))
    weight = PRIOR_SUBJECTS / (between.n_informative + PRIOR_SUBJECTS)
    return (1 - weight) * by_subject + weight * max(by_subject, shape)


def _without_variance(
    value: float, is_post: Bools, scores: tuple[Floats, Floats], group: NDArray[np.generic]
) -> Difference:
    limits = [estimate_auc(is_post, score, group) for score in scores]
    return Difference(
        value=value,
        lower=min(value, (limits[0].lower or 0.0) - (limits[1].upper or 0.0)),
        upper=max(value, (limits[0].upper or 0.0) - (limits[1].lower or 0.0)),
        p_value=1.0 if value == 0 else None,
        method="the single intervals, worst case",
    )

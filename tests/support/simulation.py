"""Prediction tables drawn from a population whose true figures are known, to see what intervals hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]

# The line on which true figures are summed: 12 standard deviations of the scores, in steps of 0.001.
LINE = np.arange(-8.0, 12.0, 0.001)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Subjects with several images each; scores are normal, with a part that a subject's images share.

    ``separation`` of the classes is in standard deviations of a score, ``correlation`` that of two images
    of one subject. With ``mixed`` a subject has images of both classes, else of one. ``overconfidence``
    multiplies the logits; 1 is calibrated.
    """

    separation: float
    n_subjects: int
    images_per_subject: float
    correlation: float = 0.5
    share_post: float = 0.5
    mixed: bool = False
    overconfidence: float = 1.0

    def draw(self, generator: np.random.Generator) -> "Table":
        """Draw subjects and their images."""
        size = 1 + generator.poisson(self.images_per_subject - 1, self.n_subjects)
        group = np.repeat(np.arange(self.n_subjects), size)
        if self.mixed:
            is_post = generator.random(group.size) < self.share_post
        else:
            is_post = (generator.random(self.n_subjects) < self.share_post)[group]
        own = generator.normal(size=self.n_subjects)[group] * np.sqrt(self.correlation)
        noise = generator.normal(size=group.size) * np.sqrt(1 - self.correlation)
        score = self.separation * is_post + own + noise
        return Table(is_post, self.logit(score), group)

    def logit(self, score: Floats) -> Floats:
        """Return the logit that a score stands for."""
        odds = np.log(self.share_post / (1 - self.share_post))
        logit: Floats = self.overconfidence * (self.separation * score - self.separation**2 / 2 + odds)
        return logit

    def score_at(self, logit: float) -> float:
        """Return the score whose logit this is."""
        odds = np.log(self.share_post / (1 - self.share_post))
        return float((logit / self.overconfidence + self.separation**2 / 2 - odds) / self.separation)

    def score_of(self, table: "Table") -> Floats:
        """Return the scores behind a table's logits."""
        odds = np.log(self.share_post / (1 - self.share_post))
        score: Floats = (table.logit / self.overconfidence + self.separation**2 / 2 - odds) / self.separation
        return score

    @property
    def auc(self) -> float:
        return float(norm.cdf(self.separation / np.sqrt(2)))

    def sensitivity(self, logit: float = 0.0) -> float:
        return float(norm.sf(self.score_at(logit) - self.separation))

    def specificity(self, logit: float = 0.0) -> float:
        return float(norm.cdf(self.score_at(logit)))

    @property
    def average_precision(self) -> float:
        post = self.share_post * norm.sf(LINE - self.separation)
        pre = (1 - self.share_post) * norm.sf(LINE)
        precision = post / np.maximum(post + pre, 1e-300)
        return float((precision * norm.pdf(LINE - self.separation)).sum() * 0.001)

    def mean_of(self, of_post: Floats, of_pre: Floats) -> float:
        """Return the mean over images of what each point of `LINE` gives, by class."""
        density = self.share_post * norm.pdf(LINE - self.separation) * of_post
        density = density + (1 - self.share_post) * norm.pdf(LINE) * of_pre
        return float(density.sum() * 0.001)

    @property
    def probability_on_line(self) -> Floats:
        return 1 / (1 + np.exp(-self.logit(LINE)))

    @property
    def brier(self) -> float:
        p = self.probability_on_line
        return self.mean_of((1 - p) ** 2, p**2)

    @property
    def calibration_error(self) -> float:
        true = 1 / (1 + np.exp(-self.logit(LINE) / self.overconfidence))
        gap = np.abs(true - self.probability_on_line)
        return self.mean_of(gap, gap)


@dataclass(frozen=True)
class Table:
    is_post: NDArray[np.bool_]
    logit: Floats
    group: NDArray[np.int64]

    @property
    def probability(self) -> Floats:
        return 1 / (1 + np.exp(-self.logit))


def separation_for(auc: float) -> float:
    """Return the separation that gives this ROC area."""
    return float(norm.ppf(auc) * np.sqrt(2))

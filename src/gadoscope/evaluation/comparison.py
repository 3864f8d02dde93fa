"""Several models on the same images: each one's figures, and what they differ by, in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

from gadoscope.arrays import Bools, Floats
from gadoscope.records import Data, to_plain
from gadoscope.statistics.estimates import estimate_figures
from gadoscope.statistics.paired import compare_models
from gadoscope.statistics.resampling import DRAWS
from gadoscope.statistics.table import Predictions

SHOWN = ("balanced_accuracy", "sensitivity", "specificity", "accuracy", "auc", "average_precision")


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Another model, or a way to answer without one.

    Parameters
    ----------
    name
        As the table shows it.
    meaning
        What it is, for a newcomer.
    score, called_post
        What it ranks the images that are compared by (only the order counts), and its answers, shape (n,);
        None where it cannot answer.
    why_not
        Why it cannot; else empty.
    """

    name: str
    meaning: str
    score: Floats | None = None
    called_post: Bools | None = None
    why_not: str = ""


def compare(predictions: Predictions, first: Rival, others: Sequence[Rival], *, draws: int = DRAWS) -> Data:
    """Return the figures of all, and of each other one what the first surpasses it by.

    Parameters
    ----------
    predictions
        The images, at least one; their scores are not used.
    first
        The evaluated model; its answers are there.

    Returns
    -------
    dict
        ``n_images``, ``n_subjects``, and ``models``: ``name``, ``meaning``, ``why_not``, ``figures``
        (None without answers) and ``difference``, first less this one (None for the first itself).
    """
    return {
        "n_images": len(predictions),
        "n_subjects": predictions.n_subjects,
        "models": [_describe(predictions, first, rival, draws) for rival in (first, *others)],
    }


def _describe(predictions: Predictions, first: Rival, rival: Rival, draws: int) -> Data:
    row: Data = {
        "name": rival.name,
        "meaning": rival.meaning,
        "why_not": rival.why_not,
        "figures": None,
        "difference": None,
    }
    if rival.score is None or rival.called_post is None:
        return row
    is_post, subject = predictions.is_post, predictions.subject_group
    figures = estimate_figures(is_post, rival.score, rival.called_post, subject, draws=draws)
    row["figures"] = {name: to_plain(getattr(figures, name)) for name in SHOWN}
    if rival is not first and first.score is not None and first.called_post is not None:
        score, called_post = (first.score, rival.score), (first.called_post, rival.called_post)
        differences = compare_models(is_post, score, called_post, subject, draws=draws)
        row["difference"] = {name: to_plain(differences[name]) for name in SHOWN}
    return row

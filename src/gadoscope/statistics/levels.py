"""From slices to series to subjects: what is one case, and what is its score."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.decision import Decision
from gadoscope.labels import Level
from gadoscope.statistics.table import Predictions


def group_cases(predictions: Predictions, level: Level) -> NDArray[np.int64] | None:
    """Return the case of each image, shape (n,), from 0 without gaps; None where the data do not say.

    A series is all images with one name in the manifest's column ``series``; without that column, of one
    subject, source, plane and label. A case never holds images of two labels, even if the manifest gives two
    series one name.
    """
    if level is Level.SLICE:
        return np.arange(len(predictions))
    series = predictions.attributes.get("series")
    if level is Level.SERIES and series is not None and bool((series != "").all()):
        parts = [predictions.source, predictions.subject_id, series]
    elif not predictions.has_subjects:
        return None
    else:
        parts = [predictions.source, predictions.subject_id]
        parts += [predictions.plane] if level is Level.SERIES else []
    keys = ["\n".join(cells) for cells in zip(*parts, predictions.is_post.astype(np.str_), strict=True)]
    numbers: NDArray[np.int64] = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    return numbers


def gather_cases(predictions: Predictions, case: NDArray[np.int64], decision: Decision) -> Predictions:
    """Return one row a case, in the order of each case's first image.

    Its logit is the one that its images' logits become, its probability that of a series' logit;
    everything else is that of its first image.

    Parameters
    ----------
    case
        The case of each image, from `group_cases`.
    """
    order = np.argsort(case, kind="stable")
    edges = np.flatnonzero(np.diff(case[order], prepend=-1))
    members = sorted(np.split(order, edges[1:]), key=lambda rows: int(rows[0]))
    logit = np.array([decision.pool(predictions.logit[rows]) for rows in members])
    first = predictions.select(np.array([rows[0] for rows in members], dtype=np.intp))
    return replace(
        first,
        logit=logit,
        probability=decision.probability(logit, Level.SERIES),
        t1_brain_logit=None,  # the gate is asked for each image alone
        picture_print=None,
    )

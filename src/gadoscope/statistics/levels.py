"""From slices to series to subjects: what is one case, and what is its score."""

from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.decision import Decision
from gadoscope.labels import Label, Level
from gadoscope.preparation.series import SERIES_COLUMN, name_series_of
from gadoscope.preparation.subjects import within_source
from gadoscope.statistics.table import Predictions


def name_table_series(predictions: Predictions) -> tuple[str, ...] | None:
    """Return the series of each image of a table; None and errors as `name_series_of`."""
    return name_series_of(
        predictions.path.tolist(),
        predictions.attributes.get(SERIES_COLUMN, np.array([], np.str_)).tolist(),
        _list_owners(predictions),
        predictions.plane.tolist(),
        _list_labels(predictions),
    )


def _list_owners(predictions: Predictions) -> list[tuple[str, str]]:
    return list(map(within_source, predictions.subject_id.tolist(), predictions.source.tolist()))


def _list_labels(predictions: Predictions) -> list[Label]:
    return [Label.POST if is_post else Label.PRE for is_post in predictions.is_post]


def group_cases(predictions: Predictions, level: Level) -> Annotated[NDArray[np.int64], "n"] | None:
    """Return the case of each image, shape (n,), from 0 without gaps; None where the data do not say.

    What a series is says `gadoscope.preparation.series`. A subject's case is all its images of one label,
    within its source: the head before contrast, or after it. A case never holds images of two labels.

    Raises
    ------
    ManifestError
        If one series has images of two labels.
    """
    if level is Level.SLICE:
        return np.arange(len(predictions))
    if level is Level.SERIES:
        names = name_table_series(predictions)
    elif predictions.has_subjects:
        owned = zip(_list_owners(predictions), _list_labels(predictions), strict=True)
        names = tuple("\0".join((*owner, label)) for owner, label in owned)
    else:
        names = None
    if names is None:
        return None
    numbers: NDArray[np.int64] = np.unique(names, return_inverse=True)[1].astype(np.int64)
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

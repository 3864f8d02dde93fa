"""A scan of one's own, explained: the slices that were read, and where in them the evidence lies."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.explanation.occlusion import QUICK_STRIDE, occlude
from gadoscope.imaging.foreground import find_foreground
from gadoscope.inference.session import Session
from gadoscope.labels import SeriesResult, SlicedResult, Status
from gadoscope.parallel import count_jobs, map_in_order

MAX_EXPLAINED = 6
"""Series whose evidence is looked for: each takes a second or two."""


@dataclass(frozen=True, eq=False)
class ExplainedSlice:
    """One slice as the network saw it, and what argued for which phase.

    Parameters
    ----------
    pixels
        Shape (size, size), uint8.
    evidence
        Shape (size, size), float32, in logits: how far the logit drops when the place is hidden. Positive
        argues for post-contrast. 0 outside the head: what lies there is no evidence, whatever it does. 0
        everywhere where the scan was refused: nobody asked for its phase.
    probability
        P(post-contrast) of this slice alone.
    """

    pixels: NDArray[np.uint8]
    evidence: NDArray[np.float32]
    probability: float


@dataclass(frozen=True, eq=False)
class ExplainedSeries:
    """A row, and the slices behind it; none where nothing could be read, or too many series came before."""

    result: SeriesResult
    slices: tuple[ExplainedSlice, ...] = ()

    @property
    def strongest(self) -> float:
        """The strongest evidence of any slice, in logits: one scale for all of them."""
        return max((float(np.abs(one.evidence).max()) for one in self.slices), default=0.0)


def explain_scan(scan: Path, classifier: Classifier, *, jobs: int = 0) -> tuple[ExplainedSeries, ...]:
    """Return each row of a scan, or of a study, with its slices and their evidence.

    Parameters
    ----------
    scan
        A slice image, a volume, a DICOM file, or a folder or an archive of a study.
    jobs
        Threads that look for evidence; 0 takes one for each core.

    Raises
    ------
    UsageError
        If nothing lies there.
    """
    rows = classifier.classify(scan, options=_Options())
    explained: list[ExplainedSeries] = []
    n_left = MAX_EXPLAINED
    for row in rows:
        slices = _explain(row, classifier.session, jobs) if n_left else ()
        n_left -= bool(slices)
        explained.append(ExplainedSeries(row, slices))
    return tuple(explained)


class _Options(RunOptions):
    """Keeps the slices that the network saw: nobody reads the scan again."""

    @property
    def row_kind(self) -> type[SeriesResult]:
        return SlicedResult


def _explain(row: SeriesResult, session: Session, jobs: int) -> tuple[ExplainedSlice, ...]:
    """Return the slices of a row; none of one of several volumes, which are one item."""
    if not isinstance(row, SlicedResult) or row.slices is None or row.volume_index is not None:
        return ()
    return explain_slices(row.slices, session, jobs=jobs, is_asked=row.status is not Status.REFUSED)


def explain_slices(
    slices: Annotated[NDArray[np.uint8], "n size size"],
    session: Session,
    *,
    jobs: int = 0,
    is_asked: bool = True,
) -> tuple[ExplainedSlice, ...]:
    """Return slices as the network sees them with their evidence.

    Parameters
    ----------
    slices
        Resized by the bundle's image path, shape (n, size, size), uint8.
    session
        The bundle.
    jobs
        Threads that look; 0 takes one for each core.
    is_asked
        Whether evidence is looked for at all.
    """
    logits = session.slice_answers(slices).phase
    look = partial(_find_evidence, session) if is_asked else _find_none
    evidence = map_in_order(look, list(slices), count_jobs(jobs))
    return tuple(
        ExplainedSlice(pixels, found, float(probability))
        for pixels, found, probability in zip(
            slices, evidence, session.bundle.metadata.decision.probability(logits), strict=True
        )
    )


def _find_none(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.zeros(pixels.shape, np.float32)


def _find_evidence(session: Session, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the evidence on the head alone: the grid of patches reaches a little beyond it."""
    places = np.arange(len(pixels), dtype=np.float64) + 0.5
    head = find_foreground(pixels).is_head(places, places)
    return np.where(head, occlude(session, pixels, step=QUICK_STRIDE, within=head), np.float32(0))

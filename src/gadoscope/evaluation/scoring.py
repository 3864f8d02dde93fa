"""Labelled images become a table of scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gadoscope.decision.decision import Decision
from gadoscope.errors import InputError, ManifestError
from gadoscope.evaluation.attributes import read_attributes
from gadoscope.inference.session import Session
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item, tabulate
from gadoscope.preparation.picture_print import PRINT_BYTES, print_picture
from gadoscope.progress import OnProgress
from gadoscope.reading.images import read_slice
from gadoscope.statistics.table import Predictions, list_attributes
from gadoscope.wording import short_name

Unread = list[dict[str, str]]
"""Name, reason and sentence of each image that cannot be read."""


@dataclass(frozen=True)
class _Score:
    """What a bundle says of one image; ``t1_brain`` is None of one without a gate."""

    item: Item
    phase: float
    t1_brain: float | None
    picture_print: bytes


def score_images(
    items: Sequence[Item], session: Session, jobs: int, tell: OnProgress
) -> tuple[Predictions, Unread]:
    """Return the images that can be read with their scores, and one row for each that cannot.

    Raises
    ------
    ManifestError
        If none can be read, or a score is not a finite number.
    """
    predictions, unread = score_readable(items, session, jobs, tell)
    if not len(predictions):
        first = f"{unread[0]['reason']}: {unread[0]['sentence']}"
        raise ManifestError(
            f"none of the {len(items)} images can be read; of {unread[0]['name']}, the first: {first}"
        )
    return predictions, unread


def score_readable(
    items: Sequence[Item], session: Session, jobs: int, tell: OnProgress, what: str = "Scoring images"
) -> tuple[Predictions, Unread]:
    """Return what `score_images` does, also where no image can be read; ``what`` is told as being done."""
    scores: list[_Score] = []
    unread: Unread = []
    for done, (item, scored) in enumerate(
        zip(items, map_in_order(lambda item: _score_one(item, session), items, jobs), strict=True), start=1
    ):
        if isinstance(scored, InputError):
            name = short_name(str(item.path))
            unread.append({"name": name, "reason": scored.reason, "sentence": scored.sentence})
        else:
            scores.append(scored)
        tell(what, done, len(items))
    return _put_together(scores, session.bundle.metadata.decision), unread


def _score_one(item: Item, session: Session) -> _Score | InputError:
    try:
        pixels = read_slice(item.path).pixels
    except InputError as error:
        return error
    resized = session.bundle.metadata.image_path.resize_slice(pixels)
    answers = session.slice_answers(resized[np.newaxis])
    return _Score(
        item=item,
        phase=float(answers.phase[0]),
        t1_brain=None if answers.t1_brain is None else float(answers.t1_brain[0]),
        picture_print=print_picture(pixels),
    )


def _put_together(scores: Sequence[_Score], decision: Decision) -> Predictions:
    items = [score.item for score in scores]
    logit = np.array([score.phase for score in scores], dtype=np.float64)
    t1_brain = [score.t1_brain for score in scores if score.t1_brain is not None]
    prints = b"".join(score.picture_print for score in scores)
    return Predictions(
        **tabulate(items),
        logit=logit,
        probability=decision.probability(logit),
        attributes=list_attributes([read_attributes(item.extra) for item in items]),
        t1_brain_logit=None if decision.gate is None else np.array(t1_brain, dtype=np.float64),
        picture_print=np.frombuffer(prints, dtype=np.uint8).reshape(-1, PRINT_BYTES),
    )

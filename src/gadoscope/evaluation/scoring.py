"""Labelled images and scans become a table of scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Floats
from gadoscope.decision.decision import Decision
from gadoscope.errors import InputError, ManifestError
from gadoscope.evaluation.attributes import read_attributes
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.session import Session
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item, tabulate
from gadoscope.preparation.picture_print import PRINT_BYTES, print_picture
from gadoscope.preparation.slices import read_item
from gadoscope.progress import OnProgress
from gadoscope.statistics.table import Predictions, list_attributes
from gadoscope.wording import short_name

Unread = list[dict[str, str]]
"""Name, reason and sentence of each image that cannot be read."""


@dataclass(frozen=True)
class _Scores:
    """What a bundle says of the slices of one item; ``t1_brain`` is None of a bundle without a gate."""

    items: tuple[Item, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    phase: Floats
    t1_brain: Floats | None
    picture_prints: tuple[bytes, ...]


class Look(Protocol):
    """Whoever wants to see the slices as they are scored: nobody reads them again."""

    def __call__(self, items: Sequence[Item], pixels: Sequence[NDArray[np.uint8]], logit: Floats, /) -> None:
        """Look at the slices of one item, and at the logit of each, shape (n,)."""


def see_nothing(_items: Sequence[Item], _pixels: Sequence[NDArray[np.uint8]], _logit: Floats, /) -> None:
    """Look at nothing."""


def score_images(
    items: Sequence[Item],
    session: Session,
    jobs: int,
    tell: OnProgress,
    *,
    look: Look = see_nothing,
    policy: SlicePolicy | None = None,
) -> tuple[Predictions, Unread]:
    """Return the images that can be read with their scores, and one row for each that cannot.

    Parameters
    ----------
    look
        Is shown the slices.
    policy
        Which slices of a scan; None takes those that `classify` would read for this bundle.

    Raises
    ------
    ManifestError
        If none can be read, or a score is not a finite number.
    """
    predictions, unread = score_readable(items, session, jobs, tell, look=look, policy=policy)
    if not len(predictions):
        first = f"{unread[0]['reason']}: {unread[0]['sentence']}"
        raise ManifestError(
            f"none of the {len(items)} images can be read; of {unread[0]['name']}, the first: {first}"
        )
    return predictions, unread


def score_readable(
    items: Sequence[Item],
    session: Session,
    jobs: int,
    tell: OnProgress,
    what: str = "Scoring images",
    *,
    look: Look = see_nothing,
    policy: SlicePolicy | None = None,
) -> tuple[Predictions, Unread]:
    """Return what `score_images` does, also where no image can be read; ``what`` is told as being done."""
    score = partial(_score, session=session, policy=policy or session.bundle.metadata.slice_policy)
    scores: list[_Scores] = []
    unread: Unread = []
    for done, (item, scored) in enumerate(zip(items, map_in_order(score, items, jobs), strict=True), start=1):
        if isinstance(scored, InputError):
            name = short_name(str(item.path))
            unread.append({"name": name, "reason": scored.reason, "sentence": scored.sentence})
        else:
            look(scored.items, scored.pixels, scored.phase)
            scores.append(replace(scored, pixels=()))
        tell(what, done, len(items))
    return _put_together(scores, session.bundle.metadata.decision), unread


def _score(item: Item, session: Session, policy: SlicePolicy) -> _Scores | InputError:
    try:
        slices = read_item(item, policy)
    except InputError as error:
        return error
    resized = np.stack([session.bundle.metadata.image_path.resize_slice(pixels) for pixels in slices.pixels])
    answers = session.slice_answers(resized)
    return _Scores(
        items=slices.items,
        pixels=slices.pixels,
        phase=answers.phase,
        t1_brain=answers.t1_brain,
        picture_prints=tuple(map(print_picture, slices.pixels)),
    )


def _put_together(scores: Sequence[_Scores], decision: Decision) -> Predictions:
    items = [item for score in scores for item in score.items]
    logit = np.array([one for score in scores for one in score.phase], dtype=np.float64)
    t1_brain = [one for score in scores if score.t1_brain is not None for one in score.t1_brain]
    prints = b"".join(one for score in scores for one in score.picture_prints)
    return Predictions(
        **tabulate(items),
        logit=logit,
        probability=decision.probability(logit),
        attributes=list_attributes([read_attributes(item.extra) for item in items]),
        t1_brain_logit=None if decision.gate is None else np.array(t1_brain, dtype=np.float64),
        picture_print=np.frombuffer(prints, dtype=np.uint8).reshape(-1, PRINT_BYTES),
    )

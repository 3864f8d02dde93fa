"""Labelled images become rows of scores."""

from collections.abc import Sequence

import numpy as np

from gadoscope.errors import InputError, ManifestError
from gadoscope.evaluation.attributes import read_attributes
from gadoscope.inference.session import Session
from gadoscope.parallel import map_in_order
from gadoscope.preparation.manifest import Item
from gadoscope.preparation.picture_print import print_picture
from gadoscope.progress import OnProgress
from gadoscope.reading.images import read_slice
from gadoscope.wording import short_name

Rows = list[dict[str, object]]
Unread = list[dict[str, str]]


def score_images(items: Sequence[Item], session: Session, jobs: int, tell: OnProgress) -> tuple[Rows, Unread]:
    """Return one row for each image that can be read, and one for each that cannot.

    Raises
    ------
    ManifestError
        If none can be read.
    """
    rows, unread = score_readable(items, session, jobs, tell)
    if not rows:
        first = f"{unread[0]['reason']}: {unread[0]['sentence']}"
        raise ManifestError(
            f"none of the {len(items)} images can be read; of {unread[0]['name']}, the first: {first}"
        )
    return rows, unread


def score_readable(
    items: Sequence[Item], session: Session, jobs: int, tell: OnProgress, what: str = "Scoring images"
) -> tuple[Rows, Unread]:
    """Return what `score_images` does, also where no image can be read; ``what`` is told as being done."""
    rows: Rows = []
    unread: Unread = []
    for done, (item, scored) in enumerate(
        zip(items, map_in_order(lambda item: _score_one(item, session), items, jobs), strict=True), start=1
    ):
        if isinstance(scored, InputError):
            name = short_name(str(item.path))
            unread.append({"name": name, "reason": scored.reason, "sentence": scored.sentence})
        else:
            rows.append(scored)
        tell(what, done, len(items))
    return rows, unread


def _score_one(item: Item, session: Session) -> dict[str, object] | InputError:
    try:
        pixels = read_slice(item.path).pixels
    except InputError as error:
        return error
    metadata = session.bundle.metadata
    answers = session.slice_answers(metadata.image_path.resize_slice(pixels)[np.newaxis])
    return {
        "path": item.path,
        "subject_id": item.subject_id,
        "source": item.source,
        "plane": item.plane.value,
        "split": item.split.value if item.split else "",
        "reference_label": item.label.value,
        "logit": float(answers.phase[0]),
        "probability": float(metadata.decision.probability(answers.phase)[0]),
        "picture_print": print_picture(pixels),
        "t1_brain_logit": None if answers.t1_brain is None else float(answers.t1_brain[0]),
        **read_attributes(item.extra),
    }

"""What stands in a row: an answer, or why there is none. Whatever goes wrong, there is a row."""

import hashlib
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError
from gadoscope.inference.session import Answers, Session
from gadoscope.labels import KeptResult, Level, Phase, PicturedResult, SeriesResult, SlicedResult, Status
from gadoscope.reading.os_errors import explain_os_error, explain_stumble
from gadoscope.reading.series import Facts
from gadoscope.results.keeping import NOWHERE, Origin
from gadoscope.text import shortened

UID = re.compile(r"[0-9.]{1,64}")
"""What an identifier of DICOM is made of (PS3.5 9.1). Anything else may be a name, or a formula."""
PADDING = " \0"
"""Fills a value to an even length."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class StudyPlace:
    """What a series shares with the others of its study.

    Parameters
    ----------
    study
        Number of the study in this run.
    facts
        The header of the series; empty where it cannot be read.
    series
        Number of the series in this run: with it whoever judges the study opens it once more, to compare
        it with another.
    regrouped
        What holds it together where no SeriesInstanceUID does; else empty.
    divided
        What tells it apart from others of one SeriesInstanceUID; else empty.
    """

    study: int
    facts: Facts
    series: int
    regrouped: str = ""
    divided: str = ""


@dataclass(frozen=True)
class Answer:
    """What became of one input.

    Parameters
    ----------
    rows
        One; for a series of several volumes one for each and one for the series.
    digest
        Of all that the rows depend on but the bundle, the program and the other series of a study; ``None``
        where they are never taken over into another run.
    place
        Its place in a study whose series are judged together; ``None`` for what stands alone.
    judged
        Its rows after its study was judged, where whoever answered it did that too.
    is_known
        Whether the rows are those of an earlier run.
    is_final
        Whether they were judged in that run, with the same series of a study.
    study
        Digest of the series that it was judged with; empty where that did not happen.
    origin
        By what the content is known again without reading it.
    """

    rows: tuple[SeriesResult, ...]
    digest: str | None = None
    place: StudyPlace | None = None
    judged: tuple[SeriesResult, ...] | None = None
    is_known: bool = False
    is_final: bool = False
    study: str = ""
    origin: Origin = NOWHERE


def take_over(
    rows: Sequence[SeriesResult], path: str, digest: str, origin: Origin = NOWHERE, study: str = ""
) -> Answer:
    """Return the answer that an earlier run gave to a content, under the path where it lies now.

    Parameters
    ----------
    rows
        As a `Keeper` has them, without a path.
    digest, origin, study
        As of `Answer`.
    """
    placed = tuple(replace(row, path=path) for row in rows)
    return Answer(placed, digest, is_known=True, study=study, origin=origin)


def empty_row(path: str, session: Session, kind: type[SeriesResult] = SeriesResult) -> SeriesResult:
    """Return the row of an input before anything is known of it; steps replace what they find out.

    One that is pictured stays so, and takes what a notebook shows beside it from the steps.
    """
    return kind(path=path, status=Status.FAILED, model=session.bundle.model_id)


def with_picture(row: SeriesResult, slices: NDArray[np.uint8]) -> SeriesResult:
    """Return ``row`` with the middle one of slices (slice, row, column), where it is one with a picture."""
    if isinstance(row, SlicedResult):
        row = replace(row, slices=slices)
    if not isinstance(row, PicturedResult):
        return row
    pixels = slices[len(slices) // 2]
    from PIL import Image  # noqa: PLC0415 — only notebooks need it here

    buffer = io.BytesIO()
    # A tenth more bytes in half the time: a run with a page makes thousands of them, and shows a few.
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return replace(row, picture=buffer.getvalue())


def with_seen(row: SeriesResult, slices: NDArray[np.uint8]) -> SeriesResult:
    """Return ``row`` with a digest of slices (slice, row, column), where it is one that is kept."""
    if not isinstance(row, KeptResult):
        return row
    return replace(row, seen=hashlib.sha256(np.ascontiguousarray(slices).data).hexdigest())


def storable_row(row: SeriesResult) -> SeriesResult:
    """Return ``row`` as it may stand in a table and in the journal, whatever text a header brought.

    What stands where a UID should is not written: patients' names were seen there. A warning says so.
    """
    study, study_warning = _storable_uid(row.study_instance_uid, "StudyInstanceUID")
    series, series_warning = _storable_uid(row.series_instance_uid, "SeriesInstanceUID")
    warnings = dict.fromkeys((*row.warnings, *study_warning, *series_warning))
    return replace(
        row,
        study_instance_uid=study,
        series_instance_uid=series,
        reason=shortened(row.reason),
        header_quote=shortened(row.header_quote),
        model=shortened(row.model),
        warnings=tuple(shortened(warning) for warning in warnings),
    )


def _storable_uid(uid: str | None, keyword: str) -> tuple[str | None, tuple[str, ...]]:
    if uid is None or UID.fullmatch(uid.strip(PADDING)):
        return uid and uid.strip(PADDING), ()
    return None, (f"its {keyword} is no UID (digits and dots, at most 64 of them) and is not written",)


def answered_row(
    base: SeriesResult, logit: float, session: Session, level: Level = Level.SLICE
) -> SeriesResult:
    """Return ``base`` with the phase and the probability that a logit of ``level`` stands for.

    Raises
    ------
    ReadError
        If the logit is no finite number.
    """
    if not math.isfinite(logit):
        raise ReadError(
            "no_number", "the network answered no number for this image; its weights may be damaged."
        )
    decision = session.bundle.metadata.decision
    point = decision.at(level).point
    probability = float(decision.probability(np.array(logit), level))
    phase = decision.decide(probability, level)
    if isinstance(base, PicturedResult):
        base = replace(base, band=(point.lower, point.upper))
    status, reason = Status.ANSWERED, ""
    if phase is Phase.INDETERMINATE:
        status = Status.INDETERMINATE
        reason = (
            f"inside_abstention_band: the probability {probability:.3g} lies in "
            f"[{point.lower:.3g}, {point.upper:.3g}), where this model does not answer."
        )
    return replace(base, status=status, phase=phase, probability=probability, reason=reason)


def judged_row(base: SeriesResult, answers: Answers, session: Session) -> tuple[SeriesResult, float | None]:
    """Return ``base`` with what the network says of a slice, or of the slices of one volume.

    The gate is asked first.

    Returns
    -------
    tuple
        The row, and the one logit of POST_CONTRAST; None where the gate lets nothing pass.
    """
    if isinstance(base, KeptResult):
        base = replace(base, logits=tuple(map(float, answers.phase)))

    def judge() -> tuple[SeriesResult, float | None]:
        decision = session.bundle.metadata.decision
        decision.check_t1_brain(answers.t1_brain, answers.kinds)
        logit = decision.pool(answers.phase)
        level = Level.SERIES if len(answers.phase) > 1 else Level.SLICE
        return answered_row(base, logit, session, level), logit

    judged = keep_going(judge, base)
    return (judged, None) if isinstance(judged, SeriesResult) else judged


def keep_going(step: Callable[[], Made], base: SeriesResult) -> Made | SeriesResult:
    """Take one step for one input; whatever goes wrong becomes that input's row."""
    try:
        return step()
    except InputError as error:
        return replace(base, status=error.status, reason=str(error))
    except OSError as error:
        explained = explain_os_error(error)
        return replace(base, status=explained.status, reason=str(explained))
    except Exception as error:
        stumbled = explain_stumble(error)
        return replace(base, status=stumbled.status, reason=str(stumbled))

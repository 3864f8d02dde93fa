"""The one row of a series of several volumes: before, after, or both, and where it turns.

A dynamic series (perfusion, permeability) begins before the agent arrives and ends after it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gadoscope.classification.rows import answered_row
from gadoscope.decision.aggregation import aggregate_logits
from gadoscope.inference.session import Session
from gadoscope.labels import Level, Phase, Plane, SeriesResult, Status

MAX_MISFITS = 0.1
"""Of the volumes, that may be on the wrong side of a turn: a network that is right in nine of ten volumes
still shows where the agent arrives. A guess."""


def summarise_volumes(
    rows: Sequence[SeriesResult], logits: Sequence[float], base: SeriesResult, session: Session
) -> SeriesResult:
    """Return the row of the series.

    Where some volumes are pre- and others post-contrast it is MIXED, without a probability. Else it is
    decided from the mean of the volumes' logits, as a volume is from its slices'. Where no volume has
    an answer it says what the first one says.

    Parameters
    ----------
    rows
        Of all volumes, in the order of acquisition.
    logits
        Of those that have one.
    base
        The row of the series as far as it is known.
    """
    read = [row for row in rows if row.probability is not None]
    planes = {row.plane for row in read}
    base = replace(
        base,
        plane=planes.pop() if len(planes) == 1 else Plane.UNKNOWN,
        n_slices=sum(row.n_slices for row in read),
        n_slices_used=sum(row.n_slices_used for row in read),
        warnings=_join_warnings(rows, base),
    )
    if not read:
        return replace(base, status=rows[0].status, reason=rows[0].reason)
    phases = {row.phase for row in read}
    if {Phase.PRE_CONTRAST, Phase.POST_CONTRAST} <= phases:
        reason = f"mixed: {_describe_turn(rows)}"
        return replace(base, status=Status.ANSWERED, phase=Phase.MIXED, reason=reason)
    level = Level.SERIES if max(row.n_slices_used for row in read) > 1 else Level.SLICE
    return answered_row(base, aggregate_logits(np.array(logits)), session, level)


def find_turn(phases: Sequence[Phase | None]) -> int | None:
    """Return the first volume that is post-contrast, or ``None`` if there is no clear turn.

    Of all places to cut the series in two, the one that leaves the fewest volumes on the wrong side; volumes
    without a clear phase are on neither.

    Parameters
    ----------
    phases
        In the order of acquisition; indices from 0.
    """
    n_clear = sum(phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST) for phase in phases)
    n_misfits = sum(phase is Phase.PRE_CONTRAST for phase in phases)  # all after the turn
    fewest, turn = n_clear + 1, 0
    has_pre = False
    for index, phase in enumerate(phases):
        if phase is Phase.POST_CONTRAST:
            if has_pre and n_misfits < fewest:
                fewest, turn = n_misfits, index
            n_misfits += 1
        elif phase is Phase.PRE_CONTRAST:
            has_pre = True
            n_misfits -= 1
    return turn if fewest <= MAX_MISFITS * n_clear else None


def _describe_turn(rows: Sequence[SeriesResult]) -> str:
    phases = [row.phase for row in rows]
    turn = find_turn(phases)
    if turn is None:
        counts = Counter(phases)
        return (
            f"no clear turn; {counts[Phase.PRE_CONTRAST]} volumes are pre-contrast and "
            f"{counts[Phase.POST_CONTRAST]} post-contrast, of {len(rows)}."
        )
    return f"post-contrast from volume {turn} on, of {len(rows)}."


def _join_warnings(rows: Sequence[SeriesResult], base: SeriesResult) -> tuple[str, ...]:
    """Return each warning of the volumes once, and how many volumes have no answer."""
    warnings = dict.fromkeys(base.warnings)
    warnings.update(dict.fromkeys(warning for row in rows for warning in row.warnings))
    n_silent = sum(row.probability is None for row in rows)
    if n_silent:
        warnings[f"{n_silent} of {len(rows)} volumes have no answer"] = None
    return tuple(warnings)

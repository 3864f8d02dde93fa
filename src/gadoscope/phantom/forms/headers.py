"""What a header says of contrast: the truth, its opposite, or nothing."""

from __future__ import annotations

from enum import StrEnum

from gadoscope.labels import Phase
from gadoscope.phantom.head.subject import HEADER, Subject
from gadoscope.phantom.physics.acquire import PHASE_NUMBER


class HeaderMode(StrEnum):
    """How headers relate to the truth."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    MIXED = "mixed"
    """One of the other three, drawn for each series."""


SINGLE_MODES = (HeaderMode.RIGHT, HeaderMode.WRONG, HeaderMode.MISSING)


def mode_of_series(mode: HeaderMode, subject: Subject, phase: Phase) -> HeaderMode:
    """Return the mode of one series: ``mode`` itself, or the one drawn for it."""
    if mode is not HeaderMode.MIXED:
        return mode
    drawn = subject.generator(HEADER, PHASE_NUMBER[phase]).integers(len(SINGLE_MODES))
    return SINGLE_MODES[int(drawn)]


def claimed_phase(mode: HeaderMode, phase: Phase) -> Phase | None:
    """Return the phase that the header claims, or ``None`` for a silent one."""
    if mode is HeaderMode.MISSING:
        return None
    opposite = {Phase.PRE_CONTRAST: Phase.POST_CONTRAST, Phase.POST_CONTRAST: Phase.PRE_CONTRAST}
    return opposite[phase] if mode is HeaderMode.WRONG else phase

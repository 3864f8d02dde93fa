"""The Contrast/Bolus module and its multi-frame functional group, verbatim.

What counts, strongest first: the phase and "administered" flag that an enhanced multi-frame object
states for each frame; the hour of the injection beside the hour of the acquisition; and, weakly, an
agent that somebody filled in for the whole study. "Detected" is another reader's word on the
*pixels* and is never evidence that an agent was given. Dose, volume and concentration alone are left
on scanners as defaults and say nothing.

References
----------
DICOM PS3.3 C.7.6.4 (Contrast/Bolus), C.7.6.16.2.12 (Contrast/Bolus Usage); BIDS 1.11, entity ``ce``
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gadoscope.evidence.agent import names_gadolinium, read_agent_value
from gadoscope.evidence.facts import Facts, find_number, find_seconds, find_text, iter_items
from gadoscope.evidence.file_name import CE_ENTITY
from gadoscope.evidence.moments import LONGEST_STUDY_S, MIDNIGHT_S, find_clock
from gadoscope.evidence.state import (
    HIDDEN,
    NOTHING_SAID,
    PATIENT_KEYWORDS,
    Citation,
    HeaderEvidence,
    HeaderState,
    cite,
    cite_value,
)
from gadoscope.evidence.tokens import parse_words

# DYNAMIC is left out: a dynamic series begins before the agent arrives.
PHASE_BEFORE = "PRE_CONTRAST"
PHASES_AFTER = parse_words(
    "POST_CONTRAST IMMEDIATE STEADY_STATE DELAYED ARTERIAL CAPILLARY VENOUS PORTAL_VENOUS"
)
FLAGS = {"YES": HeaderState.ADMINISTERED, "NO": HeaderState.NOT_ADMINISTERED}

# No clinical T1 brain acquisition is longer (MPRAGE 4-9 min); bounds one whose length is not stated.
LONGEST_ACQUISITION_S = 600.0

# Injection and acquisition in one second: one hour was copied into both, or a de-identifier's constant.
SHORTEST_ORDER_S = 1.0

AGENT_TEXTS = ("ContrastBolusAgent", "ContrastBolusIngredient", CE_ENTITY)
AGENT_SEQUENCES = ("ContrastBolusAgentSequence", "ContrastBolusIngredientCodeSequence")
USAGE = "ContrastBolusUsageSequence"
_CLOCK = re.compile(r"\d\d[\d:]*(?:\.\d+)?")
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


@dataclass(frozen=True)
class Usage:
    """What one item of the Contrast/Bolus Usage group states of the agent; ``None`` where it is silent."""

    agent_administered: str | None
    agent_phase: str | None


def iter_usages(facts: Facts) -> Iterator[Usage]:
    """Yield every Contrast/Bolus Usage item: of the object, the shared groups, then frame by frame."""
    groups = [facts, *(item for keyword in FUNCTIONAL_GROUPS for item in iter_items(facts, keyword))]
    for group in groups:
        for item in iter_items(group, USAGE):
            yield Usage(
                agent_administered=find_text(item, "ContrastBolusAgentAdministered"),
                agent_phase=find_text(item, "ContrastBolusAgentPhase"),
            )


def read_usage(facts: Facts) -> HeaderEvidence:
    """Return what the frames state by phase and flag; frames before and after in one are silent."""
    said: dict[Citation, HeaderState] = {}
    flat = Usage(
        agent_administered=find_text(facts, "ContrastBolusAgentAdministered"),
        agent_phase=find_text(facts, "ContrastBolusAgentPhase"),
    )
    for usage in (flat, *iter_usages(facts)):
        state = _phase_state(usage.agent_phase)
        if state is not HeaderState.SILENT:
            said[cite_value("ContrastBolusAgentPhase", usage.agent_phase or "")] = state
        elif usage.agent_administered and usage.agent_administered.upper() in FLAGS:
            flag = usage.agent_administered
            said[cite_value("ContrastBolusAgentAdministered", flag)] = FLAGS[flag.upper()]
    if not said:
        return NOTHING_SAID
    states = set(said.values())
    state = states.pop() if len(states) == 1 else HeaderState.SILENT
    return HeaderEvidence(state, tuple(said))


def read_timing(facts: Facts) -> HeaderEvidence:
    """Return what the injection's hour says beside the acquisition's.

    An acquisition that ended before the injection came before; one that began after it came after; one that
    the injection fell into is silent, and so is a dynamic series. Hours that are equal, or midnight to the
    second, are what de-identification leaves: silent.
    """
    injected = find_seconds(facts, "ContrastBolusStartTime")
    clock = find_clock(facts)
    if injected is None or injected == MIDNIGHT_S or clock is None or is_dynamic(facts):
        return NOTHING_SAID
    began_keyword, began = clock
    if not SHORTEST_ORDER_S <= abs(injected - began) <= LONGEST_STUDY_S:
        return NOTHING_SAID
    said = (_cite_clock(facts, "ContrastBolusStartTime"), _cite_clock(facts, began_keyword))
    if began > injected:
        return HeaderEvidence(HeaderState.ADMINISTERED, said)
    duration = find_number(facts, "AcquisitionDuration")  # seconds (0018,9073)
    if duration is None or duration <= 0:
        duration = LONGEST_ACQUISITION_S
    is_before = began + duration <= injected
    return HeaderEvidence(HeaderState.NOT_ADMINISTERED if is_before else HeaderState.SILENT, said)


def _cite_clock(facts: Facts, keyword: str) -> Citation:
    """Return the citation of an hour; the day before it did not decide, and is nobody's business."""
    text = find_text(facts, keyword) or ""
    clock = _CLOCK.search(text[8:] if keyword.endswith("DateTime") else text)
    shown = clock.group() if clock else HIDDEN
    return Citation(keyword, shown if shown == text else f"{HIDDEN} {shown}", cite(facts, keyword, ()).full)


def read_agent(facts: Facts) -> HeaderEvidence:
    """Return what the named agent says: weak where positive, for many sites fill it in for all series.

    The fields must agree; an agent beside a negation is silent.
    """
    said: dict[HeaderState, Citation] = {}
    for keyword in AGENT_TEXTS:
        _read_agent_value(facts, keyword, said)
    for keyword in AGENT_SEQUENCES:
        for item in iter_items(facts, keyword):
            found: dict[HeaderState, Citation] = {}
            if not _read_agent_value({**_find_patient(facts), **item}, "CodeMeaning", found):
                _read_agent_code(item, found)
            for state, citation in found.items():
                said.setdefault(state, replace(citation, keyword=f"{keyword}: {citation.keyword}"))
    state = next(iter(said)) if len(said) == 1 else HeaderState.SILENT
    return HeaderEvidence(state, tuple(said.values()))


def _read_agent_value(facts: Facts, keyword: str, said: dict[HeaderState, Citation]) -> bool:
    """Add what one field says; return whether it says anything."""
    reading = read_agent_value(find_text(facts, keyword) or "")
    if reading.state is HeaderState.SILENT:
        return False
    citation = cite(facts, keyword, reading.spans)
    if reading.misspelt:  # as it is typed, it may be somebody's name
        citation = replace(citation, words=f"{reading.misspelt} (misspelt)")
    said.setdefault(reading.state, citation)
    return True


def _read_agent_code(item: Facts, said: dict[HeaderState, Citation]) -> None:
    code = find_text(item, "CodeValue")
    if code is not None and names_gadolinium(code):
        said.setdefault(HeaderState.ADMINISTERED, cite_value("CodeValue", code))


def _find_patient(facts: Facts) -> Facts:
    return {keyword: facts[keyword] for keyword in PATIENT_KEYWORDS if keyword in facts}


def is_dynamic(facts: Facts) -> bool:
    """Return whether the series holds several time points, so that one time says little."""
    return (find_number(facts, "NumberOfTemporalPositions") or 1) > 1


def _phase_state(phase: str | None) -> HeaderState:
    word = (phase or "").upper().replace(" ", "_")
    if word == PHASE_BEFORE:
        return HeaderState.NOT_ADMINISTERED
    return HeaderState.ADMINISTERED if word in PHASES_AFTER else HeaderState.SILENT

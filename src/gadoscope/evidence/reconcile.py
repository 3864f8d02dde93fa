"""One answer of the header from all it says, and how it agrees with the pixels.

Explicit words of the series come first (phase and flag of the frames, hours, description); if two of
them contradict each other the header is silent. Then the study: an agent stays given, so whatever
follows a series that says "post" is after it, and whatever precedes one that says "pre" is before.
Only then the agent field, which many sites fill in for the whole study, and last the text of the
examination.
"""

from collections.abc import Sequence
from enum import StrEnum

from gadoscope.evidence.contrast_module import read_agent, read_timing, read_usage
from gadoscope.evidence.description import read_description, read_study_description
from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.file_name import read_file_name
from gadoscope.evidence.moments import find_moment, is_one_examination
from gadoscope.evidence.state import NOTHING_SAID, Citation, HeaderEvidence, HeaderState
from gadoscope.labels import Phase

__all__ = ["Agreement", "HeaderEvidence", "HeaderState", "compare", "read_evidence"]

# An agent field on every series of a study tells nothing; two series are the fewest that can differ.
FEWEST_TO_DIFFER = 2


class Agreement(StrEnum):
    """Whether header and pixels say the same of a series."""

    AGREE = "agree"
    CONFLICT = "conflict"
    SILENT = "silent"
    """One of the two says nothing."""


def compare(state: HeaderState, phase: Phase | None) -> Agreement:
    """Return how the header's state and the phase from the pixels agree."""
    said = {
        HeaderState.ADMINISTERED: Phase.POST_CONTRAST,
        HeaderState.NOT_ADMINISTERED: Phase.PRE_CONTRAST,
    }.get(state)
    if said is None or phase not in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        return Agreement.SILENT
    return Agreement.AGREE if said is phase else Agreement.CONFLICT


def read_evidence(facts: Facts, study: Sequence[Facts] = ()) -> HeaderEvidence:
    """Return what the header of a series says, with the words it rests on.

    Parameters
    ----------
    facts
        The header of the series: pydicom keyword to value, DICOM's units.
    study
        The headers of all MR series of the same study, in any order; ``facts`` may be among them.

    Returns
    -------
    HeaderEvidence
        Never raises. Silent with a quote where the header contradicts itself.
    """
    others = [other for other in study if other is not facts and not _is_same_series(other, facts)]
    explicit = _read_explicit(facts)
    if explicit.citations:
        return explicit
    inferred = _read_study_order(facts, others)
    agent = read_agent(facts)
    if inferred.citations:
        return _weigh_agent(inferred, agent)
    if agent.state is HeaderState.ADMINISTERED and _is_on_every_series(agent, others):
        return HeaderEvidence(HeaderState.SILENT, agent.remarked("on every series of the study"))
    return agent if agent.citations else read_study_description(facts)


def _read_explicit(facts: Facts) -> HeaderEvidence:
    """Return what the series says of itself; contradictions are silent, all quoted."""
    usage = read_usage(facts)
    if usage.citations:
        said = [usage, read_description(facts)]
    else:
        said = [read_description(facts), read_timing(facts)]
    said.append(read_file_name(facts))
    spoken = [one for one in said if one.citations]
    if not spoken:
        return NOTHING_SAID
    clear = [one for one in spoken if one.state is not HeaderState.SILENT]
    if len({one.state for one in clear}) == 1:
        return clear[0]
    return HeaderEvidence(HeaderState.SILENT, tuple(cited for one in spoken for cited in one.citations))


def _read_study_order(facts: Facts, others: Sequence[Facts]) -> HeaderEvidence:
    """Return what earlier "post" and later "pre" series of the same examination say of this one."""
    began = find_moment(facts)
    if began is None:
        return NOTHING_SAID
    found: dict[HeaderState, tuple[Citation, ...]] = {}
    for other in others:
        moment = find_moment(other)
        if moment is None or not is_one_examination(moment, began):
            continue
        said = _read_explicit(other)
        if said.state is HeaderState.ADMINISTERED and moment < began:
            found.setdefault(said.state, said.remarked("of an earlier series"))
        elif said.state is HeaderState.NOT_ADMINISTERED and moment > began:
            found.setdefault(said.state, said.remarked("of a later series"))
    if not found:
        return NOTHING_SAID
    state = next(iter(found)) if len(found) == 1 else HeaderState.SILENT
    return HeaderEvidence(state, tuple(cited for citations in found.values() for cited in citations))


def _weigh_agent(inferred: HeaderEvidence, agent: HeaderEvidence) -> HeaderEvidence:
    """Return the study's word, unless the series denies an agent that the study says was given."""
    if inferred.state is HeaderState.ADMINISTERED and agent.state is HeaderState.NOT_ADMINISTERED:
        return HeaderEvidence(HeaderState.SILENT, agent.citations + inferred.citations)
    return inferred


def _is_on_every_series(agent: HeaderEvidence, others: Sequence[Facts]) -> bool:
    """Return whether all other series name an agent too: then it was filled in for the whole study."""
    states = [read_agent(other).state for other in others]
    return len(states) + 1 >= FEWEST_TO_DIFFER and all(state is agent.state for state in states)


def _is_same_series(one: Facts, other: Facts) -> bool:
    uid = find_text(one, "SeriesInstanceUID")
    return uid is not None and uid == find_text(other, "SeriesInstanceUID")

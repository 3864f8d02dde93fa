"""Free text of a header, read against the lexicon.

Text of the series outranks text of the study. ``StudyDescription`` and its kin speak of a whole
examination: "MRI brain w/o contrast" makes every series of it one without an agent, weakly;
"MRI brain with contrast" says nothing, for such an examination begins without.
"""

from collections.abc import Mapping, Sequence

from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.lexicon import Reading, read_text
from gadoscope.evidence.state import NOTHING_SAID, Citation, HeaderEvidence, HeaderState, cite

SERIES_TEXTS = ("SeriesDescription", "ProtocolName", "tProtocolName")
"""Text of one series; the last is Siemens' own, of the ASCCONV block in (0029,1020) and (0021,1019)."""

STUDY_TEXTS = (
    "StudyDescription",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "ProcedureStepDescription",
)
"""Text of the examination; the last is how dcm2niix spells the third in a BIDS sidecar."""

# On these scanners ProtocolName is the whole examination's ("Brain W WO"), not the series'.
STUDY_PROTOCOL_MAKERS = ("GE",)


def read_description(facts: Facts) -> HeaderEvidence:
    """Return what the series' own text says; texts that contradict each other are silent, both quoted."""
    keywords = SERIES_TEXTS[:1] if protocol_is_of_the_study(facts) else SERIES_TEXTS
    spoken = _read_texts(facts, keywords)
    # "BRAIN WWO" names an examination with both; "POST" beside it says which of the two this series is.
    of_series = {keyword: reading for keyword, reading in spoken.items() if not reading.is_of_examination}
    return _reconcile_texts(facts, of_series or spoken)


def read_study_description(facts: Facts) -> HeaderEvidence:
    """Return what the examination's text denies. It can say "not administered" or nothing."""
    keywords = (*STUDY_TEXTS, *(SERIES_TEXTS[1:2] if protocol_is_of_the_study(facts) else ()))
    said = _reconcile_texts(facts, _read_texts(facts, keywords))
    return said if said.state is HeaderState.NOT_ADMINISTERED else NOTHING_SAID


def _read_texts(facts: Facts, keywords: Sequence[str]) -> dict[str, Reading]:
    readings = {keyword: read_text(find_text(facts, keyword) or "") for keyword in keywords}
    return {keyword: reading for keyword, reading in readings.items() if reading.spans}


def _reconcile_texts(facts: Facts, readings: Mapping[str, Reading]) -> HeaderEvidence:
    """Return the state that all texts share, the first of them cited; else silent with one of each."""
    cited: dict[HeaderState, Citation] = {}
    for keyword, reading in readings.items():
        if reading.state not in cited:
            cited[reading.state] = cite(facts, keyword, reading.spans)
    if not cited:
        return NOTHING_SAID
    state = next(iter(cited)) if len(cited) == 1 else HeaderState.SILENT
    return HeaderEvidence(state, tuple(cited.values()))


def protocol_is_of_the_study(facts: Facts) -> bool:
    """Return whether ProtocolName names the whole examination, as on these scanners."""
    maker = (find_text(facts, "Manufacturer") or "").upper()
    return maker.split(" ")[0].split("_")[0] in STUDY_PROTOCOL_MAKERS

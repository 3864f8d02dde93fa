"""Free text of a header, read against the lexicon.

Text of the series outranks text of the study. ``StudyDescription`` and its kin speak of a whole
examination: "MRI brain w/o contrast" makes every series of it one without an agent, weakly;
"MRI brain with contrast" says nothing, for such an examination begins without.
"""

from collections.abc import Sequence

from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.lexicon import load_lexicon
from gadoscope.evidence.state import NOTHING_SAID, HeaderEvidence, HeaderState, quote

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


def parse_description(text: str) -> HeaderState:
    """Return what one description says; silent if it names no contrast, or both before and after."""
    return load_lexicon().read(text)[0]


def read_description(facts: Facts) -> HeaderEvidence:
    """Return what the series' own text says; texts that contradict each other are silent, both quoted."""
    keywords = SERIES_TEXTS[:1] if protocol_is_of_the_study(facts) else SERIES_TEXTS
    return _read_texts(facts, keywords)


def read_study_description(facts: Facts) -> HeaderEvidence:
    """Return what the examination's text denies. It can say "not administered" or nothing."""
    keywords = (*STUDY_TEXTS, *(SERIES_TEXTS[1:2] if protocol_is_of_the_study(facts) else ()))
    said = _read_texts(facts, keywords)
    return said if said.state is HeaderState.NOT_ADMINISTERED else NOTHING_SAID


def _read_texts(facts: Facts, keywords: Sequence[str]) -> HeaderEvidence:
    quotes: dict[HeaderState, str] = {}
    for keyword in keywords:
        state, speaks = load_lexicon().read(find_text(facts, keyword) or "")
        if speaks:
            quotes.setdefault(state, quote(facts, keyword))
    if not quotes:
        return NOTHING_SAID
    state = next(iter(quotes)) if len(quotes) == 1 else HeaderState.SILENT
    return HeaderEvidence(state, ", ".join(quotes.values()))


def protocol_is_of_the_study(facts: Facts) -> bool:
    """Return whether ProtocolName names the whole examination, as on these scanners."""
    maker = (find_text(facts, "Manufacturer") or "").upper()
    return maker.split(" ")[0].split("_")[0] in STUDY_PROTOCOL_MAKERS

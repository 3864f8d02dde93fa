"""The three states of what a header says, and the quotation that goes with them."""

import re
from dataclasses import dataclass
from enum import StrEnum

from gadoscope.evidence.facts import Facts, find_text


class HeaderState(StrEnum):
    """What a header says of contrast at the time of this series. A missing attribute is silent."""

    ADMINISTERED = "administered"
    """The agent had been given when the series was acquired."""
    NOT_ADMINISTERED = "not administered"
    """The agent had not been given, or none was given in this study."""
    SILENT = "silent"
    """Nothing is said, or what is said contradicts itself."""


@dataclass(frozen=True)
class HeaderEvidence:
    """A state and the words of the header that it rests on.

    ``quote`` reads ``SeriesDescription="t1 +c"``; it is empty where nothing was said. A silent state
    may have a quote: the words that contradict each other.
    """

    state: HeaderState
    quote: str = ""


NOTHING_SAID = HeaderEvidence(HeaderState.SILENT)

# DICOM's LO, the representation of every description, holds 64 characters (PS3.5 6.2).
LONGEST_QUOTE = 64
HIDDEN = "..."
# Whatever names the patient; read only to be hidden if somebody typed it into a description.
PATIENT_KEYWORDS = ("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "OtherPatientNames")
# Shorter parts of a name ("Li", an initial) would hide half of an innocent description.
SHORTEST_HIDDEN_PART = 3


def quote(facts: Facts, keyword: str) -> str:
    """Return ``keyword="value"`` on one line, at most 64 characters of it, without the patient's names."""
    return f'{keyword}="{_without_patient(find_text(facts, keyword) or "", facts)}"'


def _without_patient(text: str, facts: Facts) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace('"', "'")
    for keyword in PATIENT_KEYWORDS:
        for part in re.split(r"[\s^=\\,]+", find_text(facts, keyword) or ""):
            if len(part) >= SHORTEST_HIDDEN_PART:
                line = re.sub(re.escape(part), HIDDEN, line, flags=re.IGNORECASE)
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - len(HIDDEN)] + HIDDEN

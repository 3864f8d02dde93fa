"""The three states of what a header says, and the quotation that goes with them.

Descriptions and agent fields are free text, and people type names, numbers and dates into them. Which words
are a patient's nobody can tell, least of all where the patient's own tags were removed; so a quotation shows
the words that decided, which stand in the lexicon, and hides the rest. Of attributes with a closed vocabulary
it shows the value if the vocabulary holds it.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gadoscope.evidence.facts import Facts, find_number, find_text
from gadoscope.evidence.phrases import Span
from gadoscope.evidence.sequence_words import CODE_WORDS
from gadoscope.evidence.tokens import compose, parse_tokens
from gadoscope.labels import QuoteMode


class HeaderState(StrEnum):
    """What a header says of contrast at the time of this series. A missing attribute is silent."""

    ADMINISTERED = "administered"
    """The agent had been given when the series was acquired."""
    NOT_ADMINISTERED = "not administered"
    """The agent had not been given, or none was given in this study."""
    SILENT = "silent"
    """Nothing is said, or what is said contradicts itself."""


@dataclass(frozen=True)
class Citation:
    """An attribute that says something.

    Attributes
    ----------
    keyword
        Its name.
    words
        The words that decided, ``...`` for what lies between, before and after them.
    full
        Its whole value.
    remark
        What is added behind: whose attribute it is.
    """

    keyword: str
    words: str
    full: str
    remark: str = ""

    def render(self, mode: QuoteMode) -> str:
        """Return ``keyword="value"`` and the remark."""
        value = self.full if mode is QuoteMode.FULL else self.words
        return f'{self.keyword}="{value}"{self.remark}'


@dataclass(frozen=True)
class HeaderEvidence:
    """A state and the words of the header that it rests on.

    ``quote`` reads ``SeriesDescription="... +c"``; it is empty where nothing was said. A silent state
    may have a quote: the words that contradict each other.
    """

    state: HeaderState
    citations: tuple[Citation, ...] = ()

    @property
    def quote(self) -> str:
        """Return the words that decided."""
        return self.render(QuoteMode.WORDS)

    def render(self, mode: QuoteMode) -> str:
        """Return the citations in one line."""
        return ", ".join(citation.render(mode) for citation in self.citations)

    def remarked(self, remark: str) -> tuple[Citation, ...]:
        """Return the citations with ``remark`` behind the last one."""
        *first, last = self.citations
        return (*first, replace(last, remark=f"{last.remark} {remark}"))


NOTHING_SAID = HeaderEvidence(HeaderState.SILENT)

# DICOM's LO, the representation of every description, holds 64 characters (PS3.5 6.2).
LONGEST_QUOTE = 64
HIDDEN = "..."
# Whatever names the patient; read only to be hidden if somebody typed it into a description.
PATIENT_KEYWORDS = ("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "OtherPatientNames")
# Shorter parts of a name ("Li", an initial) would hide half of an innocent description.
SHORTEST_HIDDEN_PART = 3
# Numbers, UIDs, clocks: nobody is named so.
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_UID = re.compile(r"[0-2](?:\.\d+)+")
_REPEATED = re.compile(r"\.\.\.(?: ?\.\.\.)+")
# No sign that people put between two words is longer.
_LONGEST_GAP = 3
# Attributes whose values the standard, or the vendors' conformance statements, list.
CODE_KEYWORDS = frozenset(
    (
        *("Modality", "ImageType", "FrameType", "ComplexImageComponent", "BodyPartExamined"),
        *("AcquisitionContrast", "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType"),
        *("EchoPulseSequence", "EchoPlanarPulseSequence", "InversionRecovery", "Units"),
        *("RescaleType", "AnatomicalOrientationType"),
    )
)
UID_KEYWORDS = frozenset(("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"))
NUMBER_KEYWORDS = frozenset(
    (
        *("DiffusionBValue", "EchoTime", "EffectiveEchoTime", "RepetitionTime", "InversionTime", "FlipAngle"),
        *("NumberOfTemporalPositions", "AcquisitionDuration", "SliceThickness", "MagneticFieldStrength"),
        "EchoTrainLength",
    )
)


def cite(facts: Facts, keyword: str, spans: Sequence[Span]) -> Citation:
    """Return an attribute's citation; ``spans`` say where the words that decided stand in its text."""
    text = find_text(facts, keyword) or ""
    # Somebody may be called Blanco: a word of the lexicon that the patient's own tags hold is hidden, too.
    shown = _without_patient(show_words(text, spans), facts)
    return Citation(keyword, shown, _without_patient(_one_line(text), facts))


def cite_value(keyword: str, value: str) -> Citation:
    """Return the citation of a value that shows as it is, for it is one of a closed vocabulary."""
    return Citation(keyword, value, value)


def show_words(text: str, spans: Sequence[Span]) -> str:
    """Return the words at ``spans`` and ``...`` for everything else, in one short line."""
    composed, shown, end = compose(text), "", 0
    is_all = bool(spans)
    for span in sorted(spans):
        between = composed[end : span.start]
        if any(character.isalnum() for character in between) or len(between.strip()) > _LONGEST_GAP:
            shown += f"{' ' if shown else ''}{HIDDEN} "
            is_all = False
        else:
            shown += between if shown else between.strip()
        shown += composed[span.start : span.end]
        end = span.end
    rest = composed[end:]
    if any(character.isalnum() for character in rest) or len(text) > len(composed):
        shown += f" {HIDDEN}"
        is_all = False
    return _shorten(_one_line(shown if is_all or shown else HIDDEN))


def quote(facts: Facts, keyword: str, words: Container[str] = frozenset()) -> str:
    """Return ``keyword="value"`` on one line, without anything that somebody may have typed of a patient.

    Parameters
    ----------
    words
        Words that decided, in small letters: of free text they are shown, and ``...`` for the rest.

    Notes
    -----
    A number and a UID are shown, and of attributes with a closed vocabulary the words that it holds.
    """
    text = _one_line(find_text(facts, keyword) or "")
    if keyword in NUMBER_KEYWORDS | UID_KEYWORDS:
        pattern = _UID if keyword in UID_KEYWORDS else _NUMBER
        parts = [part if pattern.fullmatch(part) else HIDDEN for part in text.split("\\")]
        return f'{keyword}="{_shorten(chr(92).join(parts))}"'
    shown = (words, CODE_WORDS) if keyword in CODE_KEYWORDS else (words,)
    spans: list[Span] = []
    for token in parse_tokens(text):
        # "B0", "INV2": one digit that belongs to the word before it.
        is_index = token.is_glued and token.text.isdigit() and len(token.text) == 1
        follows = bool(spans) and spans[-1].end == token.start
        if any(token.text in some for some in shown) or (is_index and follows):
            spans.append(Span(token.start, token.end))
    return f'{keyword}="{show_words(text, spans)}"'


def say_missing(facts: Facts, *keywords: str, in_dicom: str) -> str:
    """Return that attributes are missing, in the words of the format: a NIfTI has no tags, but a sidecar.

    Parameters
    ----------
    in_dicom
        What is said of a DICOM header.
    """
    n_sidecars = find_number(facts, "sidecars")
    if n_sidecars is None:
        return in_dicom
    return f"its JSON sidecar lacks {', '.join(keywords)}" if n_sidecars else "it has no JSON sidecar"


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace('"', "'")


def _shorten(line: str) -> str:
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - len(HIDDEN)] + HIDDEN


def _without_patient(line: str, facts: Facts) -> str:
    for keyword in PATIENT_KEYWORDS:
        for part in re.split(r"[\s^=\\,]+", find_text(facts, keyword) or ""):
            if len(part) >= SHORTEST_HIDDEN_PART:
                line = re.sub(re.escape(part), HIDDEN, line, flags=re.IGNORECASE)
    return _shorten(_REPEATED.sub(HIDDEN, line))

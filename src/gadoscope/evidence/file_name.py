"""What the name of an image file says of contrast: ``t1ce``, ``T1_Gd``, ``acq-postgad``, ``t1n``.

A file is named by whoever exported it, often for a study of another kind: "pre" and "post" are before and
after a treatment, "contrast" is one of a statistic, two letters are somebody's initials. So a name counts
only where it names the agent; short names of it only beside T1 or as the last word. Names of folders are not
read: they hold names of patients, sites and visits.

References
----------
BraTS (``t1c``, ``t1n``, ``t1ce``), UCSF-PDGM (``T1gad``, ``T1c``), UPENN-GBM (``T1GD``); BIDS 1.11, entities
``acq`` and ``ce``
"""

import re

from gadoscope.evidence.agent import is_agent_name, read_agent_value
from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.lexicon import Kind, load_lexicon
from gadoscope.evidence.name_hint import may_speak
from gadoscope.evidence.phrases import Span
from gadoscope.evidence.state import NOTHING_SAID, HeaderEvidence, HeaderState, cite
from gadoscope.evidence.tokens import Token, compose, parse_tokens, parse_words

FILE_NAME = "file name"
"""Key under which facts hold the name of the image's file, without its folder."""
CE_ENTITY = "ce"
"""Key under which a reader of BIDS names puts the label of ``ce-<label>``."""

_SUFFIX = re.compile(r"(?:\.(?:nii|img|hdr|gz|png|jpe?g|bmp|tiff?|gif|webp|mg[zh]))+$", re.IGNORECASE)
# The number of a slice, which is none of a dose: T1_Gd_0.
_NUMBER = re.compile(r"[-_ ]+\d+$")
# Of BIDS' entities these describe the acquisition; the others are subjects, visits, tasks, spaces.
_READ_ENTITIES = parse_words("acq rec desc mod")
_OTHER_ENTITIES = parse_words(
    "sub ses task dir run echo flip inv mt part proc space split recording chunk seg res den label hemi atlas"
    " scale tpl cohort sample stain trc nuc voi sess subj patient pat"
)
_CHUNK = re.compile(r"(?:(?P<key>[a-zA-Z]+)-)?(?P<label>[^_]+)")
# A phrase is about the agent if one of its words is one of these; "pre", "native", "plain", "injection" alone
# are about anything.
_AGENT_WORD = re.compile(
    r"gad|gd|[ck]ontrast|(?:pre|post|non)con$|km$|mdc$|^hance$|^(?:un|non)enhanced$|^nativ$"
)
_SHORT_AGENT_WORDS = parse_words("gd gad gado ce c km mdc dtpa gbca nce")
# Initials and words of other languages are as short: they need T1 beside them, or to be the last word.
_LAST_WORDS = parse_words("ce gd gad gado")
# Statistics have contrasts.
_AMBIGUOUS = ["contrast"]
_POSITION = parse_words("pre post")


def read_file_name(facts: Facts) -> HeaderEvidence:
    """Return what the name of the image's file says; nothing where it names before and after."""
    name = compose(find_text(facts, FILE_NAME) or "")
    if not may_speak(name):
        return NOTHING_SAID
    read, labels = _hide_entities(_SUFFIX.sub("", name), is_agent_read=CE_ENTITY in facts)
    found = _read_words(_NUMBER.sub("", read), labels)
    for key, span in labels:
        agent = read_agent_value(name[span.start : span.end]) if key == CE_ENTITY else None
        if agent is not None and agent.state is not HeaderState.SILENT:
            found.setdefault(agent.state, []).append(span)
    if len(found) != 1:
        return NOTHING_SAID
    state, spans = next(iter(found.items()))
    return HeaderEvidence(state, (cite(facts, FILE_NAME, spans),))


def _hide_entities(stem: str, *, is_agent_read: bool) -> tuple[str, list[tuple[str, Span]]]:
    """Return the name with blanks for what is not about the acquisition, and where the read labels stand."""
    read = stem
    labels: list[tuple[str, Span]] = []
    for chunk in _CHUNK.finditer(stem):
        key = (chunk["key"] or "").lower()
        start, end = chunk.span("label")
        if key in _READ_ENTITIES or (key == CE_ENTITY and not is_agent_read):
            labels.append((key, Span(start, end)))
        if key in _OTHER_ENTITIES or key == CE_ENTITY:
            read = read[: chunk.start()] + " " * (end - chunk.start()) + read[end:]
        elif key in _READ_ENTITIES:
            read = read[: chunk.start()] + " " * (start - chunk.start()) + read[start:]
    return read, labels


def _read_words(stem: str, labels: list[tuple[str, Span]]) -> dict[HeaderState, list[Span]]:
    """Return where the words stand that name the agent, by what they say of it."""
    lexicon = load_lexicon()
    phrases = lexicon.find_phrases(stem)
    if Kind.MIXED in phrases or Kind.EXAMINATION in phrases:
        return {}
    tokens = parse_tokens(stem, lexicon.uncut.__contains__)
    found: dict[HeaderState, list[Span]] = {}
    for kind, state in (
        (Kind.NEGATIVE, HeaderState.NOT_ADMINISTERED),
        (Kind.POSITIVE, HeaderState.ADMINISTERED),
    ):
        for span in phrases.get(kind, ()):
            is_label = any(key != CE_ENTITY and s.start <= span.start < s.end for key, s in labels)
            if _names_agent(tokens, span, is_label=is_label):
                found.setdefault(state, []).append(span)
    native = _find_native(tokens)
    if native is not None:
        found.setdefault(HeaderState.NOT_ADMINISTERED, []).append(native)
    return found


def _names_agent(tokens: tuple[Token, ...], span: Span, *, is_label: bool) -> bool:
    """Return whether a phrase of the lexicon is about the agent in the name of a file, too."""
    first, *_, last = [i for i, t in enumerate(tokens) if span.start <= t.start < span.end] * 2
    words = [token.text for token in tokens[first : last + 1]]
    before, after = tokens[first - 1 : first], tokens[last + 1 : last + 2]
    # A hyphen joins the parts of a name; "T1C5" is a vertebra.
    is_vertebra = words[-1] == "c" and bool(after) and after[0].is_glued and len(after[0].text) == 1
    if "-" in words or words == ["c"] or is_vertebra:
        return False
    if set(words) <= _POSITION:
        return is_label or (tokens[first].is_glued and bool(before) and before[0].text == "t1")
    if not any(_is_agent_word(word) for word in words):
        return False
    is_short = len(words) == 1 and words[0] in _SHORT_AGENT_WORDS
    if is_label or not (is_short or words == _AMBIGUOUS):
        return True
    is_beside_t1 = any(token.text == "t1" for token in before + after)
    return is_short and (is_beside_t1 or (words[0] in _LAST_WORDS and first > 0 and not after))


def _is_agent_word(word: str) -> bool:
    is_other_script = not word.isascii()  # nobody's initials, and no word of a treatment
    return (
        is_other_script
        or word in _SHORT_AGENT_WORDS
        or _AGENT_WORD.search(word) is not None
        or is_agent_name(word)
    )


def _find_native(tokens: tuple[Token, ...]) -> Span | None:
    """Return the place of BraTS' ``t1n``, native; ``T1N0M0`` is the stage of a tumour."""
    for one, other, *after in zip(tokens, tokens[1:], [*tokens[2:], Token("")], strict=False):
        is_native = one.text == "t1" and other.text == "n" and other.is_glued
        if is_native and not any(token.is_glued for token in after):
            return Span(one.start, other.end)
    return None

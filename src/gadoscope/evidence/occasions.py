"""What "pre" and "post" are about besides the agent: surgery, a shunt, months, a stroke, an infusion.

``AX T1 POST SHUNT`` and ``3 MONTHS POST`` say when in the life of a patient, not when in the examination.
What names the agent beside them is still read: ``POST SHUNT +C``, ``POST INFUSION OF GADOLINIUM``.

No list holds all that may happen to a patient, so words that end as names of events and of drugs do in the
languages of the lexicon count as well, but for those of the scan itself ("POST SATURATION").
"""

import re
from collections.abc import Container
from dataclasses import dataclass

from gadoscope.evidence.phrases import Line, Span, take_tokens, word_at

ANCHORS = frozenset(("pre", "post", "pos"))
# "post left temporal resection": what stands between is part of what was done.
MOST_BETWEEN = 2
# How the names of operations and treatments end, in the languages of the lexicon: there is no list of all.
_OPERATION = re.compile(
    r".*(?:e[ck]tom(?:y|ie|ia)|o(?:s|)tom(?:y|ie|ia)|plast(?:y|ie|ia|ik)|th?erap(?:y|ie|ies|ia)|emboli[sz]\w{4,}"
    r"|lys(?:is|e)|lisis|scop(?:y|ie|ia)|surgery|irurgi[ea]?|irugia|resec\w+|resek\w+|resezione|radiation|exeresi"
    r"|anlage|operation|verletzung|arth?rod[eè]s\w{1,2}|spondylodes\w{1,2})"
)
# How what happens, or was done, ends: "fusion", "infusione", "Impfung", "dialysis", "spondylodesis".
_HAPPENING = re.compile(
    r"\w{2,}(?:[cstx]ions?|[csz]ione|[cs]ao|[st]jon|[st]ie|ung|itis|sis|rrhage|rragie|pathy|pathie|ectasia)"
)
# How drugs end, from "rituximab" to "prednisolone".
_DRUG = re.compile(
    r"\w{2,}(?:mab|tinib|zepam|zolam|solone|sone|lamide|platin|taxel|rubicin|cillin|mycin|clovir|statin|barbital"
    r"|caine|triptan|azole)"
)
# "6/12" is six months, "2/52" two weeks.
_SHARES = frozenset(("12", "52"))
ORDINALS = frozenset(("st", "nd", "rd", "th"))
NEVER_BETWEEN = frozenset(("t1", "t2", "flair", "mprage", "fs"))
# Between "infusion" and the agent that ran in.
_JOINTS = frozenset(("of", "de", "di", "du", "d", "del", "with", "mit", "von", "the", "iv", "i", "v"))


@dataclass(frozen=True)
class Occasions:
    """Words for what happened before or after; see ``lexicon.toml``."""

    operations: frozenset[str]
    events: frozenset[str]
    direct: frozenset[str]
    drugs: frozenset[str]
    given: frozenset[str]
    of_the_scan: frozenset[str]
    spans: frozenset[str]
    short_spans: frozenset[str]


def take_occasions(line: Line, occasions: Occasions, known: Container[str]) -> list[Span]:
    """Replace every "pre" and "post" that is about something else, and that, by ``None``.

    Parameters
    ----------
    line
        The tokens of a description.
    known
        Words of contrast; none of them stands between "post" and what it is about.
    """
    spans = []
    for index in range(len(line)):
        if word_at(line, index) not in ANCHORS:
            continue
        end = _find_end(line, index, occasions, known)
        start = index if end is not None else _find_start(line, index, occasions)
        if start is not None:
            spans.append(take_tokens(line, start, end or index + 1))
    return spans + _take_other_doses(line, occasions)


def _take_other_doses(line: Line, occasions: Occasions) -> list[Span]:
    """Take "injection of botox" and the word before it: "post", "after", "après"."""
    spans = []
    for index in range(len(line)):
        if word_at(line, index) not in occasions.given or word_at(line, index + 1) not in _JOINTS:
            continue
        end = index + 2
        while word_at(line, end) in _JOINTS:
            end += 1
        if _is_drug(word_at(line, end), occasions):
            spans.append(take_tokens(line, index - bool(word_at(line, index - 1)), end + 1))
    return spans


def _find_end(line: Line, index: int, occasions: Occasions, known: Container[str]) -> int | None:
    """Return the index after what follows "post" and is its occasion, or ``None``."""
    end = _find_span(line, index + 1, occasions)
    end = end if end is not None else _find_occasion(line, index, occasions, known)
    if end is None:
        return None
    last = word_at(line, end - 1)
    while word_at(line, end) in occasions.given:  # "post steroid injection"
        last = word_at(line, end)
        end += 1
    return None if last in occasions.given and _names_agent(line, end, known) else end


def _find_occasion(line: Line, index: int, occasions: Occasions, known: Container[str]) -> int | None:
    """Return the index after an event, an operation or a drug, with few words before it, or ``None``."""
    if word_at(line, index + 1)[:1].isdigit() and word_at(line, index + 2) in ORDINALS:
        index += 2  # "post 2nd surgery"
    is_of_the_scan = False
    for place in range(index + 1, min(index + 2 + MOST_BETWEEN, len(line))):
        word = word_at(line, place)
        if word in occasions.operations or word in occasions.events or _OPERATION.fullmatch(word):
            return place + 1
        if not word.isalpha() or word in NEVER_BETWEEN or word in known:
            return None
        is_of_the_scan = is_of_the_scan or word in occasions.of_the_scan
        if not is_of_the_scan and (_HAPPENING.fullmatch(word) or _is_drug(word, occasions)):
            return place + 1
    return None


def _is_drug(word: str, occasions: Occasions) -> bool:
    return word in occasions.drugs or _DRUG.fullmatch(word) is not None


def _names_agent(line: Line, index: int, known: Container[str]) -> bool:
    """Return whether what was given is the agent: "infusion of gadolinium"."""
    while word_at(line, index) in _JOINTS:
        index += 1
    return word_at(line, index) in known


def _find_span(line: Line, index: int, occasions: Occasions) -> int | None:
    """Return the index after a span or a short word at ``index``: "3 months", "6/12", "d7", "op"."""
    first, second = word_at(line, index), word_at(line, index + 1)
    if first in occasions.direct or first in occasions.spans:
        return index + 1
    if first[:1].isdigit():
        if second == "/" and word_at(line, index + 2) in _SHARES:
            return index + 3
        return index + 2 if _is_span(line, index + 1, occasions) else None
    number = index + 2 if second == "+" else index + 1
    token = line[number] if number < len(line) else None
    is_glued = token is not None and token.is_glued and token.text.isdigit()
    return number + 1 if is_glued and first in occasions.short_spans else None


def _find_start(line: Line, index: int, occasions: Occasions) -> int | None:
    """Return the index of what precedes "post" and is its occasion, or ``None``."""
    before = word_at(line, index - 1)
    if before in occasions.operations or before in occasions.spans or _OPERATION.fullmatch(before):
        return index - 1
    if word_at(line, index - 2)[:1].isdigit() and _is_span(line, index - 1, occasions):
        return index - 2
    # "month 3 post", "day 10 post"
    unit, number = word_at(line, index - 2), line[index - 1] if index else None
    is_glued = number is not None and number.is_glued  # "J10 post"
    is_span = unit in occasions.spans or (is_glued and unit in occasions.short_spans)
    is_counted = before[:1].isdigit() and is_span
    return index - 2 if is_counted else None


def _is_span(line: Line, index: int, occasions: Occasions) -> bool:
    """Return whether the word after a number is a span of time; one letter has to be glued to the number."""
    token = line[index] if index < len(line) else None
    if token is None or (token.text not in occasions.spans and token.text not in occasions.short_spans):
        return False
    return len(token.text) > 1 or token.is_glued

"""What the value of an agent field says: an agent, its denial, or nothing.

The field is free text, filled in by scanners, people and de-identifiers: ``Gadovist``, ``Contrast: NONE``,
``NaCl 0.9%``, ``10 ml``, ``patient refused``. It says "administered" only if it names a gadolinium agent or
says that contrast was given; a text that nobody here understands says nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from gadoscope.evidence.lexicon import read_text
from gadoscope.evidence.people import take_people
from gadoscope.evidence.phrases import Line, Phrases, Span, iter_single_words, take, word_at
from gadoscope.evidence.state import HeaderState
from gadoscope.evidence.tokens import Token, compose, parse_tokens, strip_accents
from gadoscope.evidence.word_tables import read_table

# Written as one word with what they deny or affirm.
_JOINED_DENIALS = ("no", "non", "not", "without", "wo", "pre", "ohne", "sans", "senza", "sin", "sem", "un")
_JOINED_GIVEN = ("post", "with", "mit", "avec", "iv", "w")
# "Gadavist 10 mL, 0 mL wasted" is no dose of zero.
_LEFT_OVER = (
    "wasted",
    "waste",
    "discarded",
    "left",
    "remaining",
    "residual",
    "extravasated",
    "extravasation",
)
# A question, "Contrast:", "KM -".
_UNANSWERED = re.compile(r"\?|:\s*$|[\s:]-+\s*$")
_REMEMBERED_TEXTS = 1024
# A short word is one slip away from many others: "gadol" from "gadot", "gad" from "dad".
_SHORTEST_NAME = 7
# Two slips in a name of ten letters still leave no other drug: magnesium is three from magnevist.
_LONG_NAME = 10


class AgentKind(StrEnum):
    """What a phrase of an agent field means; the order is the order of the search."""

    NOISE = "noise"
    DOUBT = "doubts"
    DENIAL = "denials"
    OTHER = "others"
    FLUSH = "flushes"
    AGENT = "agents"
    GENERAL = "general"
    GIVEN = "given"
    AFFIRMATION = "affirmations"


@dataclass(frozen=True)
class AgentReading:
    """What a value says.

    Attributes
    ----------
    state
        The state that it speaks for.
    spans
        Where the words stand that decided; empty if it says nothing.
    misspelt
        The agent whose name, misspelt, decided.
    """

    state: HeaderState
    spans: tuple[Span, ...] = ()
    misspelt: str = ""


NOTHING = AgentReading(HeaderState.SILENT)


@dataclass(frozen=True)
class _Words:
    phrases: dict[AgentKind, Phrases]
    known: frozenset[str]
    names: frozenset[str]
    placeholders: frozenset[str]
    short_denials: frozenset[str]
    volumes: frozenset[str]
    fillers: frozenset[str]
    codes: frozenset[str]


@cache
def _load_words() -> _Words:
    data = read_table("agents")
    phrases: dict[AgentKind, Phrases] = {kind: data["phrases"][kind] for kind in AgentKind}
    return _Words(
        phrases=phrases,
        known=frozenset(
            (*data["volumes"], *(word for kind in AgentKind for word in iter_single_words(phrases[kind])))
        ),
        names=frozenset(iter_single_words(phrases[AgentKind.AGENT])),
        placeholders=frozenset(data["placeholders"]),
        short_denials=frozenset(data["short_denials"]),
        volumes=frozenset(data["volumes"]),
        fillers=frozenset(data["fillers"]),
        codes=frozenset(data["codes"]),
    )


def names_gadolinium(code_value: str | None) -> bool:
    """Return whether a code of DICOM's context groups for contrast agents is one of gadolinium."""
    return code_value in _load_words().codes


def is_agent_name(word: str) -> bool:
    """Return whether a word in small letters is a name of a gadolinium agent."""
    return word in _load_words().names


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def read_agent_value(text: str) -> AgentReading:
    """Return what the value of an agent field says.

    Blank, ``-``, ``0``, ``N/A``, a volume, another drug and what is not understood say nothing; ``NONE``,
    ``Contrast: no`` and ``patient refused`` deny; ``Gadovist``, ``Contrast`` and ``yes`` affirm.
    """
    if not text:
        return NOTHING
    words = _load_words()
    tokens = parse_tokens(text, words.known.__contains__)
    whole = _spell(tokens)
    everything = (Span(tokens[0].start, tokens[-1].end),) if tokens else ()
    if whole in words.short_denials:
        return AgentReading(HeaderState.NOT_ADMINISTERED, everything)
    is_word = any(token.text.isalpha() for token in tokens)
    tokens = _spell_out_no(tokens)
    if not is_word or whole in words.placeholders or _UNANSWERED.search(strip_accents(text)):
        return NOTHING
    line: Line = list(tokens)
    take_people(line, compose(text))
    found = {kind: take(line, words.phrases[kind]) for kind in AgentKind}
    _take_joined(line, found, words)
    unknown = [token for token in line if token is not None and _is_unknown(token, words)]
    misspelt = "" if found[AgentKind.AGENT] or found[AgentKind.DENIAL] else _find_misspelt(unknown)
    return _decide(found, unknown, tokens, misspelt) or _read_as_description(text, found)


def _decide(
    found: dict[AgentKind, list[Span]], unknown: list[Token], tokens: tuple[Token, ...], misspelt: str
) -> AgentReading | None:
    """Return what the phrases say together; ``None`` if there is none that counts."""
    agents, general, denials = found[AgentKind.AGENT], found[AgentKind.GENERAL], found[AgentKind.DENIAL]
    said = found[AgentKind.GIVEN] + ([] if unknown else found[AgentKind.AFFIRMATION])
    if found[AgentKind.DOUBT]:
        return NOTHING
    if denials:
        is_denied = _is_denied(denials, agents, unknown)
        spans = tuple(sorted(denials + agents + general + found[AgentKind.GIVEN]))
        return AgentReading(HeaderState.NOT_ADMINISTERED, spans) if is_denied else NOTHING
    if (agents or misspelt) and not _is_zero(tokens):
        return AgentReading(HeaderState.ADMINISTERED, tuple(agents), misspelt)
    is_other = bool(found[AgentKind.OTHER]) or (bool(found[AgentKind.FLUSH]) and not general)
    if agents or misspelt or is_other or _is_zero(tokens):
        return NOTHING
    spans = tuple(sorted(general + said))
    return AgentReading(HeaderState.ADMINISTERED, spans) if spans else None


def _is_denied(denials: list[Span], agents: list[Span], unknown: list[Token]) -> bool:
    """Return whether a denial is one of the agent: beside a named agent it may speak of something else."""
    if not agents:
        return True
    first, last = min(agents + denials), max(agents + denials)
    return not unknown and len(agents) == 1 and (first in denials or last in denials)


def _read_as_description(text: str, found: dict[AgentKind, list[Span]]) -> AgentReading:
    """Return what the lexicon of descriptions says, where no word of the fields' own is known."""
    if any(found.values()):
        return NOTHING
    reading = read_text(text)
    return AgentReading(reading.state, reading.spans) if reading.state is not HeaderState.SILENT else NOTHING


def _take_joined(line: Line, found: dict[AgentKind, list[Span]], words: _Words) -> None:
    """Read ``nogadolinium`` and ``withcontrast``, as labels of BIDS write it."""
    named = (
        *words.phrases[AgentKind.AGENT],
        *words.phrases[AgentKind.GENERAL],
        *words.phrases[AgentKind.GIVEN],
    )
    for index, token in enumerate(line):
        if token is None:
            continue
        for begins, kind in ((_JOINED_DENIALS, AgentKind.DENIAL), (_JOINED_GIVEN, AgentKind.GENERAL)):
            if any(token.text.startswith(b) and token.text.removeprefix(b) in named for b in begins):
                found[kind].append(Span(token.start, token.end))
                line[index] = None
                break


def _find_misspelt(unknown: list[Token]) -> str:
    names = sorted(name for name in _load_words().names if name.isascii())
    return next((name for name in (_find_name(token.text, names) for token in unknown) if name), "")


def _is_unknown(token: Token, words: _Words) -> bool:
    return token.text[0].isalpha() and token.text not in words.fillers


def _spell_out_no(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Read the last N of "IV contrast: N" as the answer that it is; alone it is a short denial."""
    *before, last = tokens or (Token(""),)
    if not before or last.text != "n":
        return tokens
    is_answer = not last.is_glued or before[-1].text == ":"
    return (*before, last._replace(text="no")) if is_answer else tokens


def _is_zero(tokens: tuple[Token, ...]) -> bool:
    """Return whether a dose is zero: one of a volume, or every other number there is."""
    volumes = _load_words().volumes
    doses: list[float] = []
    others: list[float] = []
    for index, token in enumerate(tokens):
        if not _is_number(token):
            continue
        number = float(token.text.replace(",", "."))
        unit, sign = word_at(tokens, index + 1), word_at(tokens, index + 2)
        if unit not in volumes:
            others.append(number)
        elif sign not in ("/", *_LEFT_OVER):  # "1 mmol/ml" is a concentration, "2 ml/s" a rate
            doses.append(number)
    return not all(doses) if doses else bool(others) and not any(others)


def _is_number(token: Token) -> bool:
    return token.text.replace(",", "").replace(".", "").isdecimal()


def _spell(tokens: tuple[Token, ...]) -> str:
    return " ".join(token.text for token in tokens)


def _find_name(word: str, names: Sequence[str]) -> str:
    """Return the name that ``word`` misspells; empty if there is none.

    A slip is a letter too many, a letter too few, a wrong one, or two that changed places: one in names of
    7 letters and more, two in names of 10 and more.
    """
    for name in names:
        if len(name) < _SHORTEST_NAME or word[:1] != name[:1]:
            continue
        most = 2 if len(name) >= _LONG_NAME else 1
        if abs(len(word) - len(name)) <= most and count_slips(word, name) <= most:
            return name
    return ""


def count_slips(one: str, other: str) -> int:
    """Return the optimal string alignment distance of two words.

    References
    ----------
    Damerau, Commun. ACM 7 (1964) 171; without a second change of what changed places.
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]

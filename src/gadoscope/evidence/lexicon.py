"""The words for contrast, and how a description is searched for them.

The words are data (``lexicon.toml``, versioned); the search is here: whole tokens, the longest
phrase first, kind by kind. A token that one phrase has taken is not read again, so ``pre gd`` is a
negative and its ``gd`` is not a positive.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from gadoscope.evidence.state import HeaderState
from gadoscope.evidence.tokens import Token, parse_tokens

ANY_LANGUAGE = "any"


class Kind(StrEnum):
    """What a phrase means; the order is the order of the search."""

    NEUTRAL = "neutral"
    """Looks like contrast and is not: ``phase contrast``, ``post op``."""
    MIXED = "mixed"
    """Before and after in one: ``w wo``, ``pre and post``."""
    NEGATIVE = "negative"
    """The agent had not been given: ``nativ``, ``t1 pre gd``."""
    POSITIVE = "positive"
    """The agent had been given: ``+c``, ``nach KM``."""


@dataclass(frozen=True)
class Lexicon:
    """All phrases; one phrase is a tuple of tokens, the longest of a first word come first."""

    version: int
    phrases: dict[Kind, dict[str, tuple[tuple[Token, ...], ...]]]
    words: frozenset[str]
    """Phrases of one word; they decide where capitals that run into small letters are cut."""
    denials: frozenset[str]
    """First words of an agent field that deny an agent."""
    placeholders: frozenset[str]
    """Whole values of an agent field that are no answer."""

    def find_kinds(self, text: str) -> frozenset[Kind]:
        """Return the kinds of the phrases in ``text``."""
        tokens: list[Token | None] = list(parse_tokens(text, self.words.__contains__))
        return frozenset(kind for kind in Kind if _take(tokens, self.phrases[kind]))

    def read(self, text: str) -> tuple[HeaderState, bool]:
        """Return the state that ``text`` speaks for, and whether it speaks of contrast at all."""
        kinds = self.find_kinds(text) - {Kind.NEUTRAL}
        if kinds == {Kind.NEGATIVE}:
            return HeaderState.NOT_ADMINISTERED, True
        if kinds == {Kind.POSITIVE}:
            return HeaderState.ADMINISTERED, True
        return HeaderState.SILENT, bool(kinds)


@cache
def load_lexicon() -> Lexicon:
    """Return the packaged lexicon."""
    data = _read_file()
    phrases: dict[Kind, dict[str, tuple[tuple[Token, ...], ...]]] = {}
    words: set[str] = set()
    for kind in Kind:
        found = {parse_tokens(text) for texts in data[kind].values() for text in texts}
        words |= {phrase[0].text for phrase in found if len(phrase) == 1}
        by_first: dict[str, tuple[tuple[Token, ...], ...]] = {}
        for phrase in sorted(found, key=lambda tokens: (-len(tokens), [t.text for t in tokens])):
            by_first[phrase[0].text] = (*by_first.get(phrase[0].text, ()), phrase)
        phrases[kind] = by_first
    return Lexicon(
        version=int(data["version"]),
        phrases=phrases,
        words=frozenset(words),
        denials=frozenset(data["agent_field"]["denials"]),
        placeholders=frozenset(data["agent_field"]["placeholders"]),
    )


def read_table() -> dict[Kind, dict[str, list[str]]]:
    """Return the phrases as they are written: kind, language (or ``any``), phrases."""
    data = _read_file()
    return {kind: data[kind] for kind in Kind}


def _read_file() -> dict[str, Any]:
    return tomllib.loads(files("gadoscope.evidence").joinpath("lexicon.toml").read_text(encoding="utf-8"))


def _take(tokens: list[Token | None], by_first: dict[str, tuple[tuple[Token, ...], ...]]) -> bool:
    """Replace every phrase in ``tokens`` by ``None``; return whether there was one."""
    found = False
    start = 0
    while start < len(tokens):
        token = tokens[start]
        ends = (_match(tokens, start, phrase) for phrase in by_first.get(token.text if token else "", ()))
        end = next((end for end in ends if end is not None), None)
        if end is None:
            start += 1
            continue
        tokens[start:end] = [None] * (end - start)
        found = True
        start = end
    return found


def _match(tokens: Sequence[Token | None], start: int, phrase: Sequence[Token]) -> int | None:
    """Return the index after ``phrase`` at ``start``, or ``None``; a slash inside may be left out."""
    index = start + 1
    for wanted in phrase[1:]:
        if _is_slash(tokens, index) and wanted.text != "/":
            index += 1
        token = tokens[index] if index < len(tokens) else None
        if token is None or token.text != wanted.text or (wanted.is_glued and not token.is_glued):
            return None
        index += 1
    return index


def _is_slash(tokens: Sequence[Token | None], index: int) -> bool:
    token = tokens[index] if index < len(tokens) else None
    return token is not None and token.text == "/"

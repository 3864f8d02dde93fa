"""Phrases as tokens, and the search for them: the longest first, and what is taken is not read again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from gadoscope.evidence.tokens import Token, parse_tokens

Line: TypeAlias = list[Token | None]
"""The tokens of a text; ``None`` for those that a phrase has taken."""
Phrases: TypeAlias = dict[str, tuple[tuple[Token, ...], ...]]
"""By their first word; the longest of a first word come first."""


class Span(NamedTuple):
    """Where a phrase stands in a text, as its tokens do."""

    start: int
    end: int


def parse_phrases(texts: Iterable[str]) -> Phrases:
    """Return phrases ready for `take`."""
    # Two spellings of one phrase differ in where their tokens stand, and in nothing that counts.
    found = {tuple((t.text, t.is_glued) for t in tokens): tokens for tokens in map(parse_tokens, texts)}
    by_first: Phrases = {}
    for phrase in sorted(found.values(), key=lambda tokens: (-len(tokens), [t.text for t in tokens])):
        by_first[phrase[0].text] = (*by_first.get(phrase[0].text, ()), phrase)
    return by_first


def iter_single_words(phrases: Phrases) -> Iterator[str]:
    """Yield the phrases of one word."""
    return (phrase[0].text for same in phrases.values() for phrase in same if len(phrase) == 1)


def take(line: Line, phrases: Phrases) -> list[Span]:
    """Replace every phrase in ``line`` by ``None``; return where they stood."""
    spans: list[Span] = []
    start = 0
    while start < len(line):
        token = line[start]
        end = None
        if token is not None and token.text in phrases:
            end = _find_longest(line, start, phrases[token.text])
        if end is None:
            start += 1
            continue
        spans.append(take_tokens(line, start, end))
        start = end
    return spans


def _find_longest(line: Line, start: int, phrases: Sequence[Sequence[Token]]) -> int | None:
    """Return the index after the first of ``phrases`` that stands at ``start``, or ``None``."""
    for phrase in phrases:
        end = _match(line, start, phrase)
        if end is not None:
            return end
    return None


def take_tokens(line: Line, start: int, end: int) -> Span:
    """Replace some tokens by ``None``; return where they stood."""
    taken = [token for token in line[start:end] if token is not None]
    line[start:end] = [None] * (end - start)
    return Span(taken[0].start, taken[-1].end)


def word_at(line: Sequence[Token | None], index: int) -> str:
    """Return the word at an index; empty outside of the line and where it was taken."""
    token = line[index] if 0 <= index < len(line) else None
    return token.text if token is not None else ""


def _match(line: Line, start: int, phrase: Sequence[Token]) -> int | None:
    """Return the index after ``phrase`` at ``start``, or ``None``; a slash inside may be left out."""
    index = start + 1
    for wanted in phrase[1:]:
        if wanted.text != "/" and word_at(line, index) == "/":
            index += 1
        token = line[index] if index < len(line) else None
        if token is None or token.text != wanted.text or (wanted.is_glued and not token.is_glued):
            return None
        index += 1
    return index

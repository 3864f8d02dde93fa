"""Phrases as tokens, and the search for them: the longest first, and what is taken is not read again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gadoscope.evidence.tokens import Token

Line: TypeAlias = list[Token | None]
"""The tokens of a text; ``None`` for those that a phrase has taken."""
Phrase: TypeAlias = str
"""Its words, a blank between two of them, and `GLUED` before one that nothing parts from the one before."""
GLUED = "~"
Phrases: TypeAlias = Mapping[str, Sequence[Phrase]]
"""By their first word; the longest of a first word come first."""


class Span(NamedTuple):
    """Where a phrase stands in a text, as its tokens do."""

    start: int
    end: int


def iter_single_words(phrases: Phrases) -> Iterator[str]:
    """Yield the phrases of one word."""
    return (phrase for same in phrases.values() for phrase in same if " " not in phrase)


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


def _find_longest(line: Line, start: int, phrases: Sequence[Phrase]) -> int | None:
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


def _match(line: Line, start: int, phrase: Phrase) -> int | None:
    """Return the index after ``phrase`` at ``start``, or ``None``; a slash inside may be left out."""
    index = start + 1
    for word in phrase.split(" ")[1:]:
        wanted = word.removeprefix(GLUED)
        if wanted != "/" and word_at(line, index) == "/":
            index += 1
        token = line[index] if index < len(line) else None
        if token is None or token.text != wanted or (word.startswith(GLUED) and not token.is_glued):
            return None
        index += 1
    return index

"""The words for contrast, and how a description is searched for them.

The words are data (``lexicon.toml``, versioned, read as `word_tables` prepares it); the search is here:
whole tokens, the longest phrase first, kind by kind. A token that one phrase has taken is not read again,
so ``pre gd`` is a negative and its ``gd`` is not a positive.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from gadoscope.evidence.bare_c import find_bare_c
from gadoscope.evidence.occasions import Occasions, take_occasions
from gadoscope.evidence.people import take_people
from gadoscope.evidence.phrases import (
    Line,
    Phrases,
    Span,
    iter_single_words,
    take,
    take_tokens,
    word_at,
)
from gadoscope.evidence.state import HeaderState
from gadoscope.evidence.tokens import ABSENT, compose, parse_tokens
from gadoscope.evidence.word_tables import read_table

ZEROS = frozenset(("0", "00", "0.0", "0,0", "0.00"))
# The descriptions of an archive repeat: a few hundred protocols make all its series.
_REMEMBERED_TEXTS = 4096


class Kind(StrEnum):
    """What a phrase means; the order is the order of the search."""

    NEUTRAL = "neutral"
    """Looks like contrast and is not: ``phase contrast``, ``post op``."""
    EXAMINATION = "examination"
    """An examination with both: ``w wo``. Yields to what is said of the series."""
    MIXED = "mixed"
    """Before and after in one: ``pre and post``."""
    NEGATIVE = "negative"
    """The agent had not been given: ``nativ``, ``t1 pre gd``."""
    POSITIVE = "positive"
    """The agent had been given: ``+c``, ``nach KM``."""


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes
    ----------
    state
        The state that it speaks for.
    spans
        Where the words stand that decided, or that contradict each other; empty if it says nothing.
    is_of_examination
        Whether all it says is that the examination has both.
    """

    state: HeaderState
    spans: tuple[Span, ...] = ()
    is_of_examination: bool = False


@dataclass(frozen=True)
class Lexicon:
    """All phrases, and the words that decide how they are cut and what they are about."""

    version: int
    phrases: dict[Kind, Phrases]
    words: frozenset[str]
    """Phrases of one word; they decide where capitals that run into small letters are cut."""
    uncut: frozenset[str]
    """These and the words of occasions, "tPA" among them."""
    occasions: Occasions
    examination_tail: frozenset[str]
    """What belongs to the words for an examination with both, after them: "with and without *contrast*"."""

    def find_phrases(self, text: str) -> dict[Kind, list[Span]]:
        """Return where the phrases of each kind stand in ``text``; kinds without one are left out."""
        text = compose(text)
        line: Line = list(parse_tokens(text, self.uncut.__contains__))
        take_people(line, text)
        found: dict[Kind, list[Span]] = {}
        for kind in Kind:
            spans = take(line, self.phrases[kind])
            if kind is Kind.NEUTRAL:
                spans += take_occasions(line, self.occasions, self.words)
                _take_zeros(line, self.phrases[Kind.POSITIVE])
            elif kind is Kind.EXAMINATION and spans:
                self._take_tails(line, spans)
            elif kind is Kind.NEGATIVE:
                spans += _take_absent(line, self.phrases[Kind.POSITIVE])
            elif kind is Kind.POSITIVE:
                spans += find_bare_c(line, text)
            if spans:
                found[kind] = sorted(spans)
        return found

    def _take_tails(self, line: Line, spans: list[Span]) -> None:
        for span in spans:
            follows = (i for i, token in enumerate(line) if token is not None and token.start >= span.end)
            index = next(follows, len(line))
            while word_at(line, index) in self.examination_tail:
                line[index] = None
                index += 1

    def read(self, text: str) -> Reading:
        """Return what ``text`` says; silent without spans if it does not speak of contrast."""
        found = self.find_phrases(text)
        found.pop(Kind.NEUTRAL, None)
        of_examination = found.pop(Kind.EXAMINATION, None)
        if not found:
            spans = tuple(of_examination or ())
            return Reading(HeaderState.SILENT, spans, is_of_examination=bool(spans))
        states = {
            frozenset((Kind.NEGATIVE,)): HeaderState.NOT_ADMINISTERED,
            frozenset((Kind.POSITIVE,)): HeaderState.ADMINISTERED,
        }
        state = states.get(frozenset(found), HeaderState.SILENT)
        return Reading(state, tuple(sorted(span for spans in found.values() for span in spans)))


@lru_cache(maxsize=_REMEMBERED_TEXTS)
def read_text(text: str) -> Reading:
    """Return what a description says; see `Lexicon.read`."""
    return load_lexicon().read(text)


@cache
def load_lexicon() -> Lexicon:
    """Return the packaged lexicon."""
    data = read_table("lexicon")
    phrases: dict[Kind, Phrases] = {kind: data["phrases"][kind] for kind in Kind}
    words = frozenset(word for kind in Kind for word in iter_single_words(phrases[kind]))
    return Lexicon(
        version=data["version"],
        phrases=phrases,
        words=words,
        uncut=words.union(data["occasion"]["operations"], data["occasion"]["events"]),
        occasions=Occasions(**{name: frozenset(words) for name, words in data["occasion"].items()}),
        examination_tail=frozenset(data["tail"]),
    )


def _take_zeros(line: Line, positives: Phrases) -> None:
    """Take ``Gd0`` and ``Gd 0.0``: no agent, or the frame before it. ``Gd000`` is the number of a slice."""
    for index in range(len(line) - 1):
        token, number = line[index], line[index + 1]
        if token is None or number is None or number.text not in ZEROS or token.text not in positives:
            continue
        if token.text.isalpha():
            line[index] = line[index + 1] = None


def _take_absent(line: Line, positives: Phrases) -> list[Span]:
    """Take what a minus in parentheses denies, ``Gd (-)`` and ``造影(-)``; return where it stood."""
    spans = []
    for index in range(1, len(line)):
        if word_at(line, index) != ABSENT:
            continue
        before: Line = list(line[:index])
        named = [span for span in take(before, positives) if before[index - 1] is None]
        if named and line[index - 1] is not None:
            start = next(
                i for i, token in enumerate(line) if token is not None and token.start == named[-1].start
            )
            spans.append(take_tokens(line, start, index + 1))
    return spans

"""What the name of a series says of its kind: localizer, field map, another contrast.

The name is SeriesDescription; where it is silent ProtocolName, where that is the series' own. Only the words
that decide are ever quoted: people type patients' names into descriptions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gadoscope.evidence.description import SERIES_TEXTS, protocol_is_of_the_study
from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.series_words import NAMED_KINDS, SAYS_T1, Force, NamedKind
from gadoscope.evidence.tokens import LONGEST_TEXT, parse_tokens, strip_accents

SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class SeriesName:
    """What a name says.

    Attributes
    ----------
    keyword
        Where the name stands.
    says_t1
        Whether it calls the series a T1.
    kinds
        Every kind that it names, with the words that do.
    """

    keyword: str
    says_t1: bool
    kinds: tuple[tuple[NamedKind, str], ...]

    def find(self, *forces: Force) -> tuple[NamedKind, str] | None:
        """Return the first kind of these forces, and its words."""
        return next((named for named in self.kinds if named[0].force in forces), None)

    def say(self, named: tuple[NamedKind, str]) -> str:
        """Return the beginning of a sentence: where the name stands, the words that decide, their meaning."""
        kind, words = named
        return f'{self.keyword} names "{words}", {kind.meaning}'


def read_series_name(facts: Facts) -> SeriesName:
    """Return what the first text of the series that names anything says."""
    said = [parse_series_name(text, keyword) for keyword, text in _iter_names(facts)]
    return next((name for name in said if name.kinds or name.says_t1), SeriesName(SERIES_TEXTS[0], False, ()))


def parse_series_name(text: str, keyword: str) -> SeriesName:
    """Return what ``text``, which stands under ``keyword``, says."""
    typed = strip_accents(text[:LONGEST_TEXT])
    plain = typed.casefold()
    # As it is joined, for "EFLAIRlong" has no seam where "FLAIR" begins; and as words.
    line = f"{SIGNS.sub(' ', plain)} ; {' '.join(token.text for token in parse_tokens(text))}"
    found = ((kind, kind.pattern.search(line)) for kind in NAMED_KINDS)
    kinds = tuple((kind, _find_typed(match.group(), typed, plain)) for kind, match in found if match)
    return SeriesName(keyword, SAYS_T1.search(line) is not None, kinds)


def _find_typed(words: str, typed: str, plain: str) -> str:
    """Return normalised words as they were typed: "field mapping" as "field_mapping"."""
    match = re.search(r"[\W_]*".join(re.escape(word) for word in words.split()), plain)
    is_same_place = match is not None and len(typed) == len(plain)  # an accent or a sharp s may move them
    return typed[match.start() : match.end()] if match is not None and is_same_place else words.strip()


def _iter_names(facts: Facts) -> Iterator[tuple[str, str]]:
    is_of_the_study = protocol_is_of_the_study(facts)
    for keyword in SERIES_TEXTS[:1] if is_of_the_study else SERIES_TEXTS:
        text = find_text(facts, keyword)
        if text:
            yield keyword, text

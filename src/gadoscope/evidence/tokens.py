"""A description becomes whole tokens: ``t1_mpr_KM`` is ``t1``, ``mpr``, ``km``.

A scanner's text box has no spelling rules, so a word ends at a space, a sign, a digit, or a capital
after a small letter. ``gd`` in ``GDWI`` is no token; ``Gd`` in ``preGd`` is. Letters are compared
without case and accents. ``+``, ``/`` and ``&`` are tokens, and so is ``-`` where it is a minus
(``-C``, ``C-``) and no hyphen (``T1-C``). So are ``:;,|``: no phrase of the lexicon reaches across them,
for ``T1 POST : Processed`` is no "post processed".
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

# T1W is T1: weighting says nothing of contrast, and "t1wce" must read as "t1ce"; "T1WO" is "T1 WO".
# A minus stands alone on one side and touches a letter on the other.
PIECE = re.compile(
    r"(?P<weighting>t[12])(?:w(?![io]))?(?![0-9])"
    r"|(?P<letters>[^\W\d_]+)"
    r"|(?P<number>\d+)"
    r"|(?P<sign>[+/&:;,|])"
    r"|(?P<minus>(?<![^\s(/_])-(?=[^\W\d_])|(?<=[^\W\d_])-(?![^\s)/_]))",
    re.IGNORECASE,
)
CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])")
CAPITALS_THEN_SMALL = re.compile(r"([A-Z]+)([a-z]+)")
# Letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L", "œ": "oe"})
# Longer than any description that DICOM allows; bounds the work on a damaged header.
LONGEST_TEXT = 1024


@dataclass(frozen=True)
class Token:
    """A word, number or sign; ``is_glued`` if nothing stood between it and the token before."""

    text: str
    is_glued: bool = False


def parse_tokens(text: str, is_known: Callable[[str], bool] = lambda word: False) -> tuple[Token, ...]:
    """Return the tokens of ``text``, in order.

    Parameters
    ----------
    text
        Any text, of any length.
    is_known
        Whether a word in small letters is one of the lexicon's; decides where ``MPRAGEpost`` is cut.
    """
    plain = strip_accents(text[:LONGEST_TEXT])
    tokens: list[Token] = []
    end = -1
    for match in PIECE.finditer(plain):
        is_glued = match.start() == end
        if match["weighting"]:
            words = [match["weighting"]]
        elif match["letters"]:
            words = _split_case(match["letters"], is_known)
        else:
            words = [match.group()]
        for number, word in enumerate(words):
            tokens.append(Token(word.casefold(), is_glued or number > 0))
        end = match.end()
    return tuple(tokens)


def parse_words(table: str) -> frozenset[str]:
    """Return the words of a table that is written as one text."""
    return frozenset(table.split())


def strip_accents(text: str) -> str:
    """Return ``text`` with every accented letter replaced by its plain one, and one dash for all."""
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
    kept = (c for c in decomposed if not unicodedata.combining(c))
    return "".join("-" if unicodedata.category(c) == "Pd" else c for c in kept)


def _split_case(letters: str, is_known: Callable[[str], bool]) -> list[str]:
    """Cut ``preGd`` and ``MPRAGEpost``; ``SAGGd`` is cut before its last capital."""
    words: list[str] = []
    for part in CASE_CHANGE.split(letters):
        match = CAPITALS_THEN_SMALL.fullmatch(part)
        if match is None or len(match[1]) == 1 or is_known(part.casefold()):
            words.append(part)
        elif is_known(match[2]):
            words += [match[1], match[2]]
        else:
            words += [match[1][:-1], match[1][-1] + match[2]]
    return words

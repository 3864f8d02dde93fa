"""A description becomes whole tokens: ``t1_mpr_KM`` is ``t1``, ``mpr``, ``km``.

A scanner's text box has no spelling rules, so a word ends at a space, a sign, a digit, or a capital
after a small letter. ``gd`` in ``GDWI`` is no token; ``Gd`` in ``preGd`` is. Letters are compared
without case and accents. ``+``, ``/`` and ``&`` are tokens, and so is ``-`` where it is a minus
(``-C``, ``C-``) and no hyphen (``T1-C``). So are ``:;,|``: no phrase of the lexicon reaches across them,
for ``T1 POST : Processed`` is no "post processed". Scripts that are written without spaces (Chinese,
Japanese, Korean) have a token for each character, so that their words are found inside a line.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

# T1W is T1: weighting says nothing of contrast, and "t1wce" must read as "t1ce"; "T1WO" is "T1 WO".
# Of wide ranges the case is not asked: compiling would look each of their characters up in both.
# A minus stands alone on one side and touches a letter on the other. "3D" ends a word: "3DGAD".
PIECE = re.compile(
    r"(?P<weighting>t[12])(?:w(?![io]))?(?![0-9])"
    r"|(?P<wide>(?-i:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]))"
    r"|(?P<letters>(?-i:[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]+))"
    r"|(?P<dimension>(?<![0-9.,])[234]d(?!ays?(?![a-z])))"
    r"|(?P<number>\d+(?:[.,]\d+)?)"
    r"|(?P<sign>[+/&:;,|])"
    # "Gd (-)", as a laboratory reports what it did not find; a katakana dash is one, too.
    r"|(?P<absent>\(\s*[-\u2212\u30fc]\s*\))"
    r"|(?P<minus>(?<![^\s(/_])-(?=[^\W\d_])|(?<=[^\W\d_])-(?![^\s)/_]))",
    re.IGNORECASE,
)
CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])")
CAPITALS_THEN_SMALL = re.compile(r"([A-Z]+)([a-z]+)")
# "AblaVar" is one word although "var" is one; "preGd" is two.
SHORTEST_NAME = 7
SYMBOL = "So"
# How a minus in parentheses reads, whatever dash it is.
ABSENT = "(-)"
# Letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "æ": "ae",
        "Æ": "AE",
        "ł": "l",
        "Ł": "L",
        "œ": "oe",
        "\u0131": "i",
        "đ": "d",
        "Đ": "D",
    }
)
# Longer than any description that DICOM allows; bounds the work on a damaged header.
LONGEST_TEXT = 1024


class Token(NamedTuple):
    """A word, number or sign, and where it stands in the text.

    Attributes
    ----------
    text
        Small letters without accents.
    is_glued
        Whether nothing stood between it and the token before.
    start, end
        Its place in `compose` of the text; the end is the index after it.
    """

    text: str
    is_glued: bool = False
    start: int = 0
    end: int = 0


def parse_tokens(text: str, is_known: Callable[[str], bool] = lambda word: False) -> tuple[Token, ...]:
    """Return the tokens of ``text``, in order.

    Parameters
    ----------
    text
        Any text, of any length.
    is_known
        Whether a word in small letters is one of the lexicon's; decides where ``MPRAGEpost`` is cut.
    """
    plain, places = _strip_with_places(compose(text))
    tokens: list[Token] = []
    last_end = -1
    for match in PIECE.finditer(plain):
        start, end = match.span()
        is_glued = start == last_end
        last_end = end
        letters = match["letters"]
        if letters is None:
            word = match["weighting"] or (ABSENT if match["absent"] else match.group())
            tokens.append(Token(word.casefold(), is_glued, places(start), places(end)))
            continue
        for word in _split_case(letters, is_known):
            token = Token(word.casefold(), is_glued, places(start), places(start + len(word)))
            tokens.append(token)
            start += len(word)
            is_glued = True
    return tuple(tokens)


def parse_words(table: str) -> frozenset[str]:
    """Return the words of a table that is written as one text."""
    return frozenset(table.split())


def compose(text: str) -> str:
    """Return ``text`` as it is tokenised: its first part, each accent in one character with its letter."""
    cut = text[:LONGEST_TEXT]
    return cut if cut.isascii() else unicodedata.normalize("NFC", cut)


def strip_accents(text: str) -> str:
    """Return ``text`` with every accented letter replaced by its plain one, and one dash for all."""
    return text if text.isascii() else "".join(map(_strip_character, unicodedata.normalize("NFC", text)))


def _strip_character(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == SYMBOL:  # Gadovist(TM) in one sign would decompose into letters
        return " "
    decomposed = unicodedata.normalize("NFKD", character.translate(PLAIN_LETTERS))
    kept = "".join(c for c in decomposed if not unicodedata.combining(c))
    # A Korean syllable is taken apart as if its letters were accents: it is put together again.
    return "".join("-" if unicodedata.category(c) == "Pd" else c for c in unicodedata.normalize("NFC", kept))


def _strip_with_places(text: str) -> tuple[str, Callable[[int], int]]:
    """Return the plain text, and for each of its indices the one in ``text``."""
    if text.isascii():
        return text, int
    pieces = [_strip_character(character) for character in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    # The end of a token is the place after its last character: "ae" of one "æ" must not be cut.
    return "".join(pieces), [*places, len(text)].__getitem__


def _split_case(letters: str, is_known: Callable[[str], bool]) -> list[str]:
    """Cut ``preGd`` and ``MPRAGEpost``; ``SAGGd`` is cut before its last capital, ``OptiMARK`` nowhere."""
    words: list[str] = []
    parts = CASE_CHANGE.split(letters)
    is_name = len(letters) >= SHORTEST_NAME or not any(is_known(part.casefold()) for part in parts)
    if len(parts) > 1 and is_name and is_known(letters.casefold()):
        return [letters]
    for part in parts:
        match = CAPITALS_THEN_SMALL.fullmatch(part)
        if match is None or len(match[1]) == 1 or is_known(part.casefold()):
            words.append(part)
        elif is_known(match[2]):
            words += [match[1], match[2]]
        else:
            words += [match[1][:-1], match[1][-1] + match[2]]
    return words

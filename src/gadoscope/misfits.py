"""What does not fit a record: where, what was expected, what was nearly right."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_origin

MAX_QUOTE_LENGTH = 300
"""Characters that a sentence quotes of what was found."""
MAX_WORD_LENGTH = 100
"""Characters of a word that is compared with those that are known; the time grows with its square."""
MIN_START = 3
"""Characters of a word that is taken for the beginning of another."""

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
}


class MisfitError(ValueError):
    """Plain values are not those of a record; whoever reads one says it in the words of its own errors.

    Attributes
    ----------
    where
        Path of the value, such as ``optimiser.learning_rate`` or ``planes[0]``; empty for the whole.
    """

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(sentence)
        self.where = where


class MissingKeysError(MisfitError):
    """The object ``where`` lacks ``keys``."""

    def __init__(self, where: str, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        super().__init__(where, f"{where or 'it'} lacks {', '.join(self.keys)}.")


class UnknownKeysError(MisfitError):
    """The object ``where`` has ``keys`` that it may not have; ``known`` are those that stand there."""

    def __init__(self, where: str, keys: Iterable[str], known: Iterable[str]) -> None:
        self.keys, self.known = tuple(keys), tuple(known)
        super().__init__(where, f"{where or 'it'} has unknown keys: {self.shown}.")

    @property
    def shown(self) -> str:
        """The keys for a sentence."""
        return cut_short(", ".join(self.keys))


class WrongValueError(MisfitError):
    """The value at ``where`` is ``found``, of another kind than ``hint``; ``words`` where only these fit."""

    def __init__(self, where: str, found: object, hint: Any, words: Iterable[str] = ()) -> None:
        self.found, self.hint, self.words = found, hint, tuple(words)
        super().__init__(where, f"{where or 'it'} is {quote(found)}; expected {self.expected}.")

    @property
    def expected(self) -> str:
        """What stands there otherwise, for a sentence."""
        return name_choices(self.found, self.words) if self.words else _describe(self.hint)


def name_choices(found: object, words: Iterable[str]) -> str:
    """Return ``one of a, b, c`` for a sentence, with the one that is nearly what was found."""
    words = tuple(words)
    near = find_near(found, words)
    return f"one of {', '.join(words)}" + (f" (did you mean {near}?)" if near else "")


def find_near(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that is nearly this one, or that begins with it; None if there is none.

    Upper and lower case make no difference, nor do hyphens and underscores.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - of what goes wrong only

    if not isinstance(word, str) or not 0 < len(word) <= MAX_WORD_LENGTH:
        return None
    spelt = {_fold(one): one for one in known}
    near = get_close_matches(_fold(word), spelt, n=1)
    if not near and len(word) >= MIN_START:
        near = [one for one in spelt if one.startswith(_fold(word))]
    return spelt[near[0]] if near else None


def quote(value: object) -> str:
    """Return what was found as Python writes it, for a sentence: no longer than a sentence may be."""
    try:
        return cut_short(repr(value))
    except (RecursionError, ValueError):  # lists in lists by the hundred, a number of thousands of digits
        return f"no {type(value).__name__} that can be shown"


def _describe(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "a list"
    return _WORDS.get(hint, "an object")


def cut_short(text: str) -> str:
    """Return a text that is no longer than a sentence may quote."""
    return text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH]} ..."


def _fold(word: str) -> str:
    return word.casefold().replace("-", "_")

"""What a program may pass, and the sentence for what it may not: the same for every function."""

import os
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from operator import index
from pathlib import Path
from typing import SupportsIndex, TypeVar

from gadoscope.errors import UsageError
from gadoscope.misfits import name_choices, quote

Word = TypeVar("Word", bound=StrEnum)


def need_path(path: str | Path) -> Path:
    """Return a path; raise UsageError of what is none."""
    if not isinstance(path, (str, os.PathLike)):
        raise UsageError(
            f"a path is expected here, and this is a value of the type {type(path).__name__}; name a file or "
            "a folder."
        )
    return Path(path)


def may_be_path(path: str | Path | None) -> Path | None:
    """Return a path, or None for none."""
    return None if path is None else need_path(path)


def need_paths(name: str, paths: Sequence[str | Path]) -> list[Path]:
    """Return several paths; raise UsageError of one that is alone, whose letters would be taken for paths."""
    if isinstance(paths, (str, os.PathLike)) or not isinstance(paths, Iterable):
        raise UsageError(f"{name} are several, and this is {quote(paths)}; put it into a list.")
    return [need_path(path) for path in paths]


def need_word(name: str, word: object, kind: type[Word]) -> Word:
    """Return the member of an enumeration; raise UsageError of a word that is none."""
    words = [one.value for one in kind]
    if word not in words:
        raise UsageError(f"{name} is {quote(word)}; expected {name_choices(word, words)}.")
    return kind(word)


def need_whole(name: str, number: SupportsIndex, least: int, most: int | None = None) -> int:
    """Return a whole number in a range; raise UsageError of any other."""
    try:
        whole = index(number)
    except TypeError:
        whole = least - 1
    if whole < least or (most is not None and whole > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        raise UsageError(f"{name} is {quote(number)}; expected a whole number, {bounds}.")
    return whole


def check_options(function: str, options: Mapping[str, object], kind: type) -> None:
    """Raise UsageError of an option that a function does not have, which would be passed by in silence.

    Parameters
    ----------
    kind
        The TypedDict of its options.
    """
    known = kind.__annotations__
    for name in options:
        if name not in known:
            raise UsageError(f"{function} has no option {name}; expected {name_choices(name, known)}.")

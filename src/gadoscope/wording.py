"""How numbers, names and paths are written for a person.

No share is rounded up to perfect, and a dash stands where there is no figure.
"""

import os
from collections.abc import Sequence
from pathlib import Path

DASH = "\N{EN DASH}"
"""Stands for a figure that is not defined."""
ROUNDING = 1e-12
"""A sum of thousands of shares that make 1 may fall short of it by so much."""
PERCENT = "\N{NO-BREAK SPACE}%"
N_SHOWN = 3
"""How many paths a message names before it only counts."""


def percent(share: float | None) -> str:
    """Write a share as per cent with one digit; only a share of exactly 1 is 100 %."""
    if share is None:
        return DASH
    if 1 > share > 0.9995:  # noqa: PLR2004  # would be rounded to 100.0
        return f">99.9{PERCENT}"
    if 0 < share < 0.0005:  # noqa: PLR2004  # would be rounded to 0.0
        return f"<0.1{PERCENT}"
    return f"{100 * share:.1f}{PERCENT}"


def points(difference: float | None) -> str:
    """Write a difference of two shares in percentage points."""
    return DASH if difference is None else f"{100 * difference:.1f} points"


def signed_points(difference: float | None) -> str:
    """Write a difference of two shares in percentage points with its sign."""
    return DASH if difference is None else _sign(f"{100 * difference:+.1f}")


def signed_area(difference: float | None) -> str:
    """Write a difference of two areas with its sign."""
    return DASH if difference is None else _sign(f"{difference:+.4f}")


def _sign(text: str) -> str:
    """Write a true minus, and no sign before zero."""
    if not text.strip("+-0."):
        return text[1:]
    return text.replace("-", "\N{MINUS SIGN}")


def p_value(value: float | None) -> str:
    """Write a p-value with three digits; never 0, which it cannot be."""
    if value is None:
        return DASH
    return "<0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004  # would be rounded to 0


def area(value: float | None) -> str:
    """Write an area under a curve with four digits; only an area of 1, but for rounding, is 1.0000."""
    if value is None:
        return DASH
    return ">0.9999" if 1 - ROUNDING > value > 0.99995 else f"{value:.4f}"  # noqa: PLR2004  # would be rounded to 1


def probability(value: float | None) -> str:
    """Write a probability or a threshold with four digits; never 0 or 1, which it cannot be."""
    if value is None:
        return DASH
    if value < 0.00005:  # noqa: PLR2004  # would be rounded to 0
        return "<0.0001"
    return ">0.9999" if value > 0.99995 else f"{value:.4f}"  # noqa: PLR2004  # would be rounded to 1


def whole(value: int | None) -> str:
    """Write a count with separators."""
    return DASH if value is None else f"{value:,}"


def plural(n: int, noun: str) -> str:
    """Write a count with its noun: 1 image, 2 images."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def list_names(names: Sequence[str]) -> str:
    """Write names as a sentence does: a, b and c."""
    if len(names) < 2:  # noqa: PLR2004  # nothing to join
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def short_name(path: str) -> str:
    """Return the last folder and the file's name: enough to find it, and no more of the machine."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def show_path(path: Path) -> str:
    """Return a path as text that every terminal can show, line breaks and odd bytes as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def name_some(paths: Sequence[Path]) -> str:
    """Return the first few of ``paths`` for a message, and how many more there are."""
    shown = ", ".join(show_path(path) for path in paths[:N_SHOWN])
    more = len(paths) - N_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown

"""A header as a plain mapping, and how its values are read without ever failing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

Facts: TypeAlias = Mapping[str, object]
"""pydicom keyword to ``str``, ``float``, ``int``, or a list of these; a sequence is a list of mappings."""


def find_text(facts: Facts, keyword: str) -> str | None:
    """Return a value as text without outer spaces; several values are joined by a backslash.

    ``None`` if the attribute is missing, empty, or no text and no number.
    """
    value = facts.get(keyword)
    if isinstance(value, (list, tuple)):
        parts = [part for part in map(_spell, value) if part]
        return "\\".join(parts) or None
    return _spell(value) or None


def find_words(facts: Facts, keyword: str) -> tuple[str, ...]:
    """Return the values of a multi-valued code string, in capitals; empty if there are none."""
    text = find_text(facts, keyword)
    return tuple(part.strip().upper() for part in text.split("\\") if part.strip()) if text else ()


def find_number(facts: Facts, keyword: str) -> float | None:
    """Return the first value as a finite number, or ``None``."""
    text = find_text(facts, keyword)
    if text is None:
        return None
    try:
        number = float(text.split("\\")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def iter_items(facts: Facts, keyword: str) -> Iterator[Facts]:
    """Yield the items of a sequence; one mapping counts as a sequence of one item."""
    value = facts.get(keyword)
    items: Sequence[object] = value if isinstance(value, (list, tuple)) else (value,)
    for item in items:
        if isinstance(item, Mapping):
            yield item


def find_seconds(facts: Facts, keyword: str) -> float | None:
    """Return a DICOM TM or DT value as seconds since midnight, or ``None``.

    References
    ----------
    DICOM PS3.5 6.2, value representations TM (``HHMMSS.FFFFFF``) and DT (``YYYYMMDDHHMMSS...``)
    """
    text = find_text(facts, keyword)
    if text is None:
        return None
    clock = text.split("\\")[0].replace(":", "").replace(" ", "")
    if keyword.endswith("DateTime"):
        clock = clock[8:].split("+")[0].split("-")[0]
    whole, _, fraction = clock.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) in (2, 4, 6)):
        return None
    hours, minutes, seconds = (int(whole[start : start + 2] or 0) for start in (0, 2, 4))
    if hours > 23 or minutes > 59 or seconds > 60:  # noqa: PLR2004 - a clock; 60 is a leap second
        return None
    part = float(f"0.{fraction}") if fraction.isascii() and fraction.isdigit() else 0.0
    return hours * 3600 + minutes * 60 + seconds + part


def _spell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).replace("\x00", "").strip()

"""Which series a page is about: the filters of its address, kept from page to page."""

from collections.abc import Mapping
from dataclasses import fields
from urllib.parse import urlencode

from gadoscope.errors import UsageError
from gadoscope.results.store.queue import QueueQuery

NUMBERS = ("probability_at_least", "probability_at_most")
_OF_PAGES = (
    "after",
    "look",
    "reviewed",
    "reader",
    "other_reader",
    "differs_from",
    "scanner",
    "month",
    "source",
    *NUMBERS,
)
_OF_ROWS = ("phase", "plane", "status", "agreement", "reason", "model")
NAMES = tuple(field.name for field in fields(QueueQuery) if field.name in (*_OF_PAGES, *_OF_ROWS))


def read_filters(params: Mapping[str, str], reader: str) -> QueueQuery:
    """Return what an address asks for; "by" and "not by" are of whoever looks, where no reader is named.

    Raises
    ------
    UsageError
        If a value is none.
    """
    said: dict[str, str | float] = {name: params[name] for name in NAMES if params.get(name)}
    for name in NUMBERS:
        if name in said:
            said[name] = _read_number(name, str(said[name]))
    if said.get("reviewed") in ("by", "not_by"):
        said.setdefault("reader", reader)
    return QueueQuery(**said)  # type: ignore[arg-type]  # the numbers are numbers


def write_filters(params: Mapping[str, str]) -> str:
    """Return the filters of an address as the end of another one."""
    return urlencode([(name, params[name]) for name in NAMES if params.get(name)])


def _read_number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"{name} = {text!r}; expected a number from 0 to 1.")
    return value

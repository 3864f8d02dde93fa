"""Values of a plain header as pydicom gives them, without it: text, numbers, and lists of these.

What pydicom repairs, or reads in another way than the standard says (text that is no number, bytes that are
no text in their character set, escape sequences), is not plain.

References
----------
DICOM PS3.5 6.1 (character sets), 6.2 (value representations); PS3.3 C.12.1.1.2 (Specific Character Set)
"""

import re
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from gadoscope.reading.dicom.elements import BINARY_FORMS

Value = str | int | float | list[str] | list[int] | list[float]

_ESCAPE = b"\x1b"
_PADDING = " \0"
_INTEGER = re.compile(r" *[+-]?[0-9]{1,15} *")
"""Up to fifteen digits: more are no whole number to pydicom."""
_DEFAULT, _UNICODE = "latin-1", "utf-8"
# Specific Character Set, or the first of several; what holds no escape is written in it.
_CODECS = {
    **dict.fromkeys(("", "ISO_IR 6", "ISO_IR 100", "ISO 2022 IR 6", "ISO 2022 IR 100"), _DEFAULT),
    "ISO_IR 192": _UNICODE,
}


class NotPlainError(ValueError):
    """A value must be read by pydicom."""


def find_codec(character_set: str) -> str:
    """Return Python's name of the first of the character sets that a header names; raises NotPlainError."""
    codec = _CODECS.get(character_set.split("\\", maxsplit=1)[0])
    if codec is None:
        raise NotPlainError
    return codec


def parse_value(form: str, value: bytes, codec: str) -> Value:
    """Return a value that is not empty; empty text where it is nothing but padding.

    Parameters
    ----------
    form
        Value representation.
    codec
        As `find_codec` gives it.

    Raises
    ------
    NotPlainError
        If it must be read by pydicom.
    """
    parse = _PARSERS.get(form)
    if parse is None:
        raise NotPlainError
    try:
        return parse(value, codec)
    except ValueError as error:
        raise NotPlainError from error


def _decode(value: bytes, codec: str) -> str:
    if _ESCAPE in value:
        raise NotPlainError
    return value.decode(codec)


def _parse_codes(value: bytes, _codec: str) -> Value:
    """Parse codes, dates and times: never in another character set."""
    return _unpack(value.decode(_DEFAULT).rstrip(_PADDING).split("\\"))


def _parse_uids(value: bytes, _codec: str) -> Value:
    return _unpack([part.strip() for part in value.decode(_DEFAULT).rstrip(_PADDING).split("\\")])


def _parse_words(value: bytes, codec: str) -> Value:
    return _unpack([part.rstrip(_PADDING) for part in _decode(value, codec).split("\\")])


def _parse_text(value: bytes, codec: str) -> Value:
    return _decode(value, codec).rstrip(_PADDING)


def _parse_names(value: bytes, codec: str) -> Value:
    """Parse names of persons; groups that are empty at their ends are left out."""
    return _unpack([part.rstrip("=") for part in _decode(value.rstrip(b" \0"), codec).split("\\")])


def _parse_decimals(value: bytes, _codec: str) -> Value:
    text = value.decode(_DEFAULT).strip().rstrip(_PADDING)
    return _unpack(list(map(float, text.split("\\")))) if text else ""


def _parse_integers(value: bytes, _codec: str) -> Value:
    text = value.decode(_DEFAULT).rstrip(_PADDING)
    parts = text.split("\\")
    if text.strip() and not all(map(_INTEGER.fullmatch, parts)):
        raise NotPlainError
    return _unpack(list(map(int, parts))) if text.strip() else ""


def _parse_binary(letter: str, size: int, value: bytes, _codec: str) -> Value:
    if len(value) % size:
        raise NotPlainError
    return _unpack(list(struct.unpack(f"<{len(value) // size}{letter}", value)))


def _unpack(values: list[Any]) -> Value:
    only: Value = values[0] if len(values) == 1 else values
    return only


_PARSERS: dict[str, Callable[[bytes, str], Value]] = {
    **dict.fromkeys(("AS", "CS", "DA", "DT", "TM"), _parse_codes),
    **dict.fromkeys(("LO", "SH", "UC"), _parse_words),
    **dict.fromkeys(("LT", "ST", "UT"), _parse_text),
    **{form: partial(_parse_binary, letter, size) for form, (letter, size) in BINARY_FORMS.items()},
    "UI": _parse_uids,
    "PN": _parse_names,
    "DS": _parse_decimals,
    "IS": _parse_integers,
}

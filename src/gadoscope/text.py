"""Odd text of files, headers and names, made fit for a terminal, a table or a database.

A file name may hold any byte, a header any character: escape sequences that a terminal obeys, line ends
that break a row, halves of a character that no UTF-8 can hold. What is shown and what is stored passes here.
"""

import re

ODD_BYTES = "backslashreplace"
"""How halves of characters are written: the bytes of a name that is not UTF-8 become ``\\udcXX``."""
MAX_SHOWN = 2000
"""Characters of one line on a terminal: more than any sentence of ours with a long path in it."""
MAX_CELL = 32_767
"""Characters of one cell of a table: what a spreadsheet holds (Excel's limit; Python's csv reads four times
as many)."""
CUT = "…"
MAX_MARKS = 4
"""Accents and the like on one letter; no language of the world stacks more, and hundreds cover the screen."""

_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what stands around them
    "\u2028\u2029"  # line ends
    "\ufeff"  # the byte order mark, behind which a formula could hide
    "\ud800-\udfff"  # halves of characters
    "\ufdd0-\ufdef\ufffe\uffff"  # no characters
)
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_NOT_STORED = re.compile(f"[{_UNSEEN}]")
_ESCAPED = re.compile(r"\\(?:\\|x[0-9a-f]{2}|u[0-9a-f]{4})")
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
    f"{{{MAX_MARKS}}})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def printable(text: str) -> str:
    """Return ``text`` as one line for a terminal, which would obey an escape sequence in it.

    What cannot be seen becomes U+FFFD; what is longer than ``MAX_SHOWN`` is cut.
    """
    if len(text) > MAX_SHOWN:
        text = text[: MAX_SHOWN - 1] + CUT
    shown = "".join(c if c.isprintable() or c in _SPACES else "\ufffd" for c in text)
    return _MARKS.sub(r"\1", shown)


def escaped(text: str, *, also: str = "") -> str:
    r"""Return ``text`` with what cannot be seen as ``\xXX`` or ``\uXXXX``; see `unescaped`.

    Tabs and line feeds stay, unless they are in ``also``. A text with nothing to escape stays as it is, with
    its backslashes.
    """
    pattern = re.compile(f"[{_UNSEEN}{re.escape(also)}]") if also else _NOT_STORED
    if not pattern.search(text):
        return text
    return pattern.sub(lambda match: _spell(match[0]), text.replace("\\", "\\\\"))


def unescaped(text: str) -> str:
    """Return what `escaped` was given; a text that it would not have written so stays as it is."""
    if "\\" not in text:
        return text
    read = _ESCAPED.sub(lambda match: "\\" if match[0] == "\\\\" else chr(int(match[0][2:], 16)), text)
    return read if read != text and text in {escaped(read), escaped(read, also="\t\n")} else text


def in_json(document: str) -> str:
    r"""Return a JSON document with what cannot be seen as ``\uXXXX``: it is read as the same value."""
    return _NOT_STORED.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def shortened(text: str) -> str:
    """Return at most ``MAX_CELL`` characters of ``text``."""
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + CUT


def _spell(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"  # noqa: PLR2004 — the end of ASCII

r"""Tables of text that a spreadsheet may open: no cell is a formula, no name breaks a row.

Every CSV that is written passes here, and what of ours is read again comes back as it was.

- What cannot be seen (escape sequences, carriage returns, what turns the direction of text) is written
  ``\xXX`` or ``\uXXXX``; a backslash in the same text is doubled.
- A relative path that would be a formula gets ``./`` before it: the same file. Any other text gets an
  apostrophe, by which spreadsheets know text. Numbers stay, also negative ones.

References
----------
OWASP, CSV Injection
"""

import csv
import re
from collections.abc import Sequence
from typing import TextIO

from gadoscope.text import escaped, shortened, unescaped

PATH = "path"
"""The column that holds a path; in every table of ours it is the first."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - as meant
"""First characters that make a spreadsheet evaluate a cell; the last four are East Asian."""
HERE = "./"
APOSTROPHE = "'"
TAB = "\t"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WOULD_BE_FORMULA = re.compile(f"{APOSTROPHE}*[{re.escape(''.join(FORMULA_STARTS))}]")
_WAS_FORMULA = re.compile(f"{APOSTROPHE}+[{re.escape(''.join(FORMULA_STARTS))}]")


class SheetWriter:
    """Writes the header line to ``stream``, then rows.

    Parameters
    ----------
    stream
        Opened with ``newline=""``.
    columns
        Their names.
    delimiter
        Between cells; between tabs a row is one line, whatever stands in it.
    """

    def __init__(self, stream: TextIO, columns: Sequence[str], *, delimiter: str = ",") -> None:
        self._rows = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        self._is_path = [column == PATH for column in columns]
        self._also = "\t\n" if delimiter == TAB else ""
        self._rows.writerow([self._write_text(column) for column in columns])

    def write(self, cells: Sequence[str]) -> None:
        """Write one row; an unknown value is an empty text."""
        self._rows.writerow(
            [
                self._write_path(cell) if is_path else self._write_text(cell)
                for cell, is_path in zip(cells, self._is_path, strict=True)
            ]
        )

    def _write_path(self, path: str) -> str:
        written = shortened(escaped(path, also=self._also))
        return HERE + written if written.startswith(FORMULA_STARTS) else written

    def _write_text(self, text: str) -> str:
        written = shortened(escaped(text, also=self._also))
        if _WOULD_BE_FORMULA.match(written) and not _NUMBER.fullmatch(written):
            return APOSTROPHE + written
        return written


def read_text(cell: str) -> str:
    """Return the text of a cell that `SheetWriter` wrote."""
    return unescaped(cell[1:] if _WAS_FORMULA.match(cell) else cell)


def read_path(cell: str) -> str:
    """Return the path of a cell that `SheetWriter` wrote."""
    is_marked = cell.startswith(HERE) and cell[len(HERE) :].startswith(FORMULA_STARTS)
    return unescaped(cell[len(HERE) :] if is_marked else cell)

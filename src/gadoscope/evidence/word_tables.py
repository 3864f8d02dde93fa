"""The tables of words, ready for the search: ``words.json``, made of ``lexicon.toml`` and ``agents.toml``.

People edit the two; cutting their thousand phrases into tokens takes longer than answering an image, so it
is done before: `python -m tests.support.word_tables` writes the file, and a test compares.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("words.json")


def read_table(name: str) -> dict[str, Any]:
    """Return the table ``lexicon`` or ``agents``: phrases by kind, and the lists of words beside them."""
    table: dict[str, Any] = _read()[name]
    return table


@cache
def _read() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(_FILE.read_bytes())
    return tables

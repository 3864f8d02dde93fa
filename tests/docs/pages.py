"""Read what a reference page says: the tables below a heading, cell by cell."""

import re

from tests.support.paths import DOCS

CODE = re.compile(r"`([^`]+)`")


def read_section(page: str, heading: str) -> str:
    """Return the text below a heading of any level, up to the next heading of that level or a higher one."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"{page} has no heading {heading!r}"
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def read_rows(text: str) -> list[list[str]]:
    """Return the cells of every table row in ``text``, without headers and rules."""
    lines = text.splitlines()
    rows = []
    for number, line in enumerate(lines):
        is_rule = line.startswith("|-")
        is_header = number + 1 < len(lines) and lines[number + 1].startswith("|-")
        if line.startswith("|") and not is_rule and not is_header:
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def first_words(text: str) -> list[str]:
    """Return every word in code type in the first cells of the tables in ``text``, in order."""
    return [word for row in read_rows(text) for word in CODE.findall(row[0])]

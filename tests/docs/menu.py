"""Read the site's menu, and the pages' headings as the site and GitHub name them; nothing is built."""

import re
from pathlib import Path

from tests.support.paths import DOCS, ROOT

MENU = re.compile(r"^nav:\n(.*?)^\S", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"^ +- (?:[^:\n]+: )?(\S+(?:\.md|/))$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*~*$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def read_menu() -> list[Path]:
    """Return the pages of the menu in mkdocs.yml in their order, a folder as its pages."""
    found = MENU.search((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert found, "mkdocs.yml has no nav"
    pages: list[Path] = []
    for name in ENTRY.findall(found[1]):
        place = (DOCS if (DOCS / name).exists() else ROOT) / name
        pages += sorted(place.glob("*.md")) if name.endswith("/") else [place]
    return pages


def read_anchors(page: Path) -> set[str]:
    """Return what may follow `#` in a link to the page, but for a second heading of one name."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {name_anchor(heading) for heading in HEADING.findall(text)}


def name_anchor(heading: str) -> str:
    """Return the anchor of a heading: small letters, hyphens for blanks, no signs, links by their words."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")

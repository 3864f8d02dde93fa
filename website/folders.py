"""Fill in the menu of the site: an entry `decisions/` stands for all pages of that folder.

MkDocs loads this as a hook. A new decision is in the menu as soon as it is a file; pages that are in an order
of their own (how-to, reference, explanation) are named in mkdocs.yml one by one.
"""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each folder in the menu by its pages, README.md first, then by name."""
    config.nav = fill_in(config.nav, Path(config.docs_dir))
    return config


def fill_in(entry: Any, docs: Path) -> Any:
    """Return the menu, or a part of it, with its folders replaced by their pages."""
    if isinstance(entry, dict):
        return {title: fill_in(below, docs) for title, below in entry.items()}
    if not isinstance(entry, list):
        return entry
    return [one for below in entry for one in _list_folder(below, docs) or [fill_in(below, docs)]]


def _list_folder(entry: Any, docs: Path) -> list[str]:
    if not isinstance(entry, str) or not entry.endswith("/"):
        return []
    pages = sorted((docs / entry).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
    return [page.relative_to(docs).as_posix() for page in pages]

"""Show the repository's own files on the site; links stay those that work when the pages are read as files.

MkDocs loads this as a hook. A link from a page to a file outside of `docs` (`../../CONTRIBUTING.md`)
leads on the site to a page that shows the file. The home page shows what README.md says, at the line `HERE`
of docs/index.md: one text, in one place.
"""

import re
from collections.abc import Iterator
from os.path import normpath, relpath
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)")
HERE = "<!-- The site shows README.md here. -->"
END_OF_HOME = "## More\n"
"""What README.md says from here on is of the repository, or stands in the site's own menu."""
ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
"""Shown as pages of the site, under their own names; everything else outside of `docs` as source."""
SOURCES = "source"
LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json", ".sh": "sh", ".yml": "yaml", ".cff": "yaml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside of `docs` that a page links to."""
    for name in ROOT_PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    pages = [*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", *ROOT_PAGES))]
    targets = {target for page in pages for target in _iter_targets(page)}
    for target in sorted(targets):
        if name_page(target) not in files.src_uris and not target.is_relative_to(DOCS):
            files.append(File.generated(config, name_page(target), content=_show(target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page to where their files are on the site."""
    uri = page.file.src_uri
    if uri.startswith(f"{SOURCES}/"):
        return markdown
    if HERE in markdown:
        first = (ROOT / "README.md").read_text(encoding="utf-8").partition(END_OF_HOME)[0]
        below_title = first.partition("\n")[2]
        markdown = markdown.replace(HERE, relink(below_title, ROOT, uri))
        page.meta["hide"] = ["navigation"]  # beside the home page the menu would hold itself alone
    return relink(markdown, ROOT if uri in ROOT_PAGES else (DOCS / uri).parent, uri)


def relink(markdown: str, folder: Path, uri: str) -> str:
    """Return text of a file in ``folder`` with its links as those of the page ``uri`` of the site."""

    def lead(match: re.Match[str]) -> str:
        target = Path(normpath(folder / match[1]))
        if not target.exists() or not target.is_relative_to(ROOT):
            return match[1]  # MkDocs tells a link that leads nowhere
        return PurePosixPath(relpath(name_page(target), PurePosixPath(uri).parent)).as_posix()

    return LINK.sub(lead, markdown)


def name_page(target: Path) -> str:
    """Return where the site shows a file of the repository, as MkDocs names the source of a page."""
    if target.is_dir():
        target /= "README.md"
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    path = target.relative_to(ROOT).as_posix()
    if path == "README.md":
        return "index.md"
    return path if path in ROOT_PAGES else f"{SOURCES}/{path}.md"


def _iter_targets(page: Path) -> Iterator[Path]:
    for name in LINK.findall(page.read_text(encoding="utf-8")):
        target = Path(normpath(page.parent / name))
        if target.is_file() and target.is_relative_to(ROOT):
            yield target


def _show(target: Path) -> str:
    """Return a page that shows the file, and that the site's search leaves out."""
    text = target.read_text(encoding="utf-8").rstrip("\n")
    path = target.relative_to(ROOT).as_posix()
    language = LANGUAGES.get(target.suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n\n# `{path}`\n\n~~~~{language}\n{text}\n~~~~\n"

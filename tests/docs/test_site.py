"""The site has every page, every link in it leads somewhere, and it builds without a warning or a network."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gadoscope
from tests.docs.menu import FENCE, name_anchor, read_anchors, read_menu
from tests.report.test_style import measure_contrast
from tests.support.axe import AXE, find_grave_faults
from tests.support.browser import needs_browser
from tests.support.paths import DOCS, ROOT
from website.access import on_post_page

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
TO_HEADING = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")
ONE_OF_EACH_KIND = (
    "index",
    "how-to/install",
    "reference/api",
    "reference/results",
    "tutorial/notebook",
    "explanation/study-aware",
)
"""Pages of the site: with pictures, commands, docstrings, tables, cells, text."""
STYLE = ROOT / "website" / "theme" / "assets" / "gadoscope.css"
KINDS_OF_CODE = (
    *("number", "keyword", "special", "string", "function", "constant"),
    *("comment", "generic", "operator", "punctuation", "variable"),
)
LEAST_CONTRAST = 4.5
"""Of letters, WCAG 2.2, 1.4.3."""
UNREACHED = "scrollable-region-focusable"


def test_every_page_is_in_the_menu_of_the_site_once() -> None:
    menu = read_menu()
    assert sorted(set(menu)) == sorted(menu)
    missing = {str(page.relative_to(ROOT)) for page in set(DOCS.rglob("*.md")) - set(menu)}
    assert missing == set(), "give each a line under `nav` in mkdocs.yml"
    assert [page for page in menu if not page.is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_names_one_that_is_there(page: Path) -> None:
    for name, anchor in TO_HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = page.parent / name if name else page
        if not name.startswith(("https:", "http:")):
            assert anchor in read_anchors(target), f"{name}#{anchor}"


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Result table", "result-table"),
        (
            "`[image]`: how a slice becomes the network's input",
            "image-how-a-slice-becomes-the-networks-input",
        ),
        ("2026-11-30 · The house", "2026-11-30--the-house"),
        ("[Python](python.md) and `--set`", "python-and---set"),
    ],
)
def test_an_anchor_is_named_as_github_and_the_site_name_it(heading: str, anchor: str) -> None:
    assert name_anchor(heading) == anchor


def test_every_name_that_is_offered_stands_on_the_page_made_of_docstrings() -> None:
    shown = re.findall(r"^::: gadoscope\.(\w+)$", (DOCS / "reference" / "api.md").read_text(), re.MULTILINE)
    assert sorted(shown) == sorted(set(gadoscope.__all__) - {"__version__"})


class Loads(HTMLParser):
    """Collect what a browser loads for a page, besides the page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.addresses.append(told.get("src") or "")
        elif tag == "link" and told.get("rel") != "canonical":
            self.addresses.append(told.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built without a warning, or skip."""
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(site: Path) -> None:
    """Its twins are those above: the menu, the links and the names, read without building."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(list(DOCS.rglob("*.md")))
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert [one for one in loads.addresses if re.match(r"(https?:)?//", one)] == [], page


def is_code_out_of_sight(fault: list[str]) -> bool:
    """The theme lets a keyboard reach wide code once it comes into sight; without a screen none does."""
    return fault[1] == UNREACHED and all(node.startswith("<code") for node in fault[2])


@needs_browser
@pytest.mark.slow
@pytest.mark.skipif(not AXE.exists(), reason="no axe-core here; `make axe` brings it")
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_axe_finds_no_serious_fault_in_a_page_of_the_site(site: Path, name: str, is_dark: bool) -> None:
    """A page of each kind; its twins are those of tests/end_to_end/test_pages_in_a_browser.py."""
    page = (site / f"{name}.html").read_text(encoding="utf-8")
    try:
        faults = find_grave_faults(name, page, site, is_dark=is_dark)
        assert [fault for fault in faults if not is_code_out_of_sight(fault)] == []
    finally:
        (site / f"{name}.html").write_text(page, encoding="utf-8")


def test_in_the_dark_each_kind_of_letter_in_code_stands_out_from_its_ground() -> None:
    dark = STYLE.read_text(encoding="utf-8").partition('scheme="slate"]')[2].partition("\n}")[0]
    colours = dict(re.findall(r"--md-code-([\w-]+)-color: (#\w{6});", dark))
    ground = colours.pop("bg")
    assert set(colours) == {f"hl-{kind}" for kind in KINDS_OF_CODE}
    faint = {kind: ink for kind, ink in colours.items() if measure_contrast(ink, ground) < LEAST_CONTRAST}
    assert faint == {}


def test_paper_is_light_whatever_the_screen_is() -> None:
    """The theme's own dark is a screen's; what is set here for every medium would be printed."""
    before = STYLE.read_text(encoding="utf-8").partition('[data-md-color-scheme="slate"]')[0]
    assert before.rpartition("@media screen {")[2].count("}") == 0


def test_the_search_has_a_name() -> None:
    theirs = '<div class="md-search" data-md-component="search" role="dialog">'
    assert on_post_page(f"<p>{theirs}</p>") == f'<p>{theirs[:-1]} aria-label="Search"></p>'
    assert on_post_page(on_post_page(theirs)) == on_post_page(theirs)


def test_names_of_different_types_have_entries_of_their_own() -> None:
    """The page made of docstrings gives names that share an entry the type of the first."""
    shared = re.compile(r"^    (\w+), (\w+)(?:, \w+)*\n {8}\S", re.MULTILINE)
    for name in set(gadoscope.__all__) - {"__version__"}:
        offered = getattr(gadoscope, name)
        types = {**getattr(offered, "__annotations__", {})}
        for first, second in shared.findall(offered.__doc__ or ""):
            assert str(types.get(first)) == str(types.get(second)), f"{name}: {first}, {second}"

"""Every page, for everybody: on a telephone, by keyboard, read aloud, in the dark."""

from itertools import product
from pathlib import Path

import pytest

from tests.support.accessible import find_faults
from tests.support.axe import AXE, find_grave_faults
from tests.support.browser import ask_pages, needs_browser
from tests.support.pages import NAMES, draw_page

WIDTHS = (320, 390, 800, 1280)
MEASURE = """addEventListener("load", () => {
  const root = document.documentElement
  tell(innerWidth + " " + root.scrollWidth + " " + root.clientWidth)
})"""


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_reader_and_a_keyboard_find_their_way_through_every_page(name: str) -> None:
    assert find_faults(draw_page(name)) == []


def test_what_is_missing_is_found() -> None:
    page = (
        "<html><h1>a</h1><h3>b</h3><h3>b</h3><table></table><img><svg></svg><a href='#x'>c</a><input></html>"
    )
    faults = find_faults(page)
    for said in (
        "0 <main>",
        "no language",
        "a heading twice: b",
        "h3 follows h1",
        "a table that cannot scroll",
        "a picture without words",
        "a control without a name",
        "a drawing without words",
        "a link that leads nowhere: #x",
    ):
        assert any(fault.startswith(said) for fault in faults), said


@needs_browser
@pytest.mark.parametrize(
    ("names", "widths"),
    [
        pytest.param(("report", "suspects"), WIDTHS[:1], id="small"),
        pytest.param(NAMES, WIDTHS, id="all", marks=pytest.mark.slow),
    ],
)
def test_no_page_is_wider_than_its_window_in_a_browser(
    tmp_path: Path, names: tuple[str, ...], widths: tuple[int, ...]
) -> None:
    """In a window of every width; in small, in the narrowest one, where anything wide shows first."""
    said = ask_pages({name: draw_page(name) for name in names}, MEASURE, tmp_path, widths=widths)
    measured = [(name, [int(number) for number in text.split()]) for name, text in said]
    assert {(name, window) for name, (window, _, _) in measured} == set(product(names, widths))
    for name, (window, wide, visible) in measured:
        assert wide <= visible, f"{window} pixels wide, the page {name} takes {wide}"


@needs_browser
@pytest.mark.slow  # a browser, and a hundred rules on thousands of elements
@pytest.mark.skipif(not AXE.exists(), reason="no axe-core here; `make axe` brings it")
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_serious_fault_in_any_page(tmp_path: Path, name: str, is_dark: bool) -> None:
    """Its quick twins: `find_faults` above, and the contrasts of tests/report/test_style.py."""
    assert find_grave_faults(name, draw_page(name), tmp_path, is_dark=is_dark) == []

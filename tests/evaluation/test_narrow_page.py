"""No page scrolls sideways on a telephone: what is wider scrolls by itself, in a browser where one is."""

import html
import re
import shutil
import subprocess
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from gadoscope.experiments.suspects_report import list_suspects, render_suspects
from gadoscope.statistics.table import join
from tests.evaluation.test_report import PIXEL, render_once
from tests.experiments.test_suspects_report import ODD, RIGHT, SWAPPED, WRONG

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (320, 390, 800, 1280)
NARROWEST = WIDTHS[:1]
BROWSER_SECONDS = 120
# A frame has the width that is asked; the window of a browser without a screen has 500 pixels at least.
FRAMES = """<body style="margin:0"><pre id="found"></pre><script>
addEventListener("message", event => document.getElementById("found").textContent += event.data + "\\n")
</script>{}"""
MEASURE = """<script>addEventListener("load", () => {
  const root = document.documentElement
  parent.postMessage("NAME " + innerWidth + " " + root.scrollWidth + " " + root.clientWidth, "*")
})</script>"""


@cache
def pages() -> dict[str, str]:
    joined = join([*RIGHT, WRONG, SWAPPED, ODD])
    suspects = render_suspects(list_suspects(joined), joined, 5, lambda _: PIXEL)
    return {"report": render_once()[2], "suspects": suspects}


def test_every_table_of_a_page_scrolls_by_itself_where_the_page_is_narrow() -> None:
    audit = files("gadoscope.inspection").joinpath("templates", "audit.html").read_text(encoding="utf-8")
    assert '{% include "house.css" %}' in audit, "the rule is in the style that all pages share"
    for name, page in pages().items():
        rule = re.search(r"@media screen and \(max-width:800px\) \{\s*table[^{]*\{([^}]*)\}", page)
        assert rule is not None, name
        assert "display:block" in rule[1], name
        assert "overflow-x:auto" in rule[1], name


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to lay pages out")
@pytest.mark.parametrize(
    "widths", [pytest.param(NARROWEST, id="small"), pytest.param(WIDTHS, id="all", marks=pytest.mark.slow)]
)
def test_no_page_is_wider_than_its_window_in_a_browser(tmp_path: Path, widths: tuple[int, ...]) -> None:
    """In a window of every width; in small, in the narrowest one, where anything wide shows first."""
    for name, page in pages().items():
        measure = MEASURE.replace("NAME", name)
        (tmp_path / f"{name}.html").write_text(page.replace("</body>", f"{measure}</body>"), encoding="utf-8")
    frames = [
        f'<iframe src="{name}.html" width="{width}" height="900"></iframe>'
        for name in pages()
        for width in widths
    ]
    (tmp_path / "frames.html").write_text(FRAMES.format("".join(frames)), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "frames.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=BROWSER_SECONDS,
        check=False,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    if found is None or not found[1].strip():
        pytest.skip("Chromium does not lay pages out on this machine")
    measured = [line.split() for line in html.unescape(found[1]).strip().splitlines()]
    assert {(name, int(window)) for name, window, _, _ in measured} == set(product(pages(), widths))
    for name, window, wide, visible in measured:
        assert int(wide) <= int(visible), f"{window} pixels wide, the page {name} takes {wide}"

"""What axe-core, a program that knows a hundred rules of accessible pages, finds in a page."""

import json
from pathlib import Path

from tests.support.browser import ask_pages
from tests.support.paths import ROOT

AXE = ROOT / ".axe" / "node_modules" / "axe-core" / "axe.min.js"
"""`make axe` brings it."""
GRAVE = ("serious", "critical")
FEWEST_PASSED = 20
"""Rules that a page keeps: fewer, and axe has hardly seen it."""
WIDTHS = (390, 1280)
_RUN = """addEventListener("load", () => axe.run(document).then(found => tell(JSON.stringify({
  width: innerWidth, passed: found.passes.length,
  faults: found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html.slice(0, 120))])
}))))"""


def find_grave_faults(name: str, page: str, folder: Path, *, is_dark: bool) -> list[list[str]]:
    """Return the serious faults of a page on a telephone and on a desk; what it loads lies in the folder.

    Parameters
    ----------
    name
        Its file without the suffix, below the folder; the page is written there, with axe in it.
    """
    script = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script") + _RUN
    said = ask_pages({name: page}, script, folder, widths=WIDTHS, is_dark=is_dark)
    found = [json.loads(text) for _, text in said]
    assert {one["width"] for one in found} == set(WIDTHS)
    assert all(one["passed"] > FEWEST_PASSED for one in found)
    return [fault for one in found for fault in one["faults"] if fault[0] in GRAVE]

"""Pages in a real browser, where one is: laid out at several widths, and asked by a script what one sees."""

import html
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 240
# A frame has the width that is asked; the window of a browser without a screen has 500 pixels at least.
_FRAMES = """<body style="margin:0"><pre id="found"></pre><script>
addEventListener("message", event => document.getElementById("found").textContent += event.data + "\\n")
</script>{}"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to lay pages out")


def ask_pages(
    pages: Mapping[str, str], script: str, folder: Path, *, widths: Sequence[int], is_dark: bool = False
) -> list[tuple[str, str]]:
    """Return what ``script``, put at the end of each page, says by ``tell(text)``: its name, and the text."""
    for name, page in pages.items():
        asking = f'<script>const tell = text => parent.postMessage("{name} " + text, "*")\n{script}</script>'
        (folder / f"{name}.html").write_text(page.replace("</body>", f"{asking}</body>"), encoding="utf-8")
    frames = "".join(
        f'<iframe src="{name}.html" width="{width}" height="900"></iframe>'
        for name in pages
        for width in widths
    )
    (folder / "frames.html").write_text(_FRAMES.format(frames), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"),
            *(f"--user-data-dir={folder / 'profile'}", "--allow-file-access-from-files"),
            *(["--blink-settings=preferredColorScheme=0"] if is_dark else []),
            *("--dump-dom", (folder / "frames.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    if found is None or not found[1].strip():
        pytest.skip("Chromium does not lay pages out on this machine")
    said = [line.partition(" ") for line in html.unescape(found[1]).strip().splitlines()]
    return [(name, text) for name, _, text in said]

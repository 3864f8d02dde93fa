"""The review room in a real browser, driven by Playwright: Debian's Chromium, where it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No request to anywhere but the server under test, and WebGL by the processor.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)
DESK, TELEPHONE = (1280, 900), (390, 844)


@contextmanager
def open_browser() -> "Iterator[Browser]":
    """Yield a browser; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here to open the room in")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here to drive a browser")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()

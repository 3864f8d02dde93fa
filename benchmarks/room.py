"""How long the review room lets a reader wait, in a real browser, with 100,000 series in the store.

    python -m benchmarks.room

A phantom archive is classified with the default into a store, and made-up answers are added until it holds
as many series as asked. `gadoscope serve` serves it from a process of its own on loopback, and Chromium,
driven by Playwright, opens it. Measured is what a reader sees: from the request of a page until it is loaded,
until the first slice of a series is drawn, and from a key until the next series' slice is drawn. Between two
keys the script waits as long as a quick reader looks.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks.table import Row, begin_parser, finish
from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.labels import Phase, Plane, SeriesResult, Status
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.results.store.store import Store
from tests.support.room_browser import DESK, open_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

SERIES, SUBJECTS, TRIES = 100_000, 12, 15
MOST_PAGE_MS, MOST_SLICE_MS, MOST_KEY_MS = 300, 400, 150
LOOK_MS = 700
"""Between two keys; who decides in less does not look."""
START_SECONDS = 120
UNDECIDED = 0.5
QUEUE = f"/queue?plane={Plane.SAGITTAL.value}"
"""Of the series that are there: the made-up ones have another plane."""
# Notes when a slice was drawn first after a page began or a key was pressed.
_WATCH = """
window.seen = { key: 0, drawn: 0 }
addEventListener("keydown", () => { window.seen = { key: performance.now(), drawn: 0 } }, true)
document.addEventListener("load", event => {
  if (event.target.id === "slice" && !window.seen.drawn) {
    requestAnimationFrame(() => { window.seen.drawn = window.seen.drawn || performance.now() })
  }
}, true)
"""


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--series", type=int, default=SERIES, help="In the store.")
    parser.add_argument("--subjects", type=int, default=SUBJECTS, help="Of the phantom archive.")
    parser.add_argument("--tries", type=int, default=TRIES, help="Of each page, and keys.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        store = make_store(Path(folder), arguments)
        with serve(store) as address, open_browser() as browser:
            context = browser.new_context(
                viewport={"width": DESK[0], "height": DESK[1]}, base_url=address, bypass_csp=True
            )
            context.add_init_script(_WATCH)
            page = context.new_page()
            pages = [time_page(page, "/queue") for _ in range(arguments.tries)]
            slices = time_slices(page, arguments.tries)
            keys = time_keys(page, arguments.tries)
    of = f"of {arguments.series:,} series"
    rows = [
        _row(f"first page {of}, until it is loaded", pages, MOST_PAGE_MS),
        _row("page of a series, until its first slice is drawn", slices, MOST_SLICE_MS),
        _row("key to the next series, until its slice is drawn", keys, MOST_KEY_MS),
    ]
    finish(rows, arguments.rows)


def _row(name: str, measured_ms: list[float], most_ms: int) -> Row:
    middle = statistics.median(measured_ms)
    said = f"{middle:.0f} ms (median of {len(measured_ms)}; {min(measured_ms):.0f} to {max(measured_ms):.0f})"
    return Row(name, f"< {most_ms} ms", said, middle < most_ms)


def make_store(folder: Path, arguments: argparse.Namespace) -> Path:
    """Return a store of a phantom archive and made-up answers of other planes."""
    archive, store = folder / "archive", folder / "store.db"
    write_cohort(Cohort(subjects=arguments.subjects, slices=64, seed=7), archive, form=Form.DICOM)
    with Store(str(store)) as keeper, Classifier("default", jobs=1) as classifier:
        n_real = len(list(classifier.classify(archive, options=RunOptions(journal=keeper))))
        bundle = classifier.session.bundle
        metadata = bundle.metadata.to_json()
    with Store(str(store)) as keeper:
        keeper.begin(
            model=bundle.sha256, version="made up", name=bundle.model_id, metadata=metadata, roots=["made-up"]
        )
        for number in range(arguments.series - n_real):
            digest, row = f"{number:064x}", make_row(number, bundle.model_id)
            keeper.add(digest, [row])
            keeper.settle(digest, [row], "")
        keeper.finish()
    return store


def make_row(number: int, model: str) -> SeriesResult:
    """Return a made-up answer: a thirtieth are undecided, a fiftieth contradict their header."""
    is_silent = number % 30 == 0
    probability = UNDECIDED if is_silent else (number % 997 + 1) / 999
    phase = Phase.POST_CONTRAST if probability > UNDECIDED else Phase.PRE_CONTRAST
    return SeriesResult(
        path=f"made-up/{number:06}/1.dcm",
        study_instance_uid=f"2.25.{number // 4}",
        series_instance_uid=f"2.25.9.{number}",
        plane=Plane.AXIAL if number % 2 else Plane.CORONAL,
        n_slices=160,
        n_slices_used=5,
        status=Status.INDETERMINATE if is_silent else Status.ANSWERED,
        phase=Phase.INDETERMINATE if is_silent else phase,
        probability=probability,
        reason="band: inside the band." if is_silent else "",
        header_state="administered" if number % 3 else "silent",
        agreement="conflict" if number % 50 == 1 else "agree" if number % 3 else "silent",
        model=model,
    )


@contextmanager
def serve(store: Path) -> Iterator[str]:
    """Yield the address of a server of the store, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gadoscope", "serve", str(store), "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server did not start.")
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def time_page(page: "Page", path: str) -> float:
    """Return how long a page takes from its request until it is loaded, in ms."""
    page.goto(path)
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


def time_slices(page: "Page", n: int) -> list[float]:
    """Return how long the pages of series take until their first slice is drawn, in ms; each is new."""
    page.goto(QUEUE)
    links = page.eval_on_selector_all("#rows th a", "all => all.map(one => one.getAttribute('href'))")
    return [_time_slice(page, link) for link in links[:n]]


def _time_slice(page: "Page", link: str) -> float:
    page.goto(link)
    page.wait_for_function("() => window.seen.drawn > 0")
    return float(page.evaluate("window.seen.drawn"))


def time_keys(page: "Page", n: int) -> list[float]:
    """Return how long it is from the key until the next series' slice is drawn, in ms."""
    page.goto(QUEUE)
    page.click("#begin")
    page.wait_for_selector("#series")
    measured = []
    for _ in range(n):
        page.wait_for_timeout(LOOK_MS)
        if not page.get_attribute("#series", "data-next"):
            break
        page.keyboard.press("n")
        page.wait_for_function("() => window.seen.drawn > window.seen.key && window.seen.key > 0")
        measured.append(float(page.evaluate("window.seen.drawn - window.seen.key")))
    return measured


if __name__ == "__main__":
    main()

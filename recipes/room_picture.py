"""The picture of the review room in the documentation, from phantoms: `python -m recipes.room_picture`.

A phantom archive whose headers are partly wrong is classified with the default, served on loopback, and
opened in Chromium at its first contradiction.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.room import serve
from gadoscope.classification.classifier import Classifier
from gadoscope.classification.options import RunOptions
from gadoscope.labels import Plane
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.results.store.store import Store
from tests.support.paths import DOCS
from tests.support.room_browser import DESK, open_browser

PICTURE = DOCS / "images" / "review-room.webp"

COHORT = Cohort(subjects=4, slices=120, plane=Plane.AXIAL, whole_head=True, seed=1020)
QUALITY = 82


def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory(prefix="gadoscope-room-") as folder:
        archive, store = Path(folder) / "archive", Path(folder) / "answers.db"
        write_cohort(COHORT, archive, form=Form.DICOM, header=HeaderMode.MIXED)
        with Store(str(store)) as keeper, Classifier("default", jobs=1) as classifier:
            n_rows = len(list(classifier.classify(archive, options=RunOptions(journal=keeper))))
        with serve(store) as address:
            shown = take_picture(address)
    Image.open(io.BytesIO(shown)).convert("RGB").save(PICTURE, "WEBP", quality=QUALITY, method=6)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes, of {n_rows} series.")


def take_picture(address: str) -> bytes:
    """Return the page of the first series of the queue, as PNG."""
    with open_browser() as browser:
        page = browser.new_page(
            viewport={"width": DESK[0], "height": DESK[1]}, base_url=address, color_scheme="light"
        )
        page.goto("/queue")
        page.wait_for_selector("html[data-ready]")
        page.keyboard.press("n")
        page.wait_for_selector("#read-strip img")
        page.wait_for_function(
            "() => [...document.images].every(one => one.complete && one.naturalWidth > 0)"
        )
        return page.screenshot()


if __name__ == "__main__":
    main()

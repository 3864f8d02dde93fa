"""Put simulated slices before contrast under their scans: makes docs/images/simulated-before-contrast.png.

Run from the repository's root, with the data of `benchmarks.default_data` as the only argument::

    python -m benchmarks.simulated_beside_real runs/default-data

The scans are few, from a source under CC BY, shrunk, and named in the picture. A phantom stands beside them,
of which both slices are computed.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.default_data import CONFIG, ONE_LABEL_SOURCE, SUBTRACTED_SOURCE
from benchmarks.phantom_beside_real import SIDE, draw, phantom_tiles
from gadoscope.files import write_beside
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest
from gadoscope.reading.images import read_slice
from gadoscope.training.config import read_config

OUTPUT = Path("docs/images/simulated-before-contrast.png")
PHANTOM = 0
"""Of the phantoms beside real ones; its two slices come one after the other."""
SHOWN = {Plane.SAGITTAL: 30, Plane.AXIAL: 160, Plane.CORONAL: 300}
"""Which of the images of each plane: one with vessels, one with a rim, one with an evenly filled tumour."""
PATH = replace(read_config(CONFIG).image, size=SIDE)
ATTRIBUTION = (
    "Scans: Cheng J, Brain tumor dataset, figshare 2017, doi:10.6084/m9.figshare.1512427, CC BY 4.0;",
    "cut out and resized. Below each: the same with its enhancement subtracted, as training sees it.",
)


def main() -> None:
    """Make the picture."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: python -m benchmarks.simulated_beside_real DATA")
    items = read_manifest(Path(sys.argv[1]) / "manifest.csv").items
    before, after = phantom_tiles()[2 * PHANTOM : 2 * PHANTOM + 2]
    upper, lower = [after], [before]
    for plane, index in SHOWN.items():
        scan = choose(items, ONE_LABEL_SOURCE, plane, Label.POST)[index]
        simulated = choose(items, SUBTRACTED_SOURCE, plane, Label.PRE)[index]
        upper.append((show(scan), f"scanned after contrast, {plane.value}"))
        lower.append((show(simulated), "simulated: before contrast"))
    sheet = draw([*upper, *lower], columns=len(upper), attribution=ATTRIBUTION)
    with write_beside(OUTPUT) as beside:
        sheet.save(beside, format="PNG", optimize=True)
    print(OUTPUT)


def choose(items: tuple[Item, ...], source: str, plane: Plane, label: Label) -> list[Item]:
    """Return the images of a source and a plane, in the manifest's order."""
    return [item for item in items if (item.source, item.plane, item.label) == (source, plane, label)]


def show(item: Item) -> NDArray[np.uint8]:
    """Return a slice as the default model sees it, larger."""
    return PATH.resize_slice(read_slice(item.path).pixels)


if __name__ == "__main__":
    main()

"""Put simulated slices under their scans: makes three of the pictures in docs/images.

Run from the repository's root, with the data of `recipes.default.data` as the only argument::

    python -m benchmarks.simulated_beside_real runs/default-data

simulated-before-contrast.png: what the enhancement was taken out of. simulated-other-contrasts.png: what was
turned into FLAIR and T2. simulated-after-contrast.png: what was given the enhancement of somebody else. The
scans are few, from a source under CC BY, shrunk, and named in the picture. A phantom stands beside them, of
which both slices are computed.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.phantom_beside_real import SIDE, draw, phantom_tiles
from gadoscope.files import write_beside
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest
from gadoscope.reading.images import read_slice
from gadoscope.training.config import read_config
from recipes.default.data import CONFIG, POST_SOURCE, SUBTRACTED_SOURCE, TURNED_SOURCE
from recipes.default.pairs import read_head, to_grey
from recipes.default.transplant import Donor, choose_donor, donors_of, enhance, keep_strongest, shrink

Tile = tuple[NDArray[np.uint8], str]
"""A slice and what is written under it."""

BEFORE_CONTRAST = Path("docs/images/simulated-before-contrast.png")
OTHER_CONTRASTS = Path("docs/images/simulated-other-contrasts.png")
AFTER_CONTRAST = Path("docs/images/simulated-after-contrast.png")
PHANTOM = 0
"""Of the phantoms beside real ones; its two slices come one after the other."""
PHANTOM_SLICE = "sub-004_sagittal_sl-02.png"
SUBTRACTED = {Plane.SAGITTAL: 30, Plane.AXIAL: 160, Plane.CORONAL: 300}
"""Which of the images of each plane: one with vessels, one with a rim, one with an evenly filled tumour."""
TURNED = ((Plane.SAGITTAL, "flair", 30), (Plane.AXIAL, "t2", 100), (Plane.CORONAL, "flair", 60))
ENHANCED = ((Plane.SAGITTAL, 30), (Plane.SAGITTAL, 400), (Plane.CORONAL, 300))
DONOR_SEED = 4
NAMES = {"flair": "FLAIR", "t2": "T2"}
PATH = replace(read_config(CONFIG).image, size=SIDE)
SCANS = "Scans: Cheng J, Brain tumor dataset, figshare 2017, doi:10.6084/m9.figshare.1512427, CC BY 4.0;"


def main() -> None:
    """Make the pictures."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: python -m benchmarks.simulated_beside_real DATA")
    items = read_manifest(Path(sys.argv[1]) / "manifest.csv").items
    show_before_contrast(items)
    show_other_contrasts(items)
    show_after_contrast(items)


def show_before_contrast(items: Sequence[Item]) -> None:
    """Draw slices after contrast, and below them the same with their enhancement taken out."""
    before, after = phantom_tiles()[2 * PHANTOM : 2 * PHANTOM + 2]
    upper, lower = [after], [before]
    for plane, index in SUBTRACTED.items():
        scan = choose(items, POST_SOURCE, plane, Label.POST)[index]
        simulated = choose(items, SUBTRACTED_SOURCE, plane, Label.PRE)[index]
        upper.append((show(scan), f"scanned after contrast, {plane.value}"))
        lower.append((show(simulated), "simulated: before contrast"))
    how = "cut out and resized. Below each: the same with its enhancement subtracted, as training sees it."
    write(BEFORE_CONTRAST, upper, lower, how)


def show_other_contrasts(items: Sequence[Item]) -> None:
    """Draw slices on T1, and below them what is made of them for the gate to refuse."""
    phantoms = {item.path.parent.name: item for item in items if item.path.name == PHANTOM_SLICE}
    upper, lower = [(show(phantoms["pre"]), "phantom, T1")], [(show(phantoms["flair"]), "phantom, FLAIR")]
    of_source = {(item.plane, item.path.stem): item for item in items if item.source == POST_SOURCE}
    for plane, contrast, index in TURNED:
        rows = choose(items, f"{TURNED_SOURCE}-{contrast}", plane, Label.OTHER)
        turned = [row for row in rows if (plane, find_stem(row)) in of_source][index]
        upper.append((show(of_source[plane, find_stem(turned)]), f"scanned: T1, {plane.value}"))
        lower.append((show(turned), f"simulated: {NAMES[contrast]}"))
    how = "cut out and resized. Below each: what is made of it, as training sees it."
    write(OTHER_CONTRASTS, upper, lower, how)


def show_after_contrast(items: Sequence[Item]) -> None:
    """Draw slices without enhancement, and below them the same with that of another patient.

    What training enhances is under CC BY-SA. These are other slices, with their own enhancement taken out.
    """
    before, after = phantom_tiles()[2 * PHANTOM : 2 * PHANTOM + 2]
    upper, lower = [before], [after]
    generator = np.random.default_rng(DONOR_SEED)
    for plane, index in ENHANCED:
        scans = {item.path.stem: item for item in choose(items, POST_SOURCE, plane, Label.POST)}
        subtracted = choose(items, SUBTRACTED_SOURCE, plane, Label.PRE)
        donors: list[Donor] = []
        for item in subtracted:
            if item.subject_id != subtracted[index].subject_id:
                head = read_head(scans[find_stem(item)])
                without = read_slice(item.path).pixels.astype(np.float32) / MAX_GREY  # on the head's scale
                donors += donors_of(head, head - without)
        picture = read_head(subtracted[index])
        donor = choose_donor(keep_strongest(donors), shrink(picture), generator)
        enhanced = enhance(picture, donor.enhancement, generator)
        upper.append((to_grey(picture), f"without enhancement, {plane.value}"))
        lower.append((to_grey(enhanced), "with another patient's"))
    how = "cut out, without their enhancement. Below each: the same with another patient's."
    write(AFTER_CONTRAST, upper, lower, how)


def find_stem(turned: Item) -> str:
    """Return the stem of the file that a simulated slice was made of."""
    return turned.path.stem.split("_", 2)[2]  # after plane and contrast


def write(output: Path, upper: Sequence[Tile], lower: Sequence[Tile], how: str) -> None:
    """Write two rows of slices and where they come from."""
    sheet = draw([*upper, *lower], columns=len(upper), attribution=(SCANS, how))
    with write_beside(output) as beside:
        sheet.save(beside, format="PNG", optimize=True)
    print(output)


def choose(items: Sequence[Item], source: str, plane: Plane, label: Label) -> list[Item]:
    """Return the images of a source and a plane, in the manifest's order."""
    return [item for item in items if (item.source, item.plane, item.label) == (source, plane, label)]


def show(item: Item) -> NDArray[np.uint8]:
    """Return a slice as the default model sees it, larger."""
    return PATH.resize_slice(read_slice(item.path).pixels)


if __name__ == "__main__":
    main()

"""Brains without skulls and heads without faces, of both labels: what archives of research hold.

Tools that take the skull from an image are a step of their own, and no two of them cut alike. Here the brain
is what is brighter than fluid and hangs together after the rest was nibbled away; how far is drawn, so that
some brains keep a rind of skull and others lose cortex. Faces are blacked out by a box, as the simplest tools
for it do. A pair of images before and after contrast is cut by one mask: a mask that only one label wears
would tell the label.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.sampling import find_place
from gadoscope.training.tissues import find_air, find_near_air, find_tissues, take_brain
from recipes.default.pairs import Picture, read_head, to_grey
from recipes.default.unet import write_simulated

BARE_SOURCE: Final = "bare"
FACES: Final = 0.25
"""How often the face is taken in place of the skull, where the plane shows one."""
SEARCHED: Final = {
    Plane.AXIAL: (0.5, 0.5, 0.55),
    Plane.SAGITTAL: (0.38, 0.5, 0.46),
    Plane.CORONAL: (0.38, 0.5, 0.46),
}
"""Row, column and radius of what may hold brain, of the head's side: face and neck lie outside."""
FACE_BOXES: Final = {
    Plane.SAGITTAL: ((0.45, 0.7), (0.12, 0.3)),
    Plane.AXIAL: ((0.0, 0.0), (0.6, 1.0)),
}
"""Where the box of a blackened face begins downwards, and how far it reaches from the front, of the side."""
FRONT_ROWS: Final = (0.08, 0.22)
"""Of an axial slice: how much of its front is blackened."""
NIBBLED: Final = (2, 4)
"""Pixels that are taken from everything, so that brain and scalp come apart; the least and the most."""
GIVEN_BACK: Final = (-1, 3)
"""Pixels that the brain regains more than that."""
LEVEL: Final = (0.3, 0.7)
"""Of the way from fluid to grey matter: what is brighter may be brain."""
LEAST_BRAIN: Final = 0.08
"""Of the square: a smaller piece is no brain, and the slice is left as it is."""
CLOSED: Final = 5
"""Pixels: wide sulci are closed up to here."""
EDGE: Final = 0.7
"""Pixels: how soft the cut is."""

Mask = NDArray[np.bool_]
Group = tuple[str | None, str, str, float]


def make_bare(items: Sequence[Item], *, folder: Path, every: int, seed: int) -> list[Item]:
    """Write every so-many-th place of each source without skull or face, and return the rows.

    A place that was seen before and after contrast is written twice, cut by one mask where both lie on one
    grid of pixels. The rows are of `BARE_SOURCE` and the same patients.
    """
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Item] = []
    for of_place in _take_some(items, every):
        heads = [read_head(item) for item in of_place]
        kept = draw_kept(heads[0], of_place[0].plane, generator)
        if kept is None:
            continue
        rows += [
            write_simulated(
                replace(item, path=_name_apart(item)),
                head * kept,
                folder,
                label=item.label,
                source=BARE_SOURCE,
                kind=f"{item.source}-{item.label.value}",
            )
            for item, head in zip(of_place, heads, strict=True)
        ]
    return rows


def _name_apart(item: Item) -> Path:
    """Return the path under a name that ends in the same number and begins with the subject."""
    return item.path.with_stem(f"{item.subject_id or ''}_{item.path.stem}")


def _take_some(items: Sequence[Item], every: int) -> list[list[Item]]:
    """Return every so-many-th group of images of one subject, source, plane and place."""
    groups: dict[str, dict[Group, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        if item.label is not Label.OTHER and item.plane in SEARCHED:
            place = (item.subject_id, item.source, item.plane.value, find_place(item))
            groups[item.source][place].append(item)
    return [group for of_source in groups.values() for group in list(of_source.values())[::every]]


def draw_kept(head: Picture, plane: Plane, generator: np.random.Generator) -> Picture | None:
    """Return how much of each pixel is kept, 0 to 1; None where no brain is found."""
    if plane in FACE_BOXES and generator.random() < FACES:
        return _black_face(head, plane, generator)
    brain = find_brain(head, plane, generator)
    if brain is None:
        return None
    kept: Picture = ndimage.gaussian_filter(brain.astype(np.float32), EDGE)
    return kept


def _black_face(head: Picture, plane: Plane, generator: np.random.Generator) -> Picture:
    side = len(head)
    kept = np.ones_like(head)
    if plane is Plane.AXIAL:
        kept[: round(side * generator.uniform(*FRONT_ROWS))] = 0
        return kept
    (top, across) = (round(side * generator.uniform(*limits)) for limits in FACE_BOXES[plane])
    kept[top:, :across] = 0
    return kept


def find_brain(head: Picture, plane: Plane, generator: np.random.Generator) -> Mask | None:
    """Return where the brain lies, roughly, or None: the mistakes of real tools are part of it."""
    pixels = to_grey(head)
    air = find_air(pixels)
    fluid, grey, _ = find_tissues(take_brain(pixels, air, find_near_air(air)))
    level = fluid + generator.uniform(*LEVEL) * (grey - fluid)
    nibbled = int(generator.integers(NIBBLED[0], NIBBLED[1] + 1))
    given = nibbled + int(generator.integers(GIVEN_BACK[0], GIVEN_BACK[1] + 1))
    bright = ndimage.gaussian_filter(pixels.astype(np.float32), EDGE) > level
    core = ndimage.binary_erosion(bright & _search(head, plane), iterations=nibbled)
    pieces, n_pieces = ndimage.label(core)
    if n_pieces == 0:
        return None
    sizes = np.bincount(pieces.ravel())[1:]
    brain = ndimage.binary_dilation(pieces == 1 + int(sizes.argmax()), iterations=max(given, 1))
    closed: Mask = ndimage.binary_fill_holes(ndimage.binary_closing(brain, iterations=CLOSED))
    return closed if closed.mean() > LEAST_BRAIN else None


def _search(head: Picture, plane: Plane) -> Mask:
    row, column, radius = SEARCHED[plane]
    places = np.linspace(0, 1, len(head), dtype=np.float32)
    inside: Mask = np.hypot(places[:, None] - np.float32(row), places - np.float32(column)) < radius
    return inside

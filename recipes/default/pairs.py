"""A slice of a patient before and after contrast, in the same greys: what is brighter then enhances.

The two scans differ in more than the agent: in gain, in the coils' field, often in the sequence. So the slice
before is first brought to the greys of the one after, by a gain that changes slowly over the head and that
what enhances has no say in.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from gadoscope.errors import InputError
from gadoscope.imaging.foreground import Box, find_foreground
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.reading.images import read_slice
from gadoscope.training.sampling import find_place

Picture = NDArray[np.float32]
"""Shape (SIDE, SIDE), 0 for black to 1 for the brightest of the head; row first, as it is shown."""

SIDE = 208
"""Pixels: what the default recipe keeps of a training image."""
BRIGHTEST = 99.7
"""Percentile of the head's greys that becomes 1."""
AIR = 0.06
"""What is darker tells nothing of the gain."""
FIELD_WIDTH = 14
"""Pixels: what the gain is averaged over. A coil's field is wider, a vessel or a tumour's rim narrower."""
N_ROUNDS = 4
ENHANCES = 1.5
"""Times the median difference: what is so much brighter afterwards counts half for the gain; more, less."""
LEAST_DIFFERENCE = 0.01
LEAST_SUM = 1e-4
"""Outside the head no pixel has a say, and the gain would be 0 / 0."""


class Place(NamedTuple):
    """Of one slice of a patient."""

    subject_id: str | None
    source: str
    plane: str
    place: float


@dataclass(frozen=True)
class Pair:
    """A slice before contrast, in the greys of the one after, and that one: their difference enhances."""

    before: Picture
    after: Picture


def read_pairs(items: Sequence[Item]) -> list[Pair]:
    """Return the pairs that lie on one grid of pixels; what cannot be read is left out."""
    places: dict[Place, dict[Label, Item]] = defaultdict(dict)
    for item in items:
        places[Place(item.subject_id, item.source, item.plane.value, find_place(item))][item.label] = item
    pairs = []
    for of_place in places.values():
        if Label.PRE in of_place and Label.POST in of_place:
            both = read_on_one_grid(of_place[Label.PRE], of_place[Label.POST])
            if both is not None:
                before, after = both
                box = find_foreground(after).box
                after_head = cut_head(after, box)
                pairs.append(Pair(match_greys(cut_head(before, box), after_head), after_head))
    return pairs


def read_on_one_grid(one: Item, other: Item) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return the pixels of both; None where one cannot be read, or they lie on different grids."""
    try:
        both = read_slice(one.path).pixels, read_slice(other.path).pixels
    except InputError:
        return None
    return both if both[0].shape == both[1].shape else None


def read_head(item: Item) -> Picture:
    """Return the head of a slice, as `cut_head` cuts it out."""
    pixels = read_slice(item.path).pixels
    return cut_head(pixels, find_foreground(pixels).box)


def cut_head(pixels: NDArray[np.uint8], box: Box) -> Picture:
    """Return ``box`` of a slice (row, column), padded to a square with black, and resized."""
    half = max(box.height, box.width) / 2
    row, column = (box.top + box.bottom) / 2, (box.left + box.right) / 2
    square = (round(column - half), round(row - half), round(column + half), round(row + half))
    cut = Image.fromarray(np.ascontiguousarray(pixels)).crop(square)
    head = np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32) / MAX_GREY
    shown = head[head > AIR * head.max()]
    brightest = np.percentile(shown, BRIGHTEST) if shown.size else 1.0
    scaled: Picture = np.clip(head / np.float32(brightest), 0, 1)
    return scaled


def to_grey(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture in whole greys, 0 to 255; what is off the scale is cut off."""
    greys: NDArray[np.uint8] = (np.clip(picture, 0, 1) * MAX_GREY).round().astype(np.uint8)
    return greys


def match_greys(before: Picture, after: Picture) -> Picture:
    """Return ``before`` times a smooth gain, so that it differs from ``after`` by the enhancement.

    The gain is the least-squares one around each pixel, reweighted: what is brighter than the gain explains
    counts less in each round (Green, Iteratively reweighted least squares, 1984).
    """
    head = ((before > AIR) & (after > AIR)).astype(np.float32)
    weight = head
    for _ in range(N_ROUNDS):
        products = gaussian_filter(weight * before * after, FIELD_WIDTH) + LEAST_SUM
        matched = products / (gaussian_filter(weight * before**2, FIELD_WIDTH) + LEAST_SUM) * before
        difference = after - matched
        usual = np.median(np.abs(difference[head > 0])) if head.any() else 0.0
        excess = np.maximum(difference, 0) / (ENHANCES * max(usual, LEAST_DIFFERENCE))
        weight = (head / (1 + excess**2)).astype(np.float32)
    return matched.astype(np.float32)

"""Find what was burned into the air around the head: letters, and tags of one grey.

Text on a slice may name the series, and a tag may be on the slices of one hospital only: a network
reads both. Looked for are small bright things that do not touch the head: rows of shapes of equal
height, and patches of one constant grey, which noise never has. Text over the head is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BRIGHT = 0.45
"""Share of the slice's upper grey value above which something can be text: written to be read."""
UPPER_PERCENTILE = 99.5
LARGEST_SHARE = 0.12
"""Of the slice's side: the tallest letter or tag."""
SMALLEST_PX = 5
"""Height of the smallest letters that anyone can read, in pixels."""
IN_AIR = 0.15
"""Share of the upper grey value that the surroundings of text may have."""
NEAR_HEAD = 0.015
"""Share of the slice's side that anatomy cut off from the head lies from it: ears, nose, folds."""
MIN_LETTERS = 3
"""In a row: two things of one height side by side happen by chance."""
LETTER_GAP = 1.2
"""Largest gap between two letters, in heights; a word's space is half of one."""
EQUAL_HEIGHT = 1.5
"""Largest ratio of two heights in one row."""
TAG_SPREAD = 0.06
"""Largest spread of grey inside a tag, as a share of the slice's upper grey value; JPEG leaves 0.05."""
TAG_PX = 36
"""Pixels of the smallest tag: 6 x 6, and each of one grey."""
TAG_FILL = 0.8
"""Share of its box that a tag fills."""
MAX_THINGS = 400
"""Bright things beyond this number are noise or ghosts, not text."""


@dataclass(frozen=True)
class Mark:
    """A box with text or a tag in it, as shares of the slice's sides.

    Attributes
    ----------
    kind
        ``text`` or ``tag``.
    """

    kind: str
    top: float
    bottom: float
    left: float
    right: float


@dataclass(frozen=True)
class _Thing:
    """A bright thing apart from the head; rows and columns in pixels, the end excluded."""

    top: int
    bottom: int
    left: int
    right: int
    is_tag: bool

    @property
    def height(self) -> int:
        return self.bottom - self.top


def find_marks(pixels: NDArray[np.uint8]) -> tuple[Mark, ...]:
    """Return the text and the tags beside the head of a slice (row, column), from top to bottom."""
    things = _find_things(pixels)
    if not things:
        return ()
    lines = [line for line in _join_lines(things) if len(line) >= MIN_LETTERS]
    in_lines = {id(thing) for line in lines for thing in line}
    tags = [[thing] for thing in things if thing.is_tag and id(thing) not in in_lines]
    rows, columns = pixels.shape
    marks = [
        Mark(
            kind,
            top=min(thing.top for thing in group) / rows,
            bottom=max(thing.bottom for thing in group) / rows,
            left=min(thing.left for thing in group) / columns,
            right=max(thing.right for thing in group) / columns,
        )
        for kind, groups in (("text", lines), ("tag", tags))
        for group in groups
    ]
    return tuple(sorted(marks, key=lambda mark: (mark.top, mark.left)))


def _find_things(pixels: NDArray[np.uint8]) -> list[_Thing]:
    """Return the bright things that are apart from the head and of a letter's or a tag's size."""
    upper = float(np.percentile(pixels, UPPER_PERCENTILE))
    labels, _ = ndimage.label(pixels > BRIGHT * upper, structure=np.ones((3, 3)))
    largest = max(pixels.shape) * LARGEST_SHARE
    small = [
        (number, rows, columns)
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
        if SMALLEST_PX <= rows.stop - rows.start <= largest and columns.stop - columns.start <= largest
    ]
    if len(small) > MAX_THINGS:
        return []
    in_air = [thing for thing in small if _is_in_air(pixels, thing[1], thing[2], upper)]
    if not in_air:  # of most slices; what follows takes most of the time
        return []
    head = _find_head(pixels, upper)
    things = []
    for number, rows, columns in in_air:
        inside = labels[rows, columns] == number
        if not (head[rows, columns] & inside).any():
            is_tag = _is_tag(pixels[rows, columns], inside, upper)
            things.append(_Thing(rows.start, rows.stop, columns.start, columns.stop, is_tag))
    return things


def _find_head(pixels: NDArray[np.uint8], upper: float) -> NDArray[np.bool_]:
    """Return whatever is too large for text, with all that lies inside it and a margin around it."""
    labels, _ = ndimage.label(pixels > BRIGHT / 2 * upper)
    largest = max(pixels.shape) * LARGEST_SHARE
    is_large = [False]
    for rows, columns in ndimage.find_objects(labels):
        is_large.append(max(rows.stop - rows.start, columns.stop - columns.start) > largest)
    head = np.array(is_large)[labels]
    # Filled along rows and along columns: a letter beside the neck is outside, one in the skull is not.
    filled = _fill_lines(head) & _fill_lines(head.T).T
    margin = max(1, round(NEAR_HEAD * max(pixels.shape)))
    near: NDArray[np.bool_] = ndimage.maximum_filter(filled, size=2 * margin + 1)
    return near


def _is_in_air(pixels: NDArray[np.uint8], rows: slice, columns: slice, upper: float) -> bool:
    """Return whether the surroundings of a box are dark, a little away from its blurred edge."""
    top, left = max(0, rows.start - 3), max(0, columns.start - 3)
    around = pixels[top : rows.stop + 3, left : columns.stop + 3]
    ring = np.ones(around.shape, dtype=np.bool_)
    ring[1:-1, 1:-1] = False
    values = np.sort(around[ring])  # of few pixels: NumPy's median takes thirty times as long
    middle = values[[(len(values) - 1) // 2, len(values) // 2]].astype(np.float64).mean()
    return float(middle) <= IN_AIR * upper


def _fill_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill each row from its first to its last pixel."""
    first = mask.argmax(axis=1)[:, np.newaxis]
    last = mask.shape[1] - mask[:, ::-1].argmax(axis=1)[:, np.newaxis]
    column = np.arange(mask.shape[1])
    filled: NDArray[np.bool_] = np.any(mask, axis=1, keepdims=True) & (first <= column) & (column < last)
    return filled


def _is_tag(pixels: NDArray[np.uint8], inside: NDArray[np.bool_], upper: float) -> bool:
    if inside.sum() < TAG_PX or inside.mean() < TAG_FILL:
        return False
    core = ndimage.binary_erosion(inside)  # the rim is blurred by scaling and compression
    values = pixels[core] if core.sum() >= TAG_PX / 4 else pixels[inside]
    return float(values.std()) <= TAG_SPREAD * upper


def _join_lines(things: Sequence[_Thing]) -> list[list[_Thing]]:
    """Join things of one height that follow each other from left to right."""
    lines: list[list[_Thing]] = []
    for thing in sorted(things, key=lambda thing: thing.left):
        for line in lines:
            if _follows(line[-1], thing):
                line.append(thing)
                break
        else:
            lines.append([thing])
    return [line for line in lines if all(_follows(one, other) for one, other in pairwise(line))]


def _follows(one: _Thing, other: _Thing) -> bool:
    taller, smaller = max(one.height, other.height), min(one.height, other.height)
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    gap = other.left - one.right
    return taller <= EQUAL_HEIGHT * smaller and overlap >= smaller / 2 and 0 <= gap <= LETTER_GAP * taller

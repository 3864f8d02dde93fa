"""Whether slices whose SeriesInstanceUID says nothing make one stack, and no mixture of two."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gadoscope.errors import InputError
from gadoscope.imaging.order_statistics import find_median
from gadoscope.reading.dicom.extents import SAME_PLACE_MM
from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.stack import UNEVEN, build_stack, check_plane, find_distances
from gadoscope.reading.dicom.volumes import FEWEST_EVEN_SLICES, is_same_plane

LEAST_STEP = 0.75
"""Part of the stated SpacingBetweenSlices: slices much nearer to each other are those of two stacks, one
shifted into the other. More may be: some scanners state the gap alone."""


def is_regular(frames: Sequence[FrameHeader]) -> bool:
    """Return whether frames are the slices of one stack: one at a place, evenly spaced, numbered once.

    Parameters
    ----------
    frames
        At least one, in any order. Slices may be missing, and shifted along themselves.
    """
    try:
        for frame in frames:
            check_plane(frame)
        if not all(is_same_plane(frames[0], frame) for frame in frames):
            return False
        if (np.diff(np.sort(find_distances(frames))) <= SAME_PLACE_MM).any():
            return False
        stack = build_stack(frames)
    except InputError:
        return False
    step_mm = float(np.linalg.norm(stack.geometry.affine[:3, 0]))
    stated_mm = abs(frames[0].slice_spacing_mm or 0.0)
    is_dense = len(frames) > 1 and step_mm < LEAST_STEP * stated_mm
    return UNEVEN not in stack.warnings and not is_dense and not _is_number_repeated(frames)


def count_missing(frames: Sequence[FrameHeader]) -> int:
    """Return how many slices are missing inside a stack that is regular."""
    return build_stack(frames).geometry.shape[0] - len(frames)


def are_repeated_stacks(frames: Sequence[FrameHeader]) -> bool:
    """Return whether frames are the slices of several stacks: several at each place, or under each number."""
    try:
        for frame in frames:
            check_plane(frame)
        distances = find_distances(frames)
    except InputError:
        return False
    if not all(is_same_plane(frames[0], frame) for frame in frames):
        return False
    order = np.argsort(distances, kind="stable")
    starts = np.flatnonzero(np.diff(distances[order], prepend=-np.inf) > SAME_PLACE_MM)
    counts = np.diff(starts, append=len(frames))
    once = [replace(frames[order[start]], number=None) for start in starts]
    if len(once) >= FEWEST_EVEN_SLICES and find_median(counts) > 1 and is_regular(once):
        return True
    by_number: defaultdict[int | None, list[FrameHeader]] = defaultdict(list)
    for index in order:
        by_number[frames[index].number].append(frames[index])
    if None in by_number or len(by_number) < FEWEST_EVEN_SLICES or len({*map(len, by_number.values())}) > 1:
        return False
    # One stack is shifted into the other: then its slices are the first, or the last, of each number.
    stacks = list(zip(*by_number.values(), strict=True))
    return len(stacks) > 1 and all(map(is_regular, stacks))


def count_numbers(frames: Sequence[FrameHeader]) -> int:
    """Return how many different InstanceNumbers are stated."""
    return len({frame.number for frame in frames} - {None})


def _is_number_repeated(frames: Sequence[FrameHeader]) -> bool:
    """Return whether some numbers are stated twice; one that all state says nothing."""
    stated = [frame.number for frame in frames if frame.number is not None]
    return 1 < len(set(stated)) < len(stated)

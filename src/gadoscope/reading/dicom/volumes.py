"""The frames of a series, split into the volumes that they are.

A volume has one slice at a place. Where several frames lie at one place, the series holds several volumes:
time points, acquisitions, echoes. What tells them apart is the first of a list of attributes that gives each
volume each place at most once, and no more volumes than needed. docs/decisions/0010 tells why so.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.localizer import is_localizer
from gadoscope.imaging.order_statistics import find_median
from gadoscope.reading.dicom.copies import Content, find_different, say_of
from gadoscope.reading.dicom.extents import SAME_PLACE_MM, measure_extent
from gadoscope.reading.dicom.header import MAGNITUDE, FrameHeader
from gadoscope.reading.dicom.stack import SPACING_TOLERANCE, check_plane, find_distances
from gadoscope.reading.dicom.untold import order_untold

SAME_COSINE = 1e-3
"""0.06 degrees: above rounding, below any angle that a person sets."""
SAME_SPACING = 1e-3
"""Part of the pixel spacing; 0.3 mm over a field of view of 256 mm."""
MINOR_PART = 1 / 3
"""A stack with at most so many slices, as part of the largest one's, is a stray, not a volume."""

MAX_PART = 0.5
"""Groups with half the slices of a volume or fewer are packets of slices, not volumes."""
MAX_STACKS = 100
"""Sizes and orientations in one series: a localizer has 3, slices around an axis (MRCP) up to 36."""
FEWEST_EVEN_SLICES = 3
"""Two slices are always evenly spaced."""

NO_PLACE = "instances that do not say where they lie were left out"
OTHER_COMPONENTS = "phase, real or imaginary images were left out"
STRAYS = "a few slices of another size, orientation or spacing were left out"
INCOMPLETE = "an incomplete repetition of the volume was left out"
REPEATED = "slices that are there twice were used once"
UNTOLD = "nothing says what tells slices at one place apart; they were taken in the order of time and number"


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlace:
    """A frame, and where its pixels are.

    Parameters
    ----------
    header
        What is said of it.
    instance
        Index of the instance, in an order that does not depend on the order of files.
    index
        Index of the frame in the instance.
    usages
        Contrast/Bolus Usage of this frame, as plain values.
    """

    header: FrameHeader
    instance: int
    index: int = 0
    usages: tuple[dict[str, object], ...] = ()


Frames: TypeAlias = tuple[FramePlace, ...]


@dataclass(frozen=True)
class SplitSeries:
    """The volumes of a series, each as its frames, in the order of acquisition."""

    volumes: tuple[Frames, ...]
    warnings: tuple[str, ...]


# Compared and sorted among values of one key only, so tuples of one kind each.
_Value: TypeAlias = tuple[Any, ...]


def _say(value: float | None) -> _Value:
    return value is not None, value or 0  # what is not said comes first


# In the order of trust: what DICOM means for it first, then what scanners use instead.
KEYS: dict[str, Callable[[FramePlace], _Value]] = {
    "temporal_position": lambda place: _say(place.header.temporal_position),
    "acquisition_number": lambda place: _say(place.header.acquisition_number),
    "acquisition_time": lambda place: (place.header.acquisition_date, place.header.acquisition_time),
    "trigger_time_ms": lambda place: _say(place.header.trigger_time_ms),
    "echo_number": lambda place: _say(place.header.echo_number),
    "echo_time_ms": lambda place: _say(place.header.echo_time_ms),
    "inversion_time_ms": lambda place: _say(place.header.inversion_time_ms),
    "image_type": lambda place: place.header.image_type,
    "component": lambda place: (place.header.component,),
    "instance": lambda place: (place.instance,),
}


def split_series(frames: Sequence[FramePlace], look: Callable[[FramePlace], Content]) -> SplitSeries:
    """Split the frames of a series into volumes.

    Parameters
    ----------
    frames
        At least one.
    look
        Decodes a frame; asked only where others say the same of themselves.

    Returns
    -------
    SplitSeries
        Volumes whose frames are of one size, orientation and pixel spacing, no two of them at one place.

    Raises
    ------
    RefusedError
        As `check_plane`, if no frame says where it lies; ``bad_geometry``, if all name one place;
        ``no_volume``, if nearly each has an orientation of its own; ``untold_slices``, if different slices
        lie at one place and neither attribute nor number tells which belong together.
    """
    warnings: list[str] = []
    kept = _keep_magnitude(_keep_placed(frames, warnings), warnings)
    stacks = _group_stacks(kept)
    extents = (measure_extent([frame.header for frame in stack]) for stack in stacks)
    if not is_localizer(extents):  # of which no plane is a stray
        stacks = _keep_major(stacks, STRAYS, warnings)
    volumes = [volume for stack in stacks for volume in _split_stack(stack, look, warnings)]
    return SplitSeries(tuple(volumes), tuple(dict.fromkeys(warnings)))


def _keep_placed(frames: Sequence[FramePlace], warnings: list[str]) -> list[FramePlace]:
    placed: list[FramePlace] = []
    refusal: RefusedError | None = None
    for frame in frames:
        try:
            check_plane(frame.header)
        except RefusedError as error:
            refusal = refusal or error
        else:
            placed.append(frame)
    if refusal is not None:
        if not placed:
            raise refusal
        warnings.append(NO_PLACE)
    return placed


def _keep_magnitude(frames: list[FramePlace], warnings: list[str]) -> list[FramePlace]:
    """Drop the other parts of a complex signal. Alone, REAL is kept (inversion recovery shows it so)."""
    components = {frame.header.component for frame in frames}
    for best in ({MAGNITUDE, "MIXED", ""}, {"REAL"}):
        if components & best and components - best:
            warnings.append(OTHER_COMPONENTS)
            return [frame for frame in frames if frame.header.component in best]
    return frames


def _group_stacks(frames: Sequence[FramePlace]) -> list[Frames]:
    """Group what is of one size, orientation and pixel spacing; in the order of the lowest numbers."""
    stacks: list[list[FramePlace]] = []
    met: dict[_Value, list[FramePlace]] = {}  # what is written alike need not be compared again
    for frame in sorted(frames, key=_rank):
        header = frame.header
        written = header.rows, header.columns, header.orientation, header.spacing_mm
        stack = met.get(written) or next(
            (one for one in stacks if is_same_plane(one[0].header, header)), None
        )
        if stack is None:
            stack = []
            stacks.append(stack)
            if len(stacks) > MAX_STACKS:
                raise RefusedError(
                    "no_volume",
                    f"its slices have more than {MAX_STACKS} sizes and orientations and make no volume.",
                )
        met[written] = stack
        stack.append(frame)
    return [tuple(stack) for stack in stacks]


def is_same_plane(one: FrameHeader, other: FrameHeader) -> bool:
    """Return whether two frames that passed `check_plane` are of one size, orientation and pixel spacing."""
    if (one.rows, one.columns) != (other.rows, other.columns):
        return False
    if (one.orientation, one.spacing_mm) == (other.orientation, other.spacing_mm):
        return True  # mostly, and far quicker than arithmetic
    turned = np.abs(np.subtract(one.orientation or (), other.orientation or ())).max()
    widened = np.abs(np.divide(one.spacing_mm or (), other.spacing_mm or ()) - 1).max()
    return bool(turned <= SAME_COSINE and widened <= SAME_SPACING)


def _keep_major(stacks: Sequence[Frames], warning: str, warnings: list[str]) -> list[Frames]:
    """Drop stacks that are far smaller than the largest."""
    least = MINOR_PART * max(map(len, stacks))
    major = [stack for stack in stacks if len(stack) > least]
    if len(major) < len(stacks):
        warnings.append(warning)
    return major


def _split_stack(stack: Frames, look: Callable[[FramePlace], Content], warnings: list[str]) -> list[Frames]:
    """Split frames of one orientation into volumes with one slice at a place."""
    distances = find_distances([frame.header for frame in stack])
    places = _number_places(distances)
    kept = _find_different(stack, places, look)
    if len(kept) < len(stack):
        warnings.append(REPEATED)
        stack, distances, places = tuple(stack[index] for index in kept), distances[kept], places[kept]
    most = int(np.bincount(places).max())
    if most == 1:
        return _split_interleaved(stack, distances)
    groups = _find_key(stack, places, most)
    if most == len(stack):
        _check_one_place(stack, is_told=groups is not None)
    if groups is None:
        warnings.append(UNTOLD)
        groups = order_untold([_say_when(frame, owner) for frame, owner in _iter_owned(stack)], places)
    return _keep_major([tuple(stack[index] for index in group) for group in groups], INCOMPLETE, warnings)


def _check_one_place(stack: Frames, *, is_told: bool) -> None:
    """Refuse slices that all state one position but are no repetitions of one slice."""
    locations = {frame.header.slice_location_mm for frame in stack} - {None}
    if not is_told or len(locations) > 1:
        raise RefusedError(
            "bad_geometry",
            "all its slices state one ImagePositionPatient: where they lie is not said; export it again.",
        )


def _number_places(distances: NDArray[np.float64]) -> NDArray[np.int_]:
    """Return for each distance the number of its place, counted along the normal."""
    order = np.argsort(distances, kind="stable")
    steps = np.diff(distances[order], prepend=distances[order[:1]])
    places = np.empty(len(distances), dtype=int)
    places[order] = np.cumsum(steps > SAME_PLACE_MM)
    return places


def _find_different(
    stack: Frames, places: NDArray[np.int_], look: Callable[[FramePlace], Content]
) -> list[int]:
    """Return the first of each set of frames that differ in nothing: copies under another UID."""
    alike: defaultdict[_Value, list[int]] = defaultdict(list)
    for index, (frame, owner) in enumerate(_iter_owned(stack)):
        alike[(int(places[index]), owner, *say_of(frame.header))].append(index)
    kept: list[int] = []
    for group in alike.values():
        if len(group) > 1:
            contents = [look(stack[index]) for index in group]
            kept.extend(group[index] for index in find_different(contents, [()] * len(group)))
        else:
            kept.extend(group)
    return sorted(kept)


def _iter_owned(stack: Frames) -> Iterator[tuple[FramePlace, int]]:
    """Yield each frame with the number of its multi-frame instance, or -1.

    Frame numbers of two multi-frame instances are equal though the frames are not.
    """
    frames_of = Counter(frame.instance for frame in stack)
    return ((frame, frame.instance if frames_of[frame.instance] > 1 else -1) for frame in stack)


def _find_key(stack: Frames, places: NDArray[np.int_], most: int) -> list[list[int]] | None:
    """Return the groups of the first attribute, or the first two, that make volumes; in their order.

    As many volumes as frames at one place, if that can be; else more, if they are not mere parts of these:
    the second acquisition may lie beside the first.
    """
    values = {name: [key(frame) for frame in stack] for name, key in KEYS.items()}
    telling = {name: value for name, value in values.items() if len(set(value)) > 1}
    second_best = None
    for names in (*combinations(telling, 1), *combinations(telling, 2)):
        groups: defaultdict[_Value, list[int]] = defaultdict(list)
        for index, value in enumerate(zip(*(telling[name] for name in names), strict=True)):
            groups[value].append(index)
        if any(len(set(places[group])) < len(group) for group in groups.values()):
            continue
        ordered = [groups[value] for value in sorted(groups)]
        if len(ordered) == most:
            return ordered
        typical = find_median([len(group) for group in ordered])
        if second_best is None and typical > MAX_PART * len(stack) / most:
            second_best = ordered
    return second_best


def _say_when(frame: FramePlace, owner: int) -> _Value:
    """Return what of a frame can be put in order, and no more than is said: hour, then number."""
    *hour, is_numbered, number, _, _ = _rank(frame)
    return (*hour, owner, is_numbered, number)


def _rank(frame: FramePlace) -> _Value:
    header = frame.header
    return (
        *KEYS["acquisition_time"](frame),
        *_say(header.acquisition_number),
        *_say(header.trigger_time_ms),
        *_say(header.number),
        frame.instance,
        frame.index,
    )


def _split_interleaved(stack: Frames, distances: NDArray[np.float64]) -> list[Frames]:
    """Split two acquisitions whose slices lie between each other's, which shows in uneven distances."""
    if not _is_even(distances):
        for key in KEYS.values():
            groups: defaultdict[_Value, list[int]] = defaultdict(list)
            for index, frame in enumerate(stack):
                groups[key(frame)].append(index)
            parts = [distances[group] for group in groups.values()]
            overlap = min(part.max() for part in parts) > max(part.min() for part in parts)
            if len(parts) > 1 and overlap and all(map(_is_even, parts)):
                return [tuple(stack[index] for index in group) for group in groups.values()]
    return [stack]


def _is_even(distances: NDArray[np.float64]) -> bool:
    """Return whether three or more slices are evenly spaced."""
    steps = np.diff(np.sort(distances))
    if len(distances) < FEWEST_EVEN_SLICES:
        return False
    return bool(np.allclose(steps, steps.mean(), rtol=SPACING_TOLERANCE, atol=SAME_PLACE_MM))

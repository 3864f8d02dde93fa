"""Several series under one SeriesInstanceUID: each becomes a series again, with a header of its own.

De-identifiers write one UID into a whole study, or into all of a patient. What a scanner says once a series
then tells them apart, where it differs as a whole. Time points differ in their hours alone, and stay.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from gadoscope.imaging.localizer import is_localizer
from gadoscope.reading.dicom.extents import measure_extent
from gadoscope.reading.dicom.grouping.batches import Instance
from gadoscope.reading.dicom.grouping.regroup import is_restarted
from gadoscope.reading.dicom.grouping.tellers import (
    ACQUISITION,
    AGENT,
    DESCRIPTION,
    MOMENT,
    NUMBER,
    PATIENT,
    SPACE,
    TELLERS,
    TIME,
    are_held,
    find_plane,
    split,
)
from gadoscope.reading.dicom.header import InstanceHeader
from gadoscope.reading.dicom.kinds import is_placed_slice
from gadoscope.reading.dicom.regular import is_regular

MOST_ACQUISITIONS = 3
"""Of one sequence and place before and after contrast, told by a word, an agent or an hour: more are the time
points of a dynamic series."""

# What is said of a whole series in any case; and what might be said of a volume of it.
_ALWAYS = (PATIENT, SPACE, NUMBER)
_NAMES = (DESCRIPTION, AGENT)
_HOURS = (MOMENT, TIME, ACQUISITION)


@dataclass(frozen=True)
class Divided:
    """The parts of a series that are series.

    Parameters
    ----------
    parts
        All instances, each once.
    told_by
        What tells the parts from each other.
    """

    parts: tuple[tuple[Instance, ...], ...]
    told_by: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Return the warning that says why they were divided."""
        return f"other series have the same SeriesInstanceUID: told apart by {', '.join(self.told_by)}"


def divide_series(instances: Sequence[Instance]) -> Divided | None:
    """Return the series that instances of one SeriesInstanceUID are, or ``None`` if they are one.

    Parameters
    ----------
    instances
        At least one, in the order of their paths.
    """
    if _is_one(instances):
        return None
    told_by = tuple(name for name in _ALWAYS if are_held(split(_list_placed(instances), TELLERS[name])))
    parts: list[list[Instance]] = []
    softly: list[str] = []
    for part in split(instances, _sayer(told_by)):
        names = _find_softer(part)
        softly.extend(names)
        parts.extend(split(part, _sayer(names)))
    told = tuple(dict.fromkeys((*told_by, *softly)))
    return Divided(tuple(map(tuple, parts)), told) if told else None


def _find_softer(instances: Sequence[Instance]) -> tuple[str, ...]:
    """Return what tells apart series of one number, or without one."""
    placed = _list_placed(instances)
    if _is_one(instances):
        return ()
    names = tuple(name for name in _NAMES if _tells_names(placed, name))
    if names:
        return names
    # Of one number, hours of acquisition are those of time points; SeriesTime is one for a series.
    hours = _HOURS if placed[0].series_number is None else (MOMENT,)
    return next(((name,) for name in hours if _tells_hours(placed, name)), ())


def _sayer(names: Sequence[str]) -> Callable[[Instance], Hashable]:
    return lambda instance: tuple(TELLERS[name](instance[0]) for name in names)


def _list_placed(instances: Sequence[Instance]) -> list[InstanceHeader]:
    return [header for header, _ in instances if is_placed_slice(header)]


def _is_one(instances: Sequence[Instance]) -> bool:
    """Return whether slices make one stack, or one localizer, which is refused as a whole; or are none."""
    frames = [header.frame for header in _list_placed(instances)]
    if not frames or is_regular(frames):
        return True
    stacks = split(frames, find_plane)
    return is_localizer(map(measure_extent, stacks))


def _tells_names(headers: Sequence[InstanceHeader], name: str) -> bool:
    """Return whether a name tells series apart, rather than the time points of one."""
    return _are_acquisitions(headers, name) and not _are_time_points(split(headers, TELLERS[name]))


def _tells_hours(headers: Sequence[InstanceHeader], name: str) -> bool:
    """Return whether an hour tells series apart: each of them counts its slices anew."""
    parts = split(headers, TELLERS[name])
    is_counted_anew = is_restarted([[header.frame for header in part] for part in parts])
    return is_counted_anew and _are_acquisitions(headers, name) and not _are_time_points(parts)


def _are_acquisitions(headers: Sequence[InstanceHeader], name: str) -> bool:
    """Return whether a few values divide the slices of each plane, and each holds a stack."""
    stacks = split(headers, lambda header: find_plane(header.frame))
    n_values = max(len(set(map(TELLERS[name], stack))) for stack in stacks)
    return n_values <= MOST_ACQUISITIONS and are_held(split(headers, TELLERS[name]))


def _are_time_points(parts: Sequence[Sequence[InstanceHeader]]) -> bool:
    """Return whether each part states temporal positions of its own."""
    positions = [{header.frame.temporal_position for header in part} for part in parts]
    is_stated = all(None not in one for one in positions)
    return is_stated and len(set.union(*positions)) == sum(map(len, positions))

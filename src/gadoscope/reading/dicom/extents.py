"""Which plane some slices lie in, how many they are, and how far from each other."""

from collections.abc import Sequence

import numpy as np

from gadoscope.errors import InputError
from gadoscope.imaging.geometry import find_plane
from gadoscope.imaging.localizer import StackExtent, is_scout
from gadoscope.imaging.order_statistics import find_median
from gadoscope.labels import Plane
from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.stack import check_plane, find_distances

SAME_PLACE_MM = 0.01
"""Far below any slice distance, above the rounding of decimal strings."""


def measure_extent(frames: Sequence[FrameHeader]) -> StackExtent:
    """Return what is measured of frames of one orientation.

    Parameters
    ----------
    frames
        At least one. Where one does not say where it lies, the plane is unknown.
    """
    try:
        for frame in frames:
            check_plane(frame)
    except InputError:
        return StackExtent(Plane.UNKNOWN, len(frames))
    cosines = np.array(frames[0].orientation, dtype=np.float64)
    steps = np.diff(np.sort(find_distances(frames)))
    steps = steps[steps > SAME_PLACE_MM]
    return StackExtent(
        find_plane(np.cross(cosines[:3], cosines[3:])),
        len(frames),
        find_median(steps) if len(steps) else None,
    )


def are_scout(frames: Sequence[FrameHeader]) -> bool:
    """Return whether frames of one volume are a localizer of one plane, acquired so and not chosen."""
    extent = measure_extent(frames)
    thickness_mm = frames[0].slice_thickness_mm
    if extent.distance_mm is None or thickness_mm is None:
        return False
    numbers = [frame.number for frame in frames if frame.number is not None]
    is_run = len(set(numbers)) == len(frames) and max(numbers) - min(numbers) == len(frames) - 1
    return is_run and is_scout(len(frames), extent.distance_mm, thickness_mm)

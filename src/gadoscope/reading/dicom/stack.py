"""Frames of one volume, put in order and into space.

Slices are counted along their normal, row direction x column direction, which is how scanners number them and
independent of the order of files. A stack with missing slices, a sheared one (gantry-like: each slice shifted
along itself) and an uneven one are no regular volume and are still read, with a warning.

References
----------
DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.order_statistics import find_median
from gadoscope.imaging.volume import MAX_SPACING_MM, MIN_SPACING_MM, Geometry
from gadoscope.reading.dicom.header import FrameHeader

SPACING_TOLERANCE = 0.01
"""Part of the slice distance by which neighbours may differ: as in highdicom; decimal strings differ less."""
PERPENDICULAR_TOLERANCE = 1e-3
"""Of the cosine between the normal and the way from the first slice to another: as in highdicom."""
STRAIGHT_TOLERANCE = 0.05
"""Part of the slice distance by which a slice may lie beside the line through the first and the last."""
SINGLE_SLICE_MM = 1.0
"""Distance to no neighbour, of a lone slice whose thickness is not said: only a direction is needed."""
COSINE_TOLERANCE = 0.01
"""Direction cosines are written with 5 or 6 digits; a hundredth off is no rounding."""
FURTHEST_MM = 1e5
"""No scanner's table is 100 m long; beyond lie damaged headers."""
ORIENTATION_VALUES, POSITION_VALUES, SPACING_VALUES = 6, 3, 2
_REMEMBERED = 64

MISSING_SLICES = "slices are missing inside the stack; the others keep their places"
SHEARED = "the slices are shifted along themselves (sheared stack); their geometry is sheared too"
UNEVEN = "the slices are not evenly spaced; their mean distance was used"


@dataclass(frozen=True, eq=False)
class Stack:
    """A volume's frames in order.

    Parameters
    ----------
    geometry
        Where the voxels lie.
    order
        For each slice the frame's index; ``None`` where a slice is missing.
    warnings
        What was doubtful.
    """

    geometry: Geometry
    order: tuple[int | None, ...]
    warnings: tuple[str, ...] = ()


def check_plane(frame: FrameHeader) -> None:
    """Check that a frame says where it lies.

    Raises
    ------
    RefusedError
        With the reason ``missing_orientation``, ``missing_position`` or ``bad_geometry``.
    """
    if not (_is_placed(frame.position_mm) and _is_plane(frame.orientation, frame.spacing_mm)):
        _refuse_plane(frame)


def _is_placed(position_mm: tuple[float, ...] | None) -> bool:
    if position_mm is None or len(position_mm) != POSITION_VALUES:
        return False
    x, y, z = position_mm
    return abs(x) <= FURTHEST_MM and abs(y) <= FURTHEST_MM and abs(z) <= FURTHEST_MM


@lru_cache(maxsize=_REMEMBERED)  # the frames of a series have one, or few
def _is_plane(orientation: tuple[float, ...] | None, spacing_mm: tuple[float, ...] | None) -> bool:
    """Return whether there are two perpendicular directions, and spacings that can be."""
    if orientation is None or len(orientation) != ORIENTATION_VALUES:
        return False
    if spacing_mm is None or len(spacing_mm) != SPACING_VALUES:
        return False
    is_spaced = all(MIN_SPACING_MM <= spacing <= MAX_SPACING_MM for spacing in spacing_mm)
    return is_spaced and _are_perpendicular(orientation)


def _are_perpendicular(orientation: tuple[float, ...]) -> bool:
    along_row, along_column = orientation[:3], orientation[3:]
    lengths = math.hypot(*along_row), math.hypot(*along_column)
    is_unit = all(abs(length - 1) <= COSINE_TOLERANCE for length in lengths)  # False also for NaN
    return is_unit and abs(sum(map(mul, along_row, along_column))) <= COSINE_TOLERANCE


def _refuse_plane(frame: FrameHeader) -> None:
    """Raise as `check_plane`."""
    if frame.orientation is None or len(frame.orientation) != ORIENTATION_VALUES:
        raise RefusedError(
            "missing_orientation",
            "ImageOrientationPatient is missing or unreadable: which way the slices lie is not said.",
        )
    if frame.position_mm is None or len(frame.position_mm) != POSITION_VALUES:
        raise RefusedError(
            "missing_position",
            "ImagePositionPatient is missing or unreadable: where the slices lie is not said.",
        )
    if frame.spacing_mm is None or len(frame.spacing_mm) != SPACING_VALUES:
        raise RefusedError("bad_geometry", "PixelSpacing is missing or unreadable; export the series again.")
    if not all(MIN_SPACING_MM <= spacing <= MAX_SPACING_MM for spacing in frame.spacing_mm):
        raise RefusedError(
            "bad_geometry",
            f"PixelSpacing is {_join(frame.spacing_mm)}; it must lie within {MIN_SPACING_MM:g} and "
            f"{MAX_SPACING_MM:g} mm.",
        )
    if not all(abs(position) <= FURTHEST_MM for position in frame.position_mm):
        raise RefusedError(
            "bad_geometry", f"ImagePositionPatient is {_join(frame.position_mm)}; export the series again."
        )
    raise RefusedError(
        "bad_geometry",
        f"ImageOrientationPatient is {_join(frame.orientation)}: no two perpendicular directions.",
    )


def find_distances(frames: Sequence[FrameHeader]) -> NDArray[np.float64]:
    """Return each frame's distance from the origin along the normal of the first, mm."""
    positions: NDArray[np.float64] = np.array([frame.position_mm for frame in frames], dtype=float)
    distances: NDArray[np.float64] = positions @ _normal(frames[0])
    return distances


def build_stack(frames: Sequence[FrameHeader]) -> Stack:
    """Put the frames of one volume in order.

    Parameters
    ----------
    frames
        At least one; each passed by `check_plane`, of one size, orientation and pixel spacing, no two at
        one place.

    Raises
    ------
    RefusedError
        ``bad_geometry``, if together they make no volume.
    """
    order = np.argsort(find_distances(frames), kind="stable")
    first = frames[order[0]]
    if len(frames) == 1:
        step, slots, warning = _normal(first) * _find_lone_distance(first), order, ""
    else:
        positions = np.array([frames[index].position_mm for index in order], dtype=float)
        step, places, warning = _find_step(first, positions)
        slots = np.full(places[-1] + 1, -1)
        slots[places] = order
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1:3], affine[:3, 3] = step, _pixel_steps(first), first.position_mm
    return Stack(
        geometry=Geometry((len(slots), first.rows, first.columns), affine),
        order=tuple(None if index < 0 else int(index) for index in slots),
        warnings=(warning,) if warning else (),
    )


def _find_step(
    first: FrameHeader, positions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int_], str]:
    """Return the way from slice to slice, the index of each slice, and what was doubtful.

    ``positions`` is in order, shape (n, 3), mm.
    """
    every, normal = np.arange(len(positions)), _normal(first)
    distances = positions @ normal
    if _is_along(normal, positions):
        mean = (distances[-1] - distances[0]) / (len(positions) - 1)
        if (np.abs(np.diff(distances) - mean) <= SPACING_TOLERANCE * mean).all():
            return normal * mean, every, ""
        spacing = find_median(np.diff(distances))
        places = np.rint((distances - distances[0]) / spacing).astype(int) if spacing > 0 else every
        beside = np.abs(distances - distances[0] - places * spacing).max()
        if beside <= SPACING_TOLERANCE * spacing and places[-1] < 2 * len(positions):
            return normal * spacing, places, MISSING_SLICES
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    beside = np.linalg.norm(positions[0] + every[:, None] * step - positions, axis=1).max()
    is_straight = beside <= STRAIGHT_TOLERANCE * np.linalg.norm(step)
    return step, every, SHEARED if is_straight else UNEVEN


def _pixel_steps(frame: FrameHeader) -> NDArray[np.float64]:
    """Return the ways to the next row and to the next column, shape (3, 2), mm."""
    down, right = frame.spacing_mm or ()
    along_row, along_column = np.reshape(np.array(frame.orientation, dtype=float), (2, 3))
    return np.column_stack((along_column * down, along_row * right))


def _is_along(normal: NDArray[np.float64], positions: NDArray[np.float64]) -> bool:
    """Return whether each slice lies straight above the first."""
    ways = positions[1:] - positions[0]
    return bool((np.abs(ways @ normal) > (1 - PERPENDICULAR_TOLERANCE) * np.linalg.norm(ways, axis=1)).all())


def _normal(frame: FrameHeader) -> NDArray[np.float64]:
    along_row, along_column = np.reshape(np.array(frame.orientation, dtype=float), (2, 3))
    normal = np.cross(along_row, along_column)
    unit: NDArray[np.float64] = normal / np.linalg.norm(normal)
    return unit


def _find_lone_distance(frame: FrameHeader) -> float:
    for distance in (frame.slice_spacing_mm, frame.slice_thickness_mm):
        if distance is not None and MIN_SPACING_MM <= abs(distance) <= MAX_SPACING_MM:
            return abs(distance)  # SpacingBetweenSlices of some scanners is negative
    return SINGLE_SLICE_MM


def _join(values: Sequence[float]) -> str:
    return "\\".join(f"{value:g}" for value in values)

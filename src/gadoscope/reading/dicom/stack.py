"""Frames of one volume, put in order and into space.

Slices are counted along their normal, row direction x column direction, which is how scanners number them and
independent of the order of files. Evenly spaced, perpendicular stacks are highdicom's; what it takes for no
volume is a stack with missing slices, a sheared one (gantry-like: each slice shifted along itself) or an
uneven one, and is still read, with a warning.

References
----------
DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.volume import MAX_SPACING_MM, MIN_SPACING_MM, Geometry
from gadoscope.reading.dicom.header import FrameHeader

SPACING_TOLERANCE = 0.01
"""Part of the slice distance by which neighbours may differ: highdicom's own; decimal strings differ less."""
STRAIGHT_TOLERANCE = 0.05
"""Part of the slice distance by which a slice may lie beside the line through the first and the last."""
SINGLE_SLICE_MM = 1.0
"""Distance to no neighbour, of a lone slice whose thickness is not said: only a direction is needed."""
COSINE_TOLERANCE = 0.01
"""Direction cosines are written with 5 or 6 digits; a hundredth off is no rounding."""
FURTHEST_MM = 1e5
"""No scanner's table is 100 m long; beyond lie damaged headers."""
ORIENTATION_VALUES, POSITION_VALUES, SPACING_VALUES = 6, 3, 2

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
    along_row, along_column = frame.orientation[:3], frame.orientation[3:]
    lengths = math.hypot(*along_row), math.hypot(*along_column)
    is_unit = all(abs(length - 1) <= COSINE_TOLERANCE for length in lengths)  # False also for NaN
    if not is_unit or abs(sum(map(mul, along_row, along_column))) > COSINE_TOLERANCE:
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
    from highdicom.spatial import get_volume_positions  # noqa: PLC0415 — 0.1 s, and only DICOM needs it

    def find_even(spacing_hint: float | None) -> tuple[float | None, list[int] | None]:
        found: tuple[float | None, list[int] | None] = get_volume_positions(
            positions.tolist(),
            first.orientation or (),
            rtol=SPACING_TOLERANCE,
            allow_missing_positions=spacing_hint is not None,
            spacing_hint=spacing_hint,
            handedness="LEFT_HANDED",  # (slice, row, column) with slices along row x column direction
        )
        return found

    every = np.arange(len(positions))
    spacing, _ = find_even(None)
    if spacing is not None:
        return _normal(first) * spacing, every, ""
    distances = positions @ _normal(first)
    hint = float(np.median(np.diff(distances)))
    spacing, places = find_even(hint) if hint > 0 else (None, None)
    if spacing is not None and places is not None and places[-1] < 2 * len(positions):
        return _normal(first) * spacing, np.array(places), MISSING_SLICES
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    beside = np.linalg.norm(positions[0] + every[:, None] * step - positions, axis=1).max()
    is_straight = beside <= STRAIGHT_TOLERANCE * np.linalg.norm(step)
    return step, every, SHEARED if is_straight else UNEVEN


def _pixel_steps(frame: FrameHeader) -> NDArray[np.float64]:
    """Return the ways to the next row and to the next column, shape (3, 2), mm."""
    from highdicom.spatial import create_affine_matrix_from_attributes  # noqa: PLC0415 — as above

    affine = create_affine_matrix_from_attributes(
        image_position=frame.position_mm or (),
        image_orientation=frame.orientation or (),
        pixel_spacing=frame.spacing_mm or (),
        index_convention="DR",
        slices_first=True,
    )
    steps: NDArray[np.float64] = affine[:3, 1:3]
    return steps


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

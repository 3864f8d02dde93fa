"""Planes and directions: which plane slices lie in, and which way up a radiologist sees them.

Everything is in DICOM's patient axes, LPS+ millimetres: x grows to the patient's left, y to the back
(posterior), z to the head (superior).

References
----------
DICOM PS3.3 C.7.6.2.1.1 (patient axes)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.labels import Plane

PLANES = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
"""The three planes; ``Plane.UNKNOWN`` is none of them."""

LIMIT_DEG = 45.0
"""A slice whose normal is further than this from all three axes lies in no plane; 54.7 is the furthest."""

OBLIQUE_TOLERANCE_DEG = 30.0
"""Heads are scanned up to about 25 degrees off the table's axes (along the line of the commissures, or turned
aside); a slice further off than this is still read as the closest plane, with a warning."""

_ROUNDING_DEG = 1e-6  # so that exactly 45 degrees, which cosines round to either side, counts as inside


@dataclass(frozen=True)
class View:
    """How a radiologist looks at a plane: unit vectors in LPS+.

    Attributes
    ----------
    right
        Where columns go: from the left edge of the picture to the right one.
    down
        Where rows go: from the upper edge to the lower one.
    through
        Where slices go: ``right`` x ``down``, DICOM's slice normal.
    """

    right: NDArray[np.float64]
    down: NDArray[np.float64]
    through: NDArray[np.float64]


def _view(right: Sequence[float], down: Sequence[float]) -> View:
    return View(np.array(right), np.array(down), np.cross(right, down))


VIEWS = {
    Plane.SAGITTAL: _view((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    Plane.AXIAL: _view((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    Plane.CORONAL: _view((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
}
"""Sagittal: anterior on the left, superior up. Axial: anterior up, the patient's right on the left. Coronal:
superior up, the patient's right on the left."""


def find_closest_plane(normal: Annotated[NDArray[np.float64], "3"]) -> tuple[Plane, float]:
    """Return the plane whose normal is closest, and the angle to it in degrees.

    Parameters
    ----------
    normal
        Normal of the slices, LPS+, shape (3,), of any length and either sense.
    """
    cosines = np.abs(normal) / np.linalg.norm(normal)
    by_axis = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)  # x, y, z
    # Rounded, so that two axes equally close are not told apart by the last bit: the first one wins.
    axis = int(np.argmax(np.round(cosines, 9)))
    return by_axis[axis], float(np.degrees(np.arccos(min(1.0, float(cosines[axis])))))


def find_plane(normal: NDArray[np.float64]) -> Plane:
    """Return the plane of slices with this normal, or ``Plane.UNKNOWN`` beyond `LIMIT_DEG` from all three."""
    plane, angle_deg = find_closest_plane(normal)
    return plane if angle_deg <= LIMIT_DEG + _ROUNDING_DEG else Plane.UNKNOWN


@dataclass(frozen=True)
class Upright:
    """What turns a slice as stored into the slice as viewed: a transpose first, then flips; no value changes.

    Attributes
    ----------
    transpose
        Whether rows become columns.
    flip_rows, flip_columns
        Whether the picture, transposed or not, is turned upside down, and left for right.
    """

    transpose: bool
    flip_rows: bool
    flip_columns: bool

    def apply(
        self, slices: Annotated[NDArray[np.float32], "n row column"]
    ) -> Annotated[NDArray[np.float32], "n height width"]:
        """Return a view of ``slices`` (n, row, column), upright."""
        upright = slices.transpose(0, 2, 1) if self.transpose else slices
        rows, columns = (
            slice(None, None, -1 if flip else None) for flip in (self.flip_rows, self.flip_columns)
        )
        return upright[:, rows, columns]


def find_upright(
    along_rows: Annotated[NDArray[np.float64], "3"],
    along_columns: Annotated[NDArray[np.float64], "3"],
    plane: Plane,
) -> Upright:
    """Return how stored slices become upright ones.

    Of the four turns and mirrorings that show the slice from the side a radiologist sees it from, the one
    closest to `VIEWS`; so an oblique slice is never mirrored either.

    Parameters
    ----------
    along_rows, along_columns
        Where the row index and the column index go, LPS+, shape (3,).
    plane
        The closest plane.
    """
    view = VIEWS[plane]
    best, best_fit = Upright(transpose=False, flip_rows=False, flip_columns=False), -np.inf
    for transpose in (False, True):
        rows, columns = (along_columns, along_rows) if transpose else (along_rows, along_columns)
        for flip_rows in (False, True):
            down = -rows if flip_rows else rows
            mirrored = bool(np.cross(columns, down) @ view.through < 0)
            right = -columns if mirrored else columns
            fit = _cosine(down, view.down) + _cosine(right, view.right)
            if fit > best_fit:
                best, best_fit = Upright(transpose, flip_rows, mirrored), fit
    return best


def _cosine(direction: NDArray[np.float64], unit: NDArray[np.float64]) -> float:
    return float(direction @ unit / np.linalg.norm(direction))

"""A volume that is an array in memory already, and how its axes are said in three letters."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.volume import Geometry

DIRECTIONS = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "S": (0.0, 0.0, 1.0),
    "I": (0.0, 0.0, -1.0),
}
"""Where an index may grow to, LPS+: the patient's left or right, back (posterior) or front (anterior), head
(superior) or feet (inferior)."""
_BYTE_WINDOW = (0.0, 255.0)


def build_geometry(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], orientation: str
) -> Geometry:
    """Return where the voxels of an array lie; its first voxel is the origin.

    Parameters
    ----------
    shape
        Voxels as (slice, row, column).
    spacing_mm
        Between neighbours along each of these axes.
    orientation
        Three of `DIRECTIONS`, one of each pair: where the slice, the row and the column index grow to.

    Raises
    ------
    ValueError
        If ``orientation`` is something else.
    RefusedError
        As `Geometry`.
    """
    if not is_orientation(orientation):
        raise ValueError(f"orientation = {orientation!r}; expected three letters such as 'SPL'.")
    affine = np.eye(4)
    for axis, (letter, step_mm) in enumerate(zip(orientation.upper(), spacing_mm, strict=True)):
        affine[:3, axis] = np.array(DIRECTIONS[letter]) * step_mm
    return Geometry(shape, affine)


def is_orientation(text: str) -> bool:
    """Return whether a text names three directions, each along another of the patient's axes."""
    found = [DIRECTIONS.get(letter) for letter in text.upper()]
    axes = {tuple(abs(part) for part in direction) for direction in found if direction}
    return len(found) == len(axes) == 3  # noqa: PLR2004 — (slice, row, column)


class ArrayVolume:
    """One volume; see `gadoscope.imaging.volume.LazyVolume`.

    Parameters
    ----------
    voxels
        Shape (slice, row, column), real numbers; larger is brighter. It is not copied.
    geometry
        Where they lie; of the same shape.
    """

    warnings: tuple[str, ...] = ()

    def __init__(self, voxels: NDArray[np.number], geometry: Geometry) -> None:
        if voxels.shape != geometry.shape:
            raise ValueError(f"voxels of shape {voxels.shape} do not lie in a geometry of {geometry.shape}.")
        self.geometry = geometry
        self._voxels = voxels

    @property
    def window(self) -> tuple[float, float] | None:
        """(0, 255) for 8-bit values, as of a NIfTI file; else unknown."""
        return _BYTE_WINDOW if self._voxels.dtype == np.uint8 else None

    def read_slices(self, indices: Sequence[int]) -> Annotated[NDArray[np.float32], "n row column"]:
        """Return some slices, shape (len(indices), row, column), float32; beyond that they are infinite."""
        with np.errstate(over="ignore"):
            return self._voxels[list(indices)].astype(np.float32)

"""A volume: where its voxels lie, and how its slices are read one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.geometry import find_plane
from gadoscope.labels import Plane

MAX_SLICE_PIXELS = 4096 * 2048
"""Eight times a 1024 x 1024 slice, the largest in use; the same limit as for a slice image."""
MIN_SIDE_PIXELS = 16
"""Below any acquisition matrix; the same limit as for a slice image."""

MIN_SPACING_MM, MAX_SPACING_MM = 1e-3, 1e3
"""A micrometre and a metre: far outside any MRI of a head; beyond lie damaged headers."""
MIN_INDEPENDENCE = 0.05
"""Volume of a voxel over that of a box with the same edges: 1 if they are perpendicular, 0 if they lie in one
plane. Sheared stacks (the slices shifted along themselves) have 0.7 and more; a twentieth is no volume."""
_AFFINE_SHAPE = (4, 4)
_LAST_ROW = (0.0, 0.0, 0.0, 1.0)

MAX_VOLUME_SPACING_RATIO = 2.0
MAX_VOLUME_SPACING_MM = 2.0
"""A volume's slices are at most twice as far apart as its pixels, or 2 mm: 3-D T1 sequences are acquired with
0.7 to 1.6 mm (finer pixels are often interpolated), 2-D stacks with 3 mm and more."""
MIN_VOLUME_SLICES = 32
MIN_VOLUME_EXTENT_MM = 100.0
"""A volume worth reformatting spans most of a brain, which is 140 mm wide; a thinner slab (angiography, a
sella) would show a strip of it."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the voxels of a volume lie.

    Parameters
    ----------
    shape
        Voxels as (slice, row, column).
    affine
        (4, 4), float64: index (slice, row, column) of a voxel's centre to millimetres, LPS+ (DICOM's
        patient axes). A single slice needs a direction through it too: its normal, times its thickness
        where that is known.

    Raises
    ------
    RefusedError
        ``bad_geometry``, if the affine is not finite, a spacing is zero or absurd, or the axes lie in one
        plane.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:  # noqa: PLR2004 — (slice, row, column)
            raise RefusedError(
                "bad_geometry", f"a volume of {self.shape} voxels cannot be read; export the series again."
            )
        finite = self.affine.shape == _AFFINE_SHAPE and bool(np.isfinite(self.affine).all())
        if not finite or tuple(self.affine[3]) != _LAST_ROW:
            raise RefusedError(
                "bad_geometry",
                "the header gives the voxels no finite position; export the series again from its source.",
            )
        spacing = self.spacing_mm
        if min(spacing) < MIN_SPACING_MM or max(spacing) > MAX_SPACING_MM:
            raise RefusedError(
                "bad_geometry",
                f"voxels of {spacing[0]:.4g} x {spacing[1]:.4g} x {spacing[2]:.4g} mm (slice, row, column) "
                f"are not within {MIN_SPACING_MM:g} and {MAX_SPACING_MM:g} mm; correct the header.",
            )
        if abs(np.linalg.det(self.affine[:3, :3] / spacing)) < MIN_INDEPENDENCE:
            raise RefusedError(
                "bad_geometry",
                "the three axes of the volume lie in one plane; correct the header or export again.",
            )

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbours along the (slice, row, column) index."""
        between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between[0]), float(between[1]), float(between[2])

    @cached_property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal of the slices, LPS+, shape (3,): perpendicular to them, also in a sheared stack."""
        normal = np.cross(self.affine[:3, 2], self.affine[:3, 1])
        unit: NDArray[np.float64] = normal / np.linalg.norm(normal)
        return unit

    @property
    def plane(self) -> Plane:
        """Plane of the slices, by their normal; ``UNKNOWN`` beyond 45 degrees from all three."""
        return find_plane(self.normal)

    @property
    def is_three_dimensional(self) -> bool:
        """Whether its slices are so close and many that others can be computed from them."""
        between, *within = self.spacing_mm
        is_fine = between <= max(MAX_VOLUME_SPACING_MM, MAX_VOLUME_SPACING_RATIO * max(within))
        n_slices = self.shape[0]
        return is_fine and n_slices >= MIN_VOLUME_SLICES and n_slices * between >= MIN_VOLUME_EXTENT_MM


class LazyVolume(Protocol):
    """A volume whose slices are decoded when they are asked for, and not before."""

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie; known without decoding any."""
        ...

    @property
    def window(self) -> tuple[float, float] | None:
        """Values that the file wants shown as black and as white; ``None`` where it does not say.

        Asked for after the slices were read, so it may come from them; it need not be sensible.
        """
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Repairs made while the slices so far were read; one sentence each, without values of the file."""
        ...

    def read_slices(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Decode some slices.

        Parameters
        ----------
        indices
            Along the first axis of ``geometry``.

        Returns
        -------
        numpy.ndarray
            Shape (len(indices), row, column), float32, in the file's units after its own rescaling;
            larger is brighter.

        Raises
        ------
        InputError
            If a slice cannot be decoded.
        """
        ...


def check_size(rows: int, columns: int) -> None:
    """Raise RefusedError if a slice of so many pixels is no slice; nothing was decoded until then."""
    if rows * columns > MAX_SLICE_PIXELS:
        raise RefusedError(
            "too_large",
            f"slices of {rows} x {columns} pixels (rows x columns) are no slices of a head; at most "
            f"{MAX_SLICE_PIXELS} pixels each are read: export the series at its own size.",
        )
    if min(rows, columns) < MIN_SIDE_PIXELS:
        raise RefusedError(
            "too_small",
            f"slices of {rows} x {columns} pixels (rows x columns); a slice has at least {MIN_SIDE_PIXELS} "
            "on each side: export the series at its own size.",
        )

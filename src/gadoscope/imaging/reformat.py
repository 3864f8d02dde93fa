"""Slices of another plane than the acquired one, computed from a 3-D volume by linear interpolation.

The slices are perpendicular to the patient's axes, whichever way the volume lies: its corners are
projected on the axes of the view, and the box around them is cut into square pixels as fine as the volume's
own. Where the volume lies along the axes, pixels are voxels and nothing is interpolated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, RefusedError
from gadoscope.imaging.geometry import VIEWS
from gadoscope.imaging.stack import Choose, Picked, read_decodable
from gadoscope.imaging.volume import Geometry, LazyVolume, check_size
from gadoscope.imaging.window import NOT_FINITE, replace_not_finite
from gadoscope.labels import Plane

MAX_BOX_VOXELS = 2**26
"""Voxels that are held at once, 256 MB: the middle of a 512 x 512 x 512 volume several times over."""
BLOCK_BYTES = 2**26
"""Decoded at once, 64 MB: a 176 x 256 x 256 volume in one go, so that a compressed file is read through
once; of a larger one only what is needed is kept of each part."""
MAX_MISSING_SHARE = 0.1
"""Of the acquired slices needed. A neighbour fills a gap; with more gaps than these the image is made up."""

FILLED = "some slices could not be decoded: their neighbours stand in for them"

Box = tuple[range, range, range]
"""Slices, rows and columns of the volume that are needed."""

_DIGITS = 9  # of an index: a millionth of a pixel is nothing, and exact hits on voxels stay exact
_OUTSIDE_TOLERANCE = 1e-6  # of a voxel


@dataclass(frozen=True, eq=False)
class SamplingGrid:
    """Where the pixels of the slices lie, as indices (slice, row, column) of the volume, in fractions.

    Attributes
    ----------
    shape
        Rows and columns of a slice.
    origins
        Of the first pixel of each slice, (n, 3).
    down, right
        From a pixel to the one below, and to the right, (3,).
    """

    shape: tuple[int, int]
    origins: NDArray[np.float64]
    down: NDArray[np.float64]
    right: NDArray[np.float64]

    def coordinates(
        self, origin: Annotated[NDArray[np.float64], "3"]
    ) -> Annotated[NDArray[np.float64], "3 row column"]:
        """Return the indices of all pixels of the slice that begins at ``origin``, (3, row, column)."""
        rows, columns = self.shape
        down = self.down[:, None, None] * np.arange(rows)[:, None]
        right = self.right[:, None, None] * np.arange(columns)
        coordinates: NDArray[np.float64] = origin[:, None, None] + down + right
        return coordinates


def find_grid(geometry: Geometry, plane: Plane, choose: Choose) -> SamplingGrid:
    """Return where the wanted slices of ``plane`` lie in the volume.

    Raises
    ------
    RefusedError
        ``too_small`` or ``too_large``, by the size of the slices.
    """
    view = VIEWS[plane]
    axes = np.stack([view.through, view.down, view.right])
    matrix, offset = axes @ geometry.affine[:3, :3], axes @ geometry.affine[:3, 3]
    edges = np.array(list(product(*((-0.5, n - 0.5) for n in geometry.shape)))) @ matrix.T + offset
    low, size = edges.min(axis=0), np.ptp(edges, axis=0)
    spacing = np.array(geometry.spacing_mm)
    across = int(np.argmax(np.abs(matrix[0]) / spacing))  # the volume's axis that goes through the slices
    pixel = np.delete(spacing, across).min()
    n_slices, rows, columns = (max(1, round(n)) for n in size / (spacing[across], pixel, pixel))
    check_size(rows, columns)
    step = size / (n_slices, rows, columns)
    to_index = np.linalg.inv(matrix)
    pixels = np.array([(index, 0.0, 0.0) for index in choose(n_slices)])
    centres = low + step * (pixels + 0.5)
    return SamplingGrid(
        shape=(rows, columns),
        origins=np.round((centres - offset) @ to_index.T, _DIGITS),
        down=np.round(to_index[:, 1] * step[1], _DIGITS),
        right=np.round(to_index[:, 2] * step[2], _DIGITS),
    )


def reformat(volume: LazyVolume, planes: Sequence[Plane], choose: Choose) -> list[Picked]:
    """Compute the wanted slices of each plane, upright, in the order of DICOM's slice normal.

    The volume is decoded once for all planes. Pixels outside it get its smallest value.

    Raises
    ------
    RefusedError
        ``too_small`` or ``too_large``, before anything is decoded; ``blank`` if no voxel is a number.
    InputError
        If more than `MAX_MISSING_SHARE` of the acquired slices cannot be decoded.
    """
    grids = [find_grid(volume.geometry, plane, choose) for plane in planes]
    boxes = [_find_box(grid, volume.geometry.shape) for grid in grids]
    _check_memory(boxes)
    parts, notes = _read_boxes(volume, boxes)
    return [
        _sample(grid, box, part, volume.geometry.shape, notes)
        for grid, box, part in zip(grids, boxes, parts, strict=True)
    ]


def _sample(
    grid: SamplingGrid, box: Box, part: NDArray[np.float32], shape: tuple[int, int, int], notes: list[str]
) -> Picked:
    """Return the slices of one grid from the part of the volume in its box."""
    voxels, any_replaced = replace_not_finite(part)
    corner = np.array([along.start for along in box])[:, None, None]
    last = np.array(shape)[:, None, None] - 0.5 + _OUTSIDE_TOLERANCE
    slices = np.empty((len(grid.origins), *grid.shape), dtype=np.float32)
    darkest = voxels.min()
    for origin, out in zip(grid.origins, slices, strict=True):
        coordinates = grid.coordinates(origin)
        outside = ((coordinates < -0.5 - _OUTSIDE_TOLERANCE) | (coordinates > last)).any(axis=0)
        out[:] = interpolate(voxels, coordinates - corner)
        out[outside] = darkest
    return Picked(slices, (*notes, *([NOT_FINITE] if any_replaced else [])))


def interpolate(
    voxels: Annotated[NDArray[np.float32], "slice row column"],
    coordinates: Annotated[NDArray[np.float64], "3 *places"],
) -> Annotated[NDArray[np.float64], "*places"]:
    """Return values between voxels, on straight lines along each axis; beyond the edge, that of the edge.

    As `scipy.ndimage.map_coordinates` with ``order=1, mode="nearest"``, and as fast; importing that takes
    0.2 s, a third of the time that a series may take from a cold start.

    Parameters
    ----------
    voxels
        (slice, row, column), finite.
    coordinates
        Indices in fractions, shape (3, ...).
    """
    last = np.array(voxels.shape).reshape(-1, *[1] * (coordinates.ndim - 1)) - 1
    inside = np.clip(coordinates, 0, last)
    below = np.floor(inside).astype(np.intp)
    fraction = inside - below
    above = np.minimum(below + 1, last)
    total = np.zeros(coordinates.shape[1:])
    # Where the slices lie along an axis of the volume, no neighbour along it is needed.
    for corner in product(*((False, True) if part.any() else (False,) for part in fraction)):
        parts = zip(corner, fraction, strict=True)
        weight = np.prod([part if is_above else 1 - part for is_above, part in parts], axis=0)
        indices = zip(corner, below, above, strict=True)
        total += weight * voxels[tuple(high if is_above else low for is_above, low, high in indices)]
    return total


def _find_box(grid: SamplingGrid, shape: tuple[int, int, int]) -> Box:
    """Return the part of the volume that the slices need."""
    rows, columns = grid.shape
    corners = np.concatenate(
        [
            grid.origins + row * grid.down + column * grid.right
            for row, column in product((0, rows - 1), (0, columns - 1))
        ]
    )
    last = np.array(shape) - 1
    low = np.clip(np.floor(corners.min(axis=0)), 0, last)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, last)
    first, second, third = (range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    return first, second, third


def _check_memory(boxes: Sequence[Box]) -> None:
    n_voxels = sum(len(box[0]) * len(box[1]) * len(box[2]) for box in boxes)
    if n_voxels > MAX_BOX_VOXELS:
        raise RefusedError(
            "too_large",
            f"{n_voxels} voxels would be needed to compute slices of another plane; at most {MAX_BOX_VOXELS} "
            "are held: reformat the volume to about 1 mm first.",
        )


def _read_boxes(volume: LazyVolume, boxes: Sequence[Box]) -> tuple[list[NDArray[np.float32]], list[str]]:
    """Decode each slice that a box needs once, some at a time, and keep the boxes' parts of them."""
    parts = [np.empty([len(along) for along in box], dtype=np.float32) for box in boxes]
    wanted = sorted({index for box in boxes for index in box[0]})
    decoded: list[int] = []
    error: InputError | None = None
    for block in _iter_blocks(wanted, volume.geometry.shape):
        read = read_decodable(volume, block)
        for (through, rows, columns), part in zip(boxes, parts, strict=True):
            for voxels, index in zip(read.voxels, read.indices, strict=True):
                if index in through:
                    part[index - through.start] = voxels[rows.start : rows.stop, columns.start : columns.stop]
        decoded += read.indices
        error = error or read.error
    if error is None:
        return parts, []
    if len(wanted) - len(decoded) > MAX_MISSING_SHARE * len(wanted):
        raise error
    for (through, _, _), part in zip(boxes, parts, strict=True):
        _fill_gaps(part, [index - through.start for index in decoded if index in through], error)
    return parts, [FILLED]


def _fill_gaps(part: NDArray[np.float32], decoded: list[int], error: InputError) -> None:
    """Put the nearest decoded slice where one is missing; raise ``error`` if there is none."""
    if not decoded:
        raise error
    for index in set(range(len(part))) - set(decoded):
        part[index] = part[min(decoded, key=lambda other: abs(other - index))]


def _iter_blocks(wanted: list[int], shape: tuple[int, int, int]) -> Iterator[list[int]]:
    slice_bytes = shape[1] * shape[2] * np.dtype(np.float32).itemsize
    n_slices = max(1, BLOCK_BYTES // slice_bytes)
    for start in range(0, len(wanted), n_slices):
        yield wanted[start : start + n_slices]

"""Slices in their own plane: only those wanted are decoded, then turned upright, their pixels made square."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.errors import InputError
from gadoscope.imaging.geometry import VIEWS, find_closest_plane, find_upright
from gadoscope.imaging.volume import LazyVolume, check_size
from gadoscope.imaging.window import NOT_FINITE, replace_not_finite

SQUARE_TOLERANCE = 0.01
"""Rows and columns whose spacing differs by less than a hundredth are left as they are: that stretches
256 pixels by 2, less than heads differ."""

NOT_SQUARE = "the pixels are not square: resampled until they were"
LEFT_OUT = "some slices could not be decoded: left out"

Choose = Callable[[int], list[int]]
"""From the number of slices to the indices of those wanted, growing."""


@dataclass(frozen=True, eq=False)
class Picked:
    """Slices of one plane, upright, finite float32 (n, row, column) in the file's units; and repairs."""

    voxels: NDArray[np.float32]
    warnings: tuple[str, ...]


def read_stack(volume: LazyVolume, choose: Choose) -> Picked:
    """Decode the slices wanted, in the order of DICOM's slice normal, upright.

    Raises
    ------
    RefusedError
        ``too_small`` or ``too_large``, before anything is decoded; ``blank`` if no value is a number.
    InputError
        If not one of the slices can be decoded.
    """
    geometry = volume.geometry
    plane, _ = find_closest_plane(geometry.normal)
    upright = find_upright(geometry.affine[:3, 1], geometry.affine[:3, 2], plane)
    _, *spacing_mm = geometry.spacing_mm
    rows, columns = geometry.shape[1:]
    if upright.transpose:
        spacing_mm.reverse()
        rows, columns = columns, rows
    square = find_square_shape((rows, columns), (spacing_mm[0], spacing_mm[1]))
    check_size(*square)
    n_slices = geometry.shape[0]
    is_backwards = geometry.affine[:3, 0] @ VIEWS[plane].through < 0
    # Chosen in the order of the view, so the same slices of a head whichever end they are counted from.
    wanted = [n_slices - 1 - index if is_backwards else index for index in choose(n_slices)]
    read = read_decodable(volume, sorted(wanted))
    if read.error is not None and not read.indices:
        raise read.error
    voxels = np.ascontiguousarray(upright.apply(read.voxels[:: -1 if is_backwards else 1]))
    notes = [LEFT_OUT] if read.error is not None else []
    voxels, any_replaced = replace_not_finite(voxels)  # first: resampling would spread them
    if any_replaced:
        notes.append(NOT_FINITE)
    if square != (rows, columns):
        notes.append(NOT_SQUARE)
        voxels = _resample(voxels, square)
    return Picked(voxels, tuple(notes))


class Decoded(NamedTuple):
    """Slices that could be decoded, (n, row, column); which they are; what was wrong with the first other."""

    voxels: NDArray[np.float32]
    indices: list[int]
    error: InputError | None


def read_decodable(volume: LazyVolume, indices: Sequence[int]) -> Decoded:
    """Read those of the slices that can be decoded: all at once, or one by one if that fails."""
    try:
        return Decoded(volume.read_slices(indices), list(indices), None)
    except InputError as error:
        first = error
    slices, decoded = [np.empty((0, *volume.geometry.shape[1:]), dtype=np.float32)], []
    for index in indices if len(indices) > 1 else ():
        try:
            slices.append(volume.read_slices([index]))
            decoded.append(index)
        except InputError:  # the same as `first`, or the next one of its kind
            continue
    return Decoded(np.concatenate(slices), decoded, first)


def find_square_shape(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> tuple[int, int]:
    """Return rows and columns of the slice with square pixels, as fine as the finer side of the stored."""
    finest = min(spacing_mm)
    if max(spacing_mm) / finest <= 1 + SQUARE_TOLERANCE:
        return shape
    rows, columns = (round(n * spacing / finest) for n, spacing in zip(shape, spacing_mm, strict=True))
    return rows, columns


def _resample(voxels: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return slices (n, row, column) of more rows or columns, linearly between the pixels; edges stay put."""
    resampled = np.empty((len(voxels), *shape), dtype=np.float32)
    for stored, out in zip(voxels, resampled, strict=True):
        # Pillow's "bilinear" is the straight line between two pixels where it adds pixels, as it does here.
        out[:] = np.asarray(Image.fromarray(stored).resize(shape[::-1], Image.Resampling.BILINEAR))
    return resampled

"""Volumes in memory that keep account of what is decoded, and the ways to store one head."""

from collections.abc import Collection, Iterator, Sequence
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ReadError
from gadoscope.imaging.volume import Geometry
from gadoscope.labels import Plane

# Directions of slices, rows and columns (the columns here), LPS+, as a radiologist sees them.
UPRIGHT = {
    Plane.SAGITTAL: np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    Plane.AXIAL: np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    Plane.CORONAL: np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
}

Order = tuple[tuple[int, ...], tuple[bool, ...]]


class ArrayVolume:
    """An array as a volume; ``asked`` lists the indices of every call, ``broken`` slices cannot be read."""

    def __init__(
        self,
        voxels: NDArray[np.float32],
        affine: NDArray[np.float64],
        window: tuple[float, float] | None = None,
        broken: Collection[int] = (),
    ) -> None:
        self.voxels, self.window, self.broken = voxels, window, broken
        self.geometry = Geometry(voxels.shape, affine)
        self.asked: list[list[int]] = []
        self.warnings = ()

    def read_slices(self, indices: Sequence[int]) -> NDArray[np.float32]:
        self.asked.append(list(indices))
        for index in indices:
            if index in self.broken:
                raise ReadError("truncated", f"slice {index} is damaged.")
        return self.voxels[list(indices)]


def make_affine(
    directions: NDArray[np.float64],
    spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
    shape: Sequence[int] | None = None,
    middle: Sequence[float] = (0.0, 0.0, 0.0),
) -> NDArray[np.float64]:
    """Return an affine of unit ``directions`` (its columns); given a shape, with its middle at ``middle``."""
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing_mm)
    if shape is not None:
        affine[:3, 3] = np.asarray(middle) - affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return affine


def rotation(axis: Sequence[float] | NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Return the rotation by ``degrees`` about ``axis`` (Rodrigues' formula)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    turned: NDArray[np.float64] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned


def random_rotations(n: int, seed: int = 0) -> Iterator[NDArray[np.float64]]:
    """Yield rotations in all directions."""
    generator = np.random.default_rng(seed)
    for _ in range(n):
        orthogonal, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        yield orthogonal * np.sign(np.linalg.det(orthogonal))


AXIS_ORDERS: list[Order] = list(product(permutations(range(3)), product((False, True), repeat=3)))
"""All 48 ways to store one volume: an order of its axes, and which of them run backwards."""


def store(
    voxels: NDArray[np.float32], affine: NDArray[np.float64], order: Order
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the same volume with its axes in another order: every voxel keeps its place in the patient."""
    axes, backwards = order
    stored, moved = voxels.transpose(axes), affine[:, [*axes, 3]].copy()
    for axis, flip in enumerate(backwards):
        if flip:
            stored = np.flip(stored, axis)
            moved[:, 3] += moved[:, axis] * (stored.shape[axis] - 1)
            moved[:, axis] *= -1
    return np.ascontiguousarray(stored), moved


def positions(geometry: Geometry) -> NDArray[np.float32]:
    """Return the LPS+ coordinates of all voxels, (3, slice, row, column): linear, so interpolated exactly."""
    indices = np.indices(geometry.shape).reshape(3, -1)
    place = geometry.affine[:3, :3] @ indices + geometry.affine[:3, 3:]
    return place.reshape(3, *geometry.shape).astype(np.float32)

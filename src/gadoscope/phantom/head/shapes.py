"""Shapes as signed distances: positive inside, millimetres, on any set of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Field: TypeAlias = NDArray[np.float32]
"""One value a point, shape (n,)."""

# Curves are drawn finer than the tables that sample them, so no corner shows.
CURVE_STEPS = 12
# Keeps a distance finite at the very centre of an ellipsoid, where it has no direction.
TINY = np.float32(1e-6)
# What stands for the distance of a point that is too far from a shape to matter, and how far that is.
FAR_MM, REACH_MM = np.float32(1000.0), 8.0
# The exponent of an ellipse.
ROUND = 2.0


class Points(NamedTuple):
    """Places in the template head, millimetres: x to the right, y to the front, z to the top."""

    x: Field
    y: Field
    z: Field

    def take(self, index: NDArray[np.intp]) -> Points:
        """Return the points at ``index``."""
        return Points(self.x[index], self.y[index], self.z[index])

    def mirrored(self) -> Points:
        """Return the points with the left side laid upon the right."""
        return Points(np.abs(self.x), self.y, self.z)


class Box(NamedTuple):
    """A part of the head, the same on both sides, that a costly shape cannot leave; limits in mm."""

    side: tuple[float, float] = (0.0, math.inf)
    y: tuple[float, float] = (-math.inf, math.inf)
    z: tuple[float, float] = (-math.inf, math.inf)

    def holds(self, p: Points) -> NDArray[np.bool_]:
        """Return which points lie inside."""
        inside = np.ones(len(p.x), bool)
        for axis, (low, high) in zip((np.abs(p.x), p.y, p.z), self, strict=True):
            if low > -math.inf:
                inside &= axis >= np.float32(low)
            if high < math.inf:
                inside &= axis <= np.float32(high)
        return inside


def fraction_inside(distance: Field, width_mm: float) -> Field:
    """Return the part of a voxel of ``width_mm`` that lies inside, 0 to 1: the partial volume."""
    inside: Field = np.clip(distance / np.float32(width_mm) + np.float32(0.5), 0, 1)
    return inside


def smooth_step(value: Field, low: float, high: float) -> Field:
    """Return 0 below ``low``, 1 above ``high``, and a smooth rise between."""
    t: Field = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def root_of_squares(first: Field, second: Field) -> Field:
    """Return the hypotenuse; nine times as fast as ``np.hypot``, whose care for overflow is not needed."""
    hypotenuse: Field = np.sqrt(first * first + second * second)
    return hypotenuse


def smooth_union(first: Field, second: Field, blend_mm: float) -> Field:
    """Return the union of two shapes, their seam rounded over ``blend_mm``.

    References
    ----------
    Quilez I. Smooth minimum (polynomial form), https://iquilezles.org/articles/smin
    """
    h = np.maximum(np.float32(blend_mm) - np.abs(first - second), 0) / np.float32(blend_mm)
    union: Field = np.maximum(first, second) + h * h * np.float32(blend_mm / 4)
    return union


def ellipsoid(p: Points, centre: Sequence[float], radii: Sequence[float]) -> Field:
    """Return the distance to an ellipsoid, to first order at its surface.

    References
    ----------
    Quilez I. Ellipsoid distance, https://iquilezles.org/articles/ellipsoids
    """
    scaled = [(axis - np.float32(c)) / np.float32(r) for axis, c, r in zip(p, centre, radii, strict=True)]
    k0 = np.sqrt(scaled[0] ** 2 + scaled[1] ** 2 + scaled[2] ** 2)
    twice = [axis / np.float32(r) for axis, r in zip(scaled, radii, strict=True)]
    k1 = np.sqrt(twice[0] ** 2 + twice[1] ** 2 + twice[2] ** 2)
    distance: Field = k0 * (1 - k0) / np.maximum(k1, TINY)
    return np.where(k0 < np.float32(0.05), np.float32(min(radii)), distance)


def tube(
    p: Points, nodes: Sequence[tuple[float, float, float, float]], *, reach_mm: float = REACH_MM
) -> Field:
    """Return the distance to a chain of round segments; a node is (x, y, z, radius).

    Points further than ``reach_mm`` outside the box around the chain are only said to be far: at
    minus ``FAR_MM``.
    """
    distance = np.full(len(p.x), -FAR_MM, np.float32)
    near = np.ones(len(p.x), bool)
    for axis, values in enumerate(p):
        near &= values >= np.float32(min(n[axis] - n[3] for n in nodes) - reach_mm)
        near &= values <= np.float32(max(n[axis] + n[3] for n in nodes) + reach_mm)
    index = np.flatnonzero(near)
    if len(index):
        distance[index] = _chain(p.take(index), nodes)
    return distance


def _chain(p: Points, nodes: Sequence[tuple[float, float, float, float]]) -> Field:
    best: Field = np.full(len(p.x), -FAR_MM, np.float32)
    for (x, y, z, radius), (x_end, y_end, z_end, radius_end) in pairwise(nodes):
        ax, ay, az = (np.float32(c) for c in (x_end - x, y_end - y, z_end - z))
        rx, ry, rz = p.x - np.float32(x), p.y - np.float32(y), p.z - np.float32(z)
        t = np.clip((rx * ax + ry * ay + rz * az) / (ax * ax + ay * ay + az * az), 0, 1)
        gap = np.sqrt((rx - t * ax) ** 2 + (ry - t * ay) ** 2 + (rz - t * az) ** 2)
        np.maximum(best, np.float32(radius) + t * np.float32(radius_end - radius) - gap, out=best)
    return best


@cache
def smooth_chain(
    nodes: tuple[tuple[float, float, float, float], ...], steps: int = 4
) -> tuple[tuple[float, float, float, float], ...]:
    """Return the chain with ``steps`` segments in place of each, so that it bends without a kink."""
    control = np.asarray(nodes)
    control = np.vstack([control[:1], control, control[-1:]])
    pieces = [
        _catmull_rom(control[:-3], control[1:-2], control[2:-1], control[3:], t / steps) for t in range(steps)
    ]
    smooth = np.vstack([np.stack(pieces, axis=1).reshape(-1, 4), nodes[-1]])
    return tuple((float(x), float(y), float(z), float(r)) for x, y, z, r in smooth)


def inflate(
    outline: Field, x: Field, half_width: Field | float, roundness_mm: float, power: float = ROUND
) -> Field:
    """Return the distance to the rounded solid whose cut at x = 0 is ``outline``.

    The solid is as wide as ``half_width`` wherever the cut lies deeper than ``roundness_mm``, and
    closes towards the edge of the cut like an ellipse, or more squarely with a ``power`` above 2.
    """
    u = np.abs(1 - np.minimum(outline, np.float32(roundness_mm)) / np.float32(roundness_mm))
    v = np.abs(x / half_width)
    if power == ROUND:
        norm = np.sqrt(v * v + u * u)
    else:
        norm = np.power(
            np.power(v, np.float32(power)) + np.power(u, np.float32(power)), np.float32(1 / power)
        )
    solid: Field = (1 - norm) * np.float32(roundness_mm)
    return solid


class Outline:
    """A closed smooth curve in the plane (y, z), as a table of signed distances.

    Parameters
    ----------
    control
        Points (y, z) in millimetres that a Catmull-Rom spline passes through, in order, either way
        round.
    spacing_mm
        Spacing of the table.
    margin_mm
        How far outside the curve the table reaches; further out the distance is minus ``FAR_MM``.
    """

    def __init__(
        self, control: Sequence[tuple[float, float]], *, spacing_mm: float = 1.0, margin_mm: float = 8.0
    ) -> None:
        curve = _spline(np.asarray(control, np.float64))
        low = curve.min(axis=0) - margin_mm
        shape = np.ceil((curve.max(axis=0) + margin_mm - low) / spacing_mm).astype(int) + 1
        y, z = (low[axis] + spacing_mm * np.arange(shape[axis]) for axis in (0, 1))
        grid = np.stack(np.meshgrid(y, z, indexing="ij"), axis=-1).reshape(-1, 2)
        distance = cKDTree(_densify(curve, spacing_mm / 4)).query(grid)[0]
        signed = np.where(_is_inside(y, z, curve).ravel(), distance, -distance)
        self._table: Field = signed.astype(np.float32)
        self._low = low.astype(np.float32)
        self._shape = shape
        self._spacing = np.float32(spacing_mm)

    def __call__(self, y: Field, z: Field) -> Field:
        """Return the signed distance at each (y, z), bilinear between table points."""
        u = (y - self._low[0]) / self._spacing
        v = (z - self._low[1]) / self._spacing
        inside = (u >= 0) & (v >= 0) & (u < self._shape[0] - 1) & (v < self._shape[1] - 1)
        index = np.flatnonzero(inside)
        if len(index) == len(u):
            return self._interpolate(u, v)
        distance: Field = np.full(len(u), -FAR_MM, np.float32)
        distance[index] = self._interpolate(u[index], v[index])
        return distance

    def _interpolate(self, u: Field, v: Field) -> Field:
        i, j = u.astype(np.int32), v.astype(np.int32)
        a, b = u - i, v - j
        at = (i * np.int32(self._shape[1]) + j).astype(np.intp)
        table, step = self._table, int(self._shape[1])
        near, far = table[at], table[at + step]
        near = near + (table[at + 1] - near) * b
        far = far + (table[at + step + 1] - far) * b
        distance: Field = near + (far - near) * a
        return distance


def _spline(control: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed uniform Catmull-Rom spline through ``control``, shape (n, 2)."""
    before, end, after = (np.roll(control, shift, axis=0) for shift in (1, -1, -2))
    pieces = [_catmull_rom(before, control, end, after, step / CURVE_STEPS) for step in range(CURVE_STEPS)]
    return np.stack(pieces, axis=1).reshape(-1, 2)


def _catmull_rom(
    before: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    after: NDArray[np.float64],
    t: float,
) -> NDArray[np.float64]:
    """Return the points at ``t`` (0 to 1) of the pieces from ``start`` to ``end``."""
    linear, quadratic = end - before, 2 * before - 5 * start + 4 * end - after
    cubic = 3 * start - before - 3 * end + after
    return start + 0.5 * t * (linear + t * (quadratic + t * cubic))


def _densify(curve: NDArray[np.float64], step_mm: float) -> NDArray[np.float64]:
    """Return points on the closed polyline ``curve`` at most ``step_mm`` apart."""
    closed = np.vstack([curve, curve[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, length[-1], int(np.ceil(length[-1] / step_mm)) + 1)
    return np.stack([np.interp(at, length, closed[:, axis]) for axis in (0, 1)], axis=1)


def _is_inside(
    y: NDArray[np.float64], z: NDArray[np.float64], curve: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which points (y, z) of a table lie inside the closed polyline: an odd number of crossings."""
    inside = np.zeros((len(y), len(z)), bool)
    for (y0, z0), (y1, z1) in zip(curve, np.roll(curve, -1, axis=0), strict=True):
        crossed = np.flatnonzero((z0 > z) != (z1 > z))  # a piece of the curve is short: few columns
        if crossed.size:
            inside[:, crossed] ^= y[:, None] < y0 + (z[crossed] - z0) * (y1 - y0) / (z1 - z0)
    return inside

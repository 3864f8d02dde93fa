"""The upper spine: vertebrae, discs, arches and the canal's wall."""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, ellipsoid, tube

# MNI152 millimetres. The dens with the body of C2, then one body every LEVEL_MM.
DENS = ((0.0, -26.0, -71.0, 4.5), (0.0, -27.0, -84.0, 5.5), (0.0, -28.5, -97.0, 7.8))
FIRST_DISC_Z, LEVEL_MM, DISC_MM = -104.0, 18.0, 4.5
# Bodies stand in front of the canal, half as deep as this, and as wide.
BODY_HALF_DEPTH_MM, BODY_HALF_WIDTH_MM = 8.2, 10.0
CORTEX_MM = 1.1
LOWEST_Z = -215.0


def paint_spine(canvas: Canvas, canal: Field) -> None:
    """Paint C1 downwards, in front of and behind the canal."""
    p = canvas.points
    middle = np.float32(-29.5) + np.float32(0.03) * (p.z + 100)
    bow = np.float32(1.2) * np.cos((p.z - np.float32(FIRST_DISC_Z)) * np.float32(2 * np.pi / LEVEL_MM))
    column = np.minimum(
        np.float32(BODY_HALF_DEPTH_MM) + bow * np.float32(0.5) - np.abs(p.y - middle),
        np.float32(BODY_HALF_WIDTH_MM) - np.abs(p.x),
    )
    column = np.minimum(column, np.float32(FIRST_DISC_Z) + 1 - p.z)
    # Distance to the nearest disc's middle plane, which repeats down the column.
    phase = np.mod(p.z - np.float32(FIRST_DISC_Z), np.float32(LEVEL_MM))
    from_disc = np.minimum(phase, np.float32(LEVEL_MM) - phase) - np.float32(DISC_MM / 2)
    dens = tube(p, DENS)
    vertebra = np.maximum(np.minimum(column, from_disc), dens)
    arches = ellipsoid(p, (0.0, -18.8, -76.0), (9.0, 2.8, 5.0))
    arches = np.maximum(arches, ellipsoid(p, (0.0, -59.0, -77.0), (14.0, 3.6, 4.0)))
    arches = np.maximum(arches, tube(p, ((0.0, -57.0, -97.0, 4.0), (0.0, -76.0, -104.0, 5.5))))
    z = FIRST_DISC_Z - LEVEL_MM * 0.8
    while z > LOWEST_Z:
        arches = np.maximum(arches, tube(p, ((0.0, -57.0, z, 2.6), (0.0, -72.0, z - 7, 3.2))))
        z -= LEVEL_MM
    bones = np.maximum(vertebra, arches)
    canvas.paint(Region.MARROW, bones - np.float32(CORTEX_MM))
    canvas.paint(Region.BONE, bones)
    canvas.paint(Region.DISC, column)
    ring = canal + np.float32(1.6)
    canvas.paint(Region.DURA, np.minimum(ring, -canal + 1))

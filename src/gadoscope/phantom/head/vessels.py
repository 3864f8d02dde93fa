"""Blood: dural sinuses, deep veins, arteries at the base, and the vessels that run in the sulci."""

from __future__ import annotations

import math

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.individual import Individual
from gadoscope.phantom.head.outlines import outline
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import (
    Box,
    Field,
    Points,
    ellipsoid,
    root_of_squares,
    smooth_chain,
    smooth_step,
    tube,
)
from gadoscope.phantom.head.surfaces import Surfaces, tentorium_side

# Nodes (x, y, z, radius), MNI152 millimetres; those with x > 0 are mirrored.
STRAIGHT_SINUS = ((0.0, -48.0, 3.0, 1.7), (0.0, -75.0, -8.0, 2.0), (0.0, -100.0, -17.0, 2.6))
TRANSVERSE_SINUS = (
    (0.0, -101.0, -17.0, 3.6), (24.0, -96.0, -20.0, 3.4), (44.0, -78.0, -23.0, 3.2),
    (56.0, -54.0, -27.0, 3.2), (55.0, -42.0, -38.0, 3.4), (42.0, -36.0, -52.0, 3.4),
)  # fmt: skip
GALEN = ((0.0, -37.0, 5.0, 1.3), (0.0, -43.0, 0.5, 1.7), (0.0, -48.0, 3.0, 1.8))
INTERNAL_CEREBRAL = (
    (1.6, 1.0, 5.5, 0.8),
    (1.6, -10.0, 9.8, 1.0),
    (1.5, -24.0, 8.2, 1.1),
    (0.8, -37.0, 5.0, 1.3),
)
INFERIOR_SAGITTAL = (
    (0.0, 30.0, 34.0, 0.4),
    (0.0, 0.0, 44.0, 0.6),
    (0.0, -34.0, 36.0, 0.8),
    (0.0, -48.0, 3.0, 1.0),
)
BASILAR = ((0.0, -22.0, -50.0, 1.4), (0.0, -9.5, -38.0, 1.6), (0.0, -10.0, -22.0, 1.5))
CAROTID = (
    (16.0, -8.0, -44.0, 2.4),
    (14.0, 2.0, -36.0, 2.4),
    (12.0, 8.0, -28.0, 2.3),
    (13.0, 2.0, -21.0, 2.0),
)
MIDDLE_CEREBRAL = (
    (13.0, 2.0, -20.0, 1.6),
    (26.0, 4.0, -18.0, 1.4),
    (38.0, 6.0, -12.0, 1.2),
    (42.0, -8.0, -2.0, 1.0),
)
ANTERIOR_CEREBRAL = (
    (6.0, 4.0, -18.0, 1.2), (1.4, 8.0, -13.0, 1.1), (2.2, 28.0, -9.0, 1.1), (2.6, 38.0, 6.0, 1.0),
    (1.6, 30.0, 27.0, 0.9), (2.8, 4.0, 35.0, 0.8), (1.4, -24.0, 33.0, 0.6),
)  # fmt: skip
# The superior sagittal sinus is a three-sided tube under the vault that widens towards the back.
SINUS_FRONT_MM, SINUS_BACK_MM = 2.2, 6.0
# Vessels on the surface: where two families of sheets cross; half-width in mm.
VESSEL_MM, VESSEL_DEPTH_MM = 0.75, 22.0
# Where each group of vessels is looked for.
TRANSVERSE_BOX = Box(y=(-math.inf, -25.0), z=(-math.inf, -5.0))
MEDIAN_BOX = Box(side=(0.0, 6.0), z=(-math.inf, 50.0))
BASE_BOX = Box(side=(0.0, 46.0), y=(-20.0, 20.0), z=(-math.inf, 5.0))


def paint_great_vessels(canvas: Canvas, surfaces: Surfaces) -> None:
    """Paint sinuses, deep veins and the arteries of the base."""
    p = canvas.points
    canvas.paint(Region.DURAL_SINUS, _superior_sagittal(p, surfaces))
    with canvas.within(TRANSVERSE_BOX.holds(p)) as (inner, index):
        q = inner.points
        sinus = tube(q.mirrored(), TRANSVERSE_SINUS)
        inner.paint(Region.DURAL_SINUS, np.minimum(sinus, surfaces.cavity[index] + 1))
    with canvas.within(MEDIAN_BOX.holds(p)) as (inner, index):
        middle = inner.points
        paired = middle.mirrored()
        inner.paint(Region.DURAL_SINUS, np.minimum(tube(middle, STRAIGHT_SINUS), surfaces.cavity[index]))
        inner.paint(Region.DEEP_VEIN, tube(middle, GALEN))
        inner.paint(Region.DEEP_VEIN, tube(paired, smooth_chain(INTERNAL_CEREBRAL)))
        inner.paint(Region.DEEP_VEIN, tube(middle, smooth_chain(INFERIOR_SAGITTAL)))
        inner.paint(Region.ARTERY, tube(middle, smooth_chain(BASILAR)))
        inner.paint(Region.ARTERY, tube(paired, smooth_chain(ANTERIOR_CEREBRAL)))
    with canvas.within(BASE_BOX.holds(p)) as (inner, _):
        side = inner.points.mirrored()
        inner.paint(Region.ARTERY, tube(side, CAROTID))
        inner.paint(Region.ARTERY, tube(side, MIDDLE_CEREBRAL))
        inner.paint(Region.CAVERNOUS_SINUS, ellipsoid(side, (12.0, 0.0, -32.0), (4.0, 9.0, 5.5)))


def _superior_sagittal(p: Points, surfaces: Surfaces) -> Field:
    """Return the distance to the sinus under the vault, from the forehead to the confluence."""
    back = smooth_step(-p.y, -60.0, 90.0)
    height = np.float32(SINUS_FRONT_MM) + np.float32(SINUS_BACK_MM - SINUS_FRONT_MM) * back
    depth = outline("cavity")(p.y, p.z)
    walls = (height - depth - np.float32(1.1) * np.abs(p.x - np.float32(0.6) * surfaces.slow)) * np.float32(
        0.7
    )
    above = np.minimum(p.z - np.float32(0.25) * p.y - np.float32(4.0), np.float32(66.0) - p.y)
    behind = np.minimum(np.float32(-60.0) - p.y, p.z + np.float32(20.0))
    run = np.maximum(above, behind)
    sinus: Field = np.minimum(np.minimum(walls, depth), np.minimum(run, -tentorium_side(p) + 3))
    return sinus


def paint_cortical_vessels(canvas: Canvas, surfaces: Surfaces, folds: Field, person: Individual) -> None:
    """Paint vessels in the fluid over and between the gyri, where a sheet crosses the surface."""
    near = (np.abs(folds) < 2 * VESSEL_MM) & (surfaces.cavity > 0) & (surfaces.cavity < VESSEL_DEPTH_MM)
    with canvas.within(near) as (inner, index):
        p = inner.points
        # The folds, looked up elsewhere: unrelated to those that shape the cortex here.
        sheet = person.folds(p.y + 20, p.z, p.x + 50)
        # Not every sulcus shows one: where the slow field, looked up elsewhere, is low, they are too thin.
        calibre = np.float32(VESSEL_MM) * np.minimum(np.float32(0.1) + person.slow(p.z, p.x + 60, p.y), 1)
        inner.paint(Region.CORTICAL_VESSEL, calibre - root_of_squares(sheet, folds[index] + np.float32(0.4)))

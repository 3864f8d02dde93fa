"""Face and neck: nose, sinuses, mouth, throat, orbits, jaw, the spine and the bone of the skull base."""

from __future__ import annotations

import math

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.outlines import outline
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Box, Field, Points, ellipsoid, inflate, smooth_step, tube
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.head.surfaces import Surfaces

# Nodes (x, y, z, radius), MNI152 millimetres, mirrored to both sides.
INFERIOR_TURBINATE = ((8.0, 82.0, -57.0, 3.6), (8.5, 62.0, -57.0, 5.0), (8.0, 38.0, -56.0, 4.0))
MIDDLE_TURBINATE = ((6.5, 76.0, -47.0, 2.4), (7.0, 56.0, -46.0, 3.8), (6.5, 36.0, -46.0, 2.8))
SUPERIOR_TURBINATE = ((5.0, 62.0, -36.5, 1.8), (5.0, 38.0, -39.0, 2.2))
UPPER_TOOTH = ((0.0, 88.5, -70.0, 2.2), (0.0, 92.5, -82.0, 2.0))
LOWER_TOOTH = ((0.0, 85.0, -99.0, 2.0), (0.0, 89.5, -84.0, 1.7))
PETROUS = ((16.0, -16.0, -36.0, 5.0), (34.0, -28.0, -36.0, 8.0), (52.0, -38.0, -40.0, 12.0))
OPTIC_NERVE = ((31.0, 58.0, -30.0, 2.2), (15.0, 24.0, -24.0, 2.0))
MUCOSA_MM, BONE_MM = 1.4, 1.2
# The spine: the dens with the body of C2, then one body every LEVEL_MM.
DENS = ((0.0, -26.0, -71.0, 4.5), (0.0, -27.0, -84.0, 5.5), (0.0, -28.5, -97.0, 7.8))
FIRST_DISC_Z, LEVEL_MM, DISC_MM = -104.0, 18.0, 4.5
# Bodies stand in front of the canal, half as deep as this, and as wide.
BODY_HALF_DEPTH_MM, BODY_HALF_WIDTH_MM = 8.2, 10.0
VERTEBRA_CORTEX_MM = 1.1
LOWEST_Z = -215.0
# A newborn's sinuses are so much smaller on every side that most are missing.
NEWBORN_SINUS_MM = 9.0
# Where each group of shapes is looked for.
FRONT_BOX = Box(y=(-5.0, math.inf), z=(-math.inf, -15.0))
BASE_BOX = Box(y=(-60.0, 60.0), z=(-math.inf, -18.0))
SPINE_BOX = Box(y=(-math.inf, 5.0), z=(-math.inf, -62.0))
ORBIT_BOX = Box(side=(8.0, math.inf), y=(20.0, math.inf), z=(-52.0, math.inf))


def paint_face(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Paint everything below and in front of the skull cavity that has a shape of its own."""
    p = canvas.points
    smaller = np.float32(NEWBORN_SINUS_MM * subject.infancy)
    with canvas.within(FRONT_BOX.holds(p)) as (inner, index):
        _paint_orbits(inner)
        _paint_nose(inner, surfaces.strands[index], surfaces.slow[index], smaller)
        _paint_mouth(inner, surfaces.strands[index])
    with canvas.within(BASE_BOX.holds(p)) as (inner, index):
        _paint_skull_base(inner, surfaces.strands[index], smaller)
        _paint_throat(inner)
        _paint_jaw_joint(inner)
    with canvas.within(SPINE_BOX.holds(p)) as (inner, index):
        _paint_spine(inner, surfaces.canal[index])


def _paint_lined(canvas: Canvas, cave: Field, mucosa_mm: Field | float) -> None:
    """Paint an air space, the mucosa that lines it and the thin bone around."""
    canvas.paint(Region.AIR, cave - mucosa_mm)
    canvas.paint(Region.MUCOSA, cave)
    canvas.paint(Region.BONE, cave + np.float32(BONE_MM))


def _paint_nose(canvas: Canvas, strands: Field, slow: Field, smaller: np.float32) -> None:
    p = canvas.points
    m = p.mirrored()
    nostril = ellipsoid(m, (6.0, 99.0, -60.0), (2.6, 5.0, 4.5))
    canvas.paint(Region.AIR, nostril)
    width = np.float32(15.0) - np.float32(7.0) * smooth_step(p.y, 70.0, 92.0)
    cave = np.minimum(outline("nasal_cavity")(p.y, p.z), width - m.x)
    off_middle = np.abs(p.x - np.float32(1.1) * slow)  # few septa are straight
    septum = np.minimum(np.float32(2.0) + np.float32(0.5) * strands - off_middle, cave)
    canvas.paint(Region.CARTILAGE, np.minimum(septum, np.float32(0.9) - off_middle))
    canvas.paint(Region.MUCOSA, septum)
    conchae = np.maximum(tube(m, INFERIOR_TURBINATE), tube(m, MIDDLE_TURBINATE))
    conchae = np.maximum(conchae, tube(m, SUPERIOR_TURBINATE)) + np.float32(0.7) * strands
    canvas.paint(Region.BONE, conchae - np.float32(3.4))
    canvas.paint(Region.MUCOSA, np.minimum(conchae, cave))
    # Mucosa swells unevenly; the passages between are narrow.
    _paint_lined(canvas, cave, np.maximum(np.float32(MUCOSA_MM) * (1 + strands), np.float32(0.6)))
    _paint_lined(canvas, ellipsoid(m, (31.0, 54.0, -57.0), (12.0, 15.0, 15.0)) - smaller, 0.8)


def _paint_mouth(canvas: Canvas, strands: Field) -> None:
    p = canvas.points
    m = p.mirrored()
    x = np.abs(p.x)
    # Teeth stand on an arch: at the sides they are further back.
    arch = Points(np.zeros_like(p.x), p.y + np.float32(0.05) * x * x, p.z)
    teeth = np.maximum(tube(arch, UPPER_TOOTH), tube(arch, LOWER_TOOTH))
    canvas.paint(Region.BONE, np.minimum(teeth, np.float32(22.0) - x))
    jaw = outline("mandible")(arch.y, p.z)
    jaw = np.minimum(jaw, np.float32(40.0) - x)
    canvas.paint(Region.MARROW, jaw - np.float32(1.6))
    canvas.paint(Region.BONE, jaw)
    palate = np.minimum(outline("maxilla")(arch.y, p.z), np.float32(20.0) - x)
    canvas.paint(Region.MARROW, palate - np.float32(0.9))
    canvas.paint(Region.BONE, palate)
    canvas.paint(Region.MUCOSA, np.minimum(palate + 2, np.float32(-66.0) - p.z))
    soft = np.minimum(outline("soft_palate")(p.y, p.z), np.float32(14.0) - x)
    canvas.paint(Region.MUSCLE, soft - np.float32(1.2))
    canvas.paint(Region.MUCOSA, soft)
    tongue = inflate(outline("tongue")(p.y, p.z), p.x, 25.0, 16.0)
    # Fans of muscle and fat rise from the chin.
    fan = np.sin(np.float32(26.0) * np.arctan2(p.z + 120, p.y - 74) + np.float32(0.8) * strands)
    grain = np.float32(0.12) * smooth_step(fan + np.float32(0.7) * strands, -0.4, 1.6)
    canvas.cover(Region.FAT, grain * smooth_step(tongue, 0.0, 3.0) * smooth_step(p.z, -116.0, -108.0))
    canvas.paint(Region.TONGUE, tongue)
    slit = np.minimum(tongue + np.float32(1.7), np.minimum(p.z + np.float32(92.0), np.float32(24.0) - x))
    canvas.paint(Region.AIR, slit)
    canvas.paint(Region.AIR, ellipsoid(m, (0.0, 88.0, -83.0), (18.0, 9.0, 0.9)))


def _paint_throat(canvas: Canvas) -> None:
    p = canvas.points
    airway = inflate(outline("pharynx")(p.y, p.z), p.x, 13.0, 5.0)
    canvas.paint(Region.AIR, airway)
    canvas.paint(Region.MUCOSA, airway + np.float32(2.2))
    adenoid = ellipsoid(p, (0.0, 6.0, -53.0), (10.0, 8.0, 4.0))
    canvas.paint(Region.MUCOSA, adenoid)


def _paint_skull_base(canvas: Canvas, strands: Field, smaller: np.float32) -> None:
    p = canvas.points
    m = p.mirrored()
    sinus = np.minimum(outline("sphenoid_sinus")(p.y, p.z), np.float32(14.0) - m.x)
    _paint_lined(canvas, sinus + np.float32(0.6) * strands - smaller, 0.8)
    clivus = np.minimum(outline("clivus")(p.y, p.z), np.float32(13.0) - m.x)
    canvas.paint(Region.MARROW, clivus - np.float32(1.3) + np.float32(0.3) * strands)
    canvas.paint(Region.BONE, clivus)
    petrous = tube(m, PETROUS)
    # The mastoid is a sponge of air.
    cells = np.minimum(petrous - np.float32(2.0), (strands - np.float32(0.1)) * 2) - smaller
    canvas.paint(Region.AIR, np.minimum(cells, m.x - np.float32(36.0)))
    canvas.paint(Region.BONE, petrous)


def _paint_orbits(canvas: Canvas) -> None:
    m = canvas.points.mirrored()
    with canvas.within(ORBIT_BOX.holds(m)) as (inner, _):
        q = inner.points.mirrored()
        globe = ellipsoid(q, (31.0, 68.0, -30.0), (12.5, 12.5, 12.5))
        inner.paint(Region.LENS, ellipsoid(q, (31.0, 76.5, -30.0), (4.6, 2.2, 4.6)))
        inner.paint(Region.VITREOUS, globe - np.float32(1.2))
        inner.paint(Region.DURA, globe)
        inner.paint(Region.OPTIC_NERVE, tube(q, OPTIC_NERVE))
        for dx, dz in ((0.0, 11.0), (0.0, -11.0), (10.5, 0.0), (-10.5, 0.0)):
            front, apex = (31.0 + dx, 66.0, -30.0 + dz, 1.9), (19.0, 30.0, -26.0, 1.5)
            inner.paint(Region.EXTRAOCULAR_MUSCLE, tube(q, (front, (28.0 + dx, 52.0, -29.0 + dz, 2.6), apex)))
        inner.paint(Region.FAT, ellipsoid(q, (30.0, 58.0, -30.0), (17.0, 30.0, 16.0)))


def _paint_jaw_joint(canvas: Canvas) -> None:
    m = canvas.points.mirrored()
    ramus = ellipsoid(m, (48.0, 4.0, -74.0), (4.5, 14.0, 28.0))
    canvas.paint(Region.MARROW, ramus - np.float32(1.5))
    canvas.paint(Region.BONE, ramus)
    canvas.paint(Region.GLAND, ellipsoid(m, (50.0, -16.0, -70.0), (11.0, 10.0, 22.0)))


def _paint_spine(canvas: Canvas, canal: Field) -> None:
    """Paint vertebrae, discs, arches and the canal's wall, from C1 downwards."""
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
    canvas.paint(Region.MARROW, bones - np.float32(VERTEBRA_CORTEX_MM))
    canvas.paint(Region.BONE, bones)
    canvas.paint(Region.DISC, column)
    ring = canal + np.float32(1.6)
    canvas.paint(Region.DURA, np.minimum(ring, -canal + 1))

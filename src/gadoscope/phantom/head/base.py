"""The marrow of the skull base and the fat of the face, as far as a subject has them.

Without them a head's base is a dark rim over even muscle. In a real spin echo it is patchwork: marrow of
clivus, petrous apex, sphenoid and jaw, and fat around the globes, in the cheeks and between the muscles of
the jaw are the brightest things before contrast already.
"""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Box, Field, Points, ellipsoid, smooth_step, tube
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.head.surfaces import Surfaces

# Nodes (x, y, z, radius) and ellipsoids (centre, radii), MNI152 millimetres, mirrored to both sides.
PETROUS_APEX = ((15.0, -4.0, -40.0, 4.5), (24.0, -14.0, -37.0, 7.0), (36.0, -26.0, -36.0, 6.0))
# The inner ear, in bone without marrow, and the air cells around it.
INNER_EAR = ((34.0, -26.0, -35.0, 6.5), (54.0, -40.0, -38.0, 10.0))
SPHENOID_ROOT = ((17.0, 8.0, -46.0), (8.0, 9.0, 9.0))
GREATER_WING = ((36.0, 30.0, -34.0), (12.0, 7.0, 11.0))
CONDYLE = ((18.0, -30.0, -73.0), (6.5, 9.0, 6.0))
ATLAS = ((21.0, -34.0, -85.0), (8.0, 8.0, 5.5))
ZYGOMA = ((47.0, 56.0, -48.0), (9.0, 7.0, 8.0))
MASTOID = ((52.0, -40.0, -48.0), (10.0, 12.0, 14.0))
JAW_HEAD = ((47.0, -4.0, -50.0), (8.5, 4.5, 6.0))
CORTEX_MM = 1.2
MASTOID_CELLS_MM = 2.0

# Muscles of the jaw, dark between the fat: masseter, lateral and medial pterygoid, temporalis.
MASSETER = ((57.0, 16.0, -78.0), (7.5, 17.0, 25.0))
LATERAL_PTERYGOID = ((31.0, 14.0, -56.0), (13.0, 17.0, 8.0))
MEDIAL_PTERYGOID = ((32.0, 6.0, -80.0), (8.5, 13.0, 18.0))
TEMPORALIS = ((53.0, 20.0, -42.0), (7.5, 20.0, 24.0))
JAW_MUSCLES = (MASSETER, LATERAL_PTERYGOID, MEDIAL_PTERYGOID, TEMPORALIS)
# Fat: behind and around the globe, cheek, beside the pharynx, and the room of those muscles.
ORBIT = ((31.0, 56.0, -30.0), (19.0, 31.0, 19.0))
CHEEK = ((40.0, 46.0, -66.0), (11.0, 16.0, 18.0))
TEMPLE = ((50.0, 38.0, -28.0), (8.0, 14.0, 18.0))
PARAPHARYNGEAL = ((20.0, 2.0, -70.0), (5.5, 9.0, 18.0))
FAT_PADS = (ORBIT, CHEEK, TEMPLE, PARAPHARYNGEAL)
MUSCLE_ROOM = ((42.0, 10.0, -68.0), (24.0, 32.0, 34.0))
LACRIMAL_GLAND = ((42.0, 66.0, -20.0), (3.5, 6.5, 5.0))
# No fat lies in the bone under the brain.
BONE_UNDER_BRAIN_MM = 6.0
SKIN_MM, CHEEK_FAT_MM = 1.8, 9.0
# How far edges of muscles and pads wander.
WANDER_MM = 1.6
BASE_BOX = Box(y=(-65.0, 75.0), z=(-112.0, -15.0))
FACE_BOX = Box(y=(-45.0, np.inf), z=(-150.0, -5.0))


def paint_marrow(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Paint the bones of the base that hold marrow, in front of what an ordinary head has there."""
    if not subject.marrow:
        return
    with canvas.within(BASE_BOX.holds(canvas.points)) as (inner, index):
        m, strands = inner.points.mirrored(), surfaces.strands[index]
        outside = -surfaces.cavity[index]
        for shape in (SPHENOID_ROOT, GREATER_WING, CONDYLE, ATLAS, ZYGOMA, JAW_HEAD):
            _paint_bone(inner, np.minimum(_ellipsoid(m, shape), outside), strands)
        # The pyramid stands out into the cavity, between the middle and the posterior fossa.
        _paint_bone(inner, tube(m, PETROUS_APEX), strands)
        ear = tube(m, INNER_EAR) + np.float32(WANDER_MM) * strands
        inner.paint(
            Region.AIR, np.minimum(ear - np.float32(MASTOID_CELLS_MM), (strands - np.float32(0.4)) * 2)
        )
        inner.paint(Region.BONE, ear)
        mastoid = np.minimum(_ellipsoid(m, MASTOID) + np.float32(WANDER_MM) * strands, outside)
        cells = np.minimum(mastoid - np.float32(MASTOID_CELLS_MM), (np.abs(strands) - np.float32(0.7)) * 3)
        inner.paint(Region.AIR, np.minimum(cells, strands * 3))
        inner.paint(Region.MARROW, cells)


def _paint_bone(canvas: Canvas, bone: Field, strands: Field) -> None:
    canvas.paint(Region.MARROW, bone - np.float32(CORTEX_MM) + np.float32(0.4) * strands)
    canvas.paint(Region.BONE, bone)


def paint_facial_fat(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Paint the fat of the face and the muscles of the jaw in it, behind all that has a shape of its own."""
    if not subject.facial_fat:
        return
    with canvas.within(FACE_BOX.holds(canvas.points)) as (inner, index):
        here, m = surfaces.take(index), inner.points.mirrored()
        wander = np.float32(WANDER_MM) * here.strands
        outside = -here.cavity - np.float32(BONE_UNDER_BRAIN_MM)
        inside = here.skin - np.float32(SKIN_MM)
        inner.paint(Region.GLAND, np.minimum(_ellipsoid(m, LACRIMAL_GLAND), inside))
        for shape in JAW_MUSCLES:
            muscle = np.minimum(_ellipsoid(m, shape) + wander, np.minimum(outside, inside - 2))
            _paint_marbled(inner, muscle, here.strands)
        amount = np.float32(subject.facial_fat)
        for shape in FAT_PADS:
            pad = np.minimum(_ellipsoid(m, shape) + wander, np.minimum(outside, inside))
            inner.cover(Region.FAT, smooth_step(pad, -0.7, 0.7) * amount)
        room = np.minimum(_ellipsoid(m, MUSCLE_ROOM) + wander, np.minimum(outside, inside))
        uneven = np.clip(amount * (np.float32(0.8) + np.float32(0.4) * here.slow), 0, 1)
        inner.cover(Region.FAT, smooth_step(room, -0.7, 0.7) * uneven)
        height = smooth_step(-inner.points.z, 20.0, 45.0) * smooth_step(inner.points.z, -140.0, -115.0)
        cheek = np.float32(CHEEK_FAT_MM) * amount * height * (1 + np.float32(0.3) * here.slow)
        inner.paint(Region.FAT, np.minimum(inside, cheek - inside))


def _paint_marbled(canvas: Canvas, muscle: Field, strands: Field) -> None:
    """Paint a muscle with strands of fat in it."""
    part = smooth_step(muscle, -0.7, 0.7)
    canvas.cover(Region.FAT, part * np.float32(0.3) * smooth_step(strands, 0.6, 1.6))
    canvas.cover(Region.MUSCLE, part)


def _ellipsoid(p: Points, shape: tuple[tuple[float, ...], tuple[float, ...]]) -> Field:
    return ellipsoid(p, *shape)

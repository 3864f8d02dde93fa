"""The midline of the brain: callosum, ventricles, thalami, nuclei, pituitary, pineal gland, brainstem."""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.outlines import outline
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Box, Field, Points, ellipsoid, smooth_step, tube
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.head.surfaces import Surfaces, callosal_section

# Nodes (x, y, z, radius) in MNI152 millimetres; x is mirrored to both sides.
ATRIUM_AND_HORN = (
    (12.0, -26.0, 15.0, 5.0), (20.0, -38.0, 10.0, 6.0), (27.0, -44.0, 3.0, 6.0), (33.0, -34.0, -7.0, 3.5),
    (33.0, -14.0, -17.0, 2.5),
)  # fmt: skip
CHOROID = (
    (3.0, 1.0, 7.0, 1.0), (6.0, -8.0, 13.0, 1.3), (10.0, -18.0, 14.5, 1.6), (17.0, -31.0, 12.0, 2.2),
    (23.0, -40.0, 6.0, 3.6), (30.0, -36.0, -5.0, 1.6),
)  # fmt: skip
FORNIX = (
    (4.0, -36.0, 7.0, 1.7), (2.5, -28.0, 11.5, 1.8), (1.6, -14.0, 12.5, 1.9), (1.8, -3.0, 9.5, 1.8),
    (2.2, 2.5, 3.0, 1.5), (2.4, -2.0, -6.0, 1.2), (2.6, -9.0, -13.0, 1.2),
)  # fmt: skip
AQUEDUCT = ((0.0, -28.0, -4.0, 0.9), (0.0, -34.0, -11.0, 0.8), (0.0, -37.5, -24.0, 1.2))
STALK = ((0.0, -2.0, -18.0, 1.6), (0.0, 1.5, -27.0, 1.0))
CHIASM = ((0.0, 2.0, -18.5, 2.2), (7.0, 8.0, -19.5, 2.0), (15.0, 24.0, -24.0, 2.0))

# All of it but the cord lies in here.
MIDLINE_BOX = Box(side=(0.0, 42.0), y=(-62.0, 45.0), z=(-75.0, 40.0))
CORD_TOP_MM = -66.0


def paint_midline(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Paint everything between and below the hemispheres except the cerebellum."""
    with canvas.within(surfaces.canal > -canvas.width_mm) as (inner, _):
        cord = _brainstem(inner.points)
        inner.paint(Region.SPINAL_CORD, np.minimum(cord, np.float32(CORD_TOP_MM) - inner.points.z))
    p = canvas.points
    with canvas.within(MIDLINE_BOX.holds(p)) as (inner, index):
        _paint_sella(inner)
        _paint_ventricles(inner, surfaces.slow[index], np.float32(subject.ventricle_mm))
        _paint_nuclei(inner)
        inner.paint(Region.BRAINSTEM, _brainstem(inner.points))
        # What is left between the hemispheres here is fluid; to the sides it is white matter.
        core = np.minimum(
            outline("core")(inner.points.y, inner.points.z), np.float32(4.2) - np.abs(inner.points.x)
        )
        inner.paint(Region.CSF, np.minimum(core, inner.points.z + np.float32(9.0)))


def _paint_sella(canvas: Canvas) -> None:
    p = canvas.points
    m = p.mirrored()
    canvas.paint(Region.POSTERIOR_PITUITARY, ellipsoid(p, (0.0, -3.0, -31.5), (3.0, 1.9, 2.6)))
    canvas.paint(Region.ANTERIOR_PITUITARY, ellipsoid(p, (0.0, 2.5, -31.5), (7.5, 5.5, 3.6)))
    canvas.paint(Region.ANTERIOR_PITUITARY, tube(p, STALK))
    canvas.paint(Region.OPTIC_NERVE, tube(m, CHIASM))
    canvas.paint(Region.PINEAL_GLAND, ellipsoid(p, (0.0, -36.5, 2.0), (3.0, 3.8, 2.4)))


def _paint_ventricles(canvas: Canvas, slow: Field, wider: np.float32) -> None:
    p = canvas.points
    section = callosal_section(p)
    m = p.mirrored()
    canvas.paint(Region.CHOROID_PLEXUS, tube(m, CHOROID) + np.float32(0.35) * slow)
    canvas.paint(Region.CHOROID_PLEXUS, ellipsoid(m, (2.0, -42.5, -46.0), (3.0, 1.2, 3.0)))
    canvas.paint(
        Region.CHOROID_PLEXUS, tube(m, ((1.0, 2.0, 5.0, 0.7), (1.0, -14.0, 9.0, 0.8), (1.0, -26.0, 5.5, 0.7)))
    )
    canvas.paint(Region.FORNIX, tube(m, FORNIX))
    canvas.paint(Region.CORPUS_CALLOSUM, np.minimum(outline("callosum")(*section), np.float32(16.0) - m.x))
    # The septum pellucidum parts the two bodies; they lean outwards and close towards the sides.
    body = outline("lateral_ventricle")(*section) + wider * np.float32(0.8)
    half_width = np.float32(5.0) + wider
    sideways = (m.x - np.float32(5.5) - np.float32(0.14) * np.maximum(5 - p.y, 0)) / half_width
    upright = 1 - np.minimum(body, np.float32(5.0)) / np.float32(5.0)
    body = (1 - np.sqrt(np.maximum(sideways, 0) ** 2 + upright**2)) * np.float32(5.0)
    lateral = np.maximum(body, tube(m, ATRIUM_AND_HORN) + wider * np.float32(0.6))
    canvas.paint(Region.VENTRICLE, np.minimum(lateral, m.x - np.float32(0.7)))
    canvas.paint(Region.FORNIX, np.minimum(outline("lateral_ventricle")(*section), np.float32(0.7) - m.x))
    third = np.minimum(outline("third_ventricle")(p.y, p.z), np.float32(1.9) + wider * np.float32(0.5) - m.x)
    adhesion = ellipsoid(p, (0.0, -11.0, 1.0), (7.0, 3.4, 3.0))
    canvas.paint(Region.THALAMUS, np.minimum(adhesion, third + 2))
    canvas.paint(Region.VENTRICLE, third)
    fourth = outline("fourth_ventricle")(p.y, p.z)
    canvas.paint(
        Region.VENTRICLE, np.minimum(fourth, np.float32(7.0) - m.x - np.float32(0.5) * np.abs(p.z + 38))
    )
    canvas.paint(Region.VENTRICLE, tube(p, AQUEDUCT))


def _paint_nuclei(canvas: Canvas) -> None:
    p = canvas.points
    m = p.mirrored()
    canvas.paint(Region.THALAMUS, ellipsoid(m, (10.0, -17.0, 4.5), (8.8, 14.5, 8.2)))
    canvas.paint(Region.STRIATUM, ellipsoid(m, (12.5, 14.0, 5.0), (5.0, 11.0, 9.0)))
    canvas.paint(
        Region.STRIATUM, tube(m, ((14.0, 6.0, 13.0, 3.5), (17.0, -14.0, 19.0, 2.2), (22.0, -30.0, 14.0, 1.5)))
    )
    canvas.paint(Region.PALLIDUM, ellipsoid(m, (19.5, -3.0, -1.0), (4.5, 8.5, 5.5)))
    canvas.paint(Region.STRIATUM, ellipsoid(m, (26.0, 2.0, 1.0), (5.5, 16.5, 9.5)))
    hypothalamus = np.minimum(outline("hypothalamus")(p.y, p.z), np.float32(8.0) - m.x)
    canvas.paint(Region.HYPOTHALAMUS, hypothalamus)
    canvas.paint(Region.HYPOTHALAMUS, ellipsoid(m, (3.2, -11.0, -16.0), (2.8, 2.8, 2.6)))


def _brainstem(p: Points) -> Field:
    """Return the distance to midbrain, pons, medulla and cord."""
    x = np.abs(p.x)
    # Half-widths down the stem: peduncles 16, pons 18, medulla 9, cord 6.5 mm.
    pons = np.float32(16.0) + np.float32(2.0) * smooth_step(-p.z, 12.0, 26.0)
    medulla = pons - np.float32(9.0) * smooth_step(-p.z, 40.0, 52.0)
    half_width = medulla - np.float32(2.5) * smooth_step(-p.z, 60.0, 75.0)
    flat = outline("brainstem")(p.y, p.z)
    rounded = np.float32(7.0)
    u = 1 - np.minimum(flat, rounded) / rounded
    solid: Field = (1 - np.sqrt((x / half_width) ** 2 + u * u)) * rounded
    # Between the peduncles lies a cistern.
    notch = np.minimum(np.float32(4.0) - x, p.y + np.float32(23.0))
    notch = np.minimum(notch, np.minimum(p.z + np.float32(20.0), np.float32(-8.0) - p.z))
    stem: Field = np.minimum(solid, -notch)
    return stem

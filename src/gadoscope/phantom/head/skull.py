"""Skull and scalp: bone with its marrow, the fat and the skin over it, muscle where there is no skull."""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.individual import Individual
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, ellipsoid, fraction_inside, smooth_step
from gadoscope.phantom.head.surfaces import Surfaces

SKIN_MM = 1.8
INNER_TABLE_MM, OUTER_TABLE_MM = 1.6, 1.7
# The brow is thick bone around the frontal sinus.
BROW, BROW_MM, BROW_REACH_MM = (78.0, -9.0), 7.5, 10.0
TEMPORALIS_MM = 6.0
# A newborn's frontal sinus is so much smaller on every side: it has none.
NEWBORN_SINUS_MM = 9.0
# Fat under the skin for a scalp of the usual thickness.
NAPE_FAT_MM, FACE_FAT_MM, USUAL_SCALP_FAT_MM = 6.0, 3.0, 5.5


def paint_skull_and_scalp(canvas: Canvas, surfaces: Surfaces, person: Individual) -> None:
    """Paint what remains of the head, from the skull outwards."""
    p = canvas.points
    outside = -surfaces.cavity
    thickness = _skull_thickness(canvas, surfaces, person)
    canvas.paint(Region.SKIN, np.float32(SKIN_MM) - surfaces.skin)
    frontal_sinus = ellipsoid(p, (0.0, 81.0, -9.0), (15.0, 3.6, 8.5)) + np.float32(0.8) * surfaces.strands
    frontal_sinus = frontal_sinus - np.float32(NEWBORN_SINUS_MM * person.subject.infancy)
    canvas.paint(Region.AIR, frontal_sinus)
    vault = np.maximum(smooth_step(p.z, -16.0, -6.0), smooth_step(-p.y, 55.0, 70.0))
    if person.subject.marrow:  # in the base as well, here more, there less
        base = np.float32(person.subject.marrow) * (1 + np.float32(0.6) * surfaces.slow)
        vault = np.maximum(vault, np.clip(base, 0, 1))
    diploe = np.minimum(
        outside - np.float32(INNER_TABLE_MM), thickness - np.float32(OUTER_TABLE_MM) - outside
    )
    diploe = np.minimum(diploe + np.float32(0.25) * surfaces.strands, -frontal_sinus - np.float32(1.2))
    canvas.cover(Region.MARROW, fraction_inside(diploe, canvas.width_mm) * vault)
    canvas.paint(Region.BONE, thickness - outside)
    # The temporal muscle thins upwards, forwards and backwards.
    muscle = smooth_step(-p.z, -45.0, -10.0) * smooth_step(p.y, -40.0, -5.0) * smooth_step(-p.y, -58.0, -30.0)
    muscle = np.float32(TEMPORALIS_MM) * muscle * smooth_step(np.abs(p.x), 38.0, 52.0)
    canvas.paint(Region.MUSCLE, thickness + muscle - outside - np.float32(0.4))
    _paint_soft_tissue(canvas, surfaces, person, outside - thickness)


def _skull_thickness(canvas: Canvas, surfaces: Surfaces, person: Individual) -> Field:
    p = canvas.points
    brow2 = (p.y - np.float32(BROW[0])) ** 2 + (p.z - np.float32(BROW[1])) ** 2
    brow = np.float32(BROW_MM) * np.exp(brow2 * np.float32(-0.5 / BROW_REACH_MM**2))
    thin_at_temples = np.float32(2.0) * smooth_step(np.abs(p.x), 45.0, 62.0)
    return np.float32(person.subject.skull_mm) + np.float32(0.7) * surfaces.slow + brow - thin_at_temples


def _paint_soft_tissue(canvas: Canvas, surfaces: Surfaces, person: Individual, from_skull: Field) -> None:
    """Paint fat over the vault, and under it layers of fat and muscle with strands of fat between."""
    p = canvas.points
    low = np.float32(-24.0) - np.float32(18.0) * smooth_step(-p.y, 40.0, 90.0)
    vault = smooth_step(p.z - low, -9.0, 9.0)
    # The galea: a dark line between the scalp's fat and the bone.
    galea = np.float32(0.7) - np.abs(from_skull - np.float32(1.2))
    canvas.cover(Region.DURA, fraction_inside(galea, canvas.width_mm) * vault * np.float32(0.5))
    canvas.cover(Region.FAT, vault)
    with canvas.within(vault < 1) as (inner, index):
        _paint_muscle(inner, surfaces.take(index), person)


def _paint_muscle(canvas: Canvas, surfaces: Surfaces, person: Individual) -> None:
    """Paint fat under the skin of face and neck, and muscle marbled along its length below."""
    p = canvas.points
    nape = smooth_step(-p.y, 55.0, 90.0)
    under_skin = np.float32(FACE_FAT_MM) + np.float32(NAPE_FAT_MM - FACE_FAT_MM) * nape
    under_skin = under_skin * np.float32(person.subject.scalp_fat_mm / USUAL_SCALP_FAT_MM) + surfaces.slow
    canvas.paint(Region.FAT, under_skin + np.float32(SKIN_MM) - surfaces.skin)
    # Muscles run up and down behind the spine, from front to back in the face.
    behind = smooth_step(-p.y, 20.0, 50.0)
    along, across = p.z + np.float32(0.3) * p.y, p.y - np.float32(0.3) * p.z
    run = np.float32(0.30) + np.float32(0.3) * (1 - behind)
    marble = person.strands(p.x * np.float32(1.1), across * (np.float32(1.4) - run), along * run)
    fat = smooth_step(marble, 0.5, 2.2) * np.float32(0.55) + smooth_step(
        marble + surfaces.slow, 1.6, 2.2
    ) * np.float32(0.4)
    canvas.cover(Region.FAT, np.minimum(fat, np.float32(0.9)))
    canvas.fill(Region.MUSCLE)

"""Huge ventricles: lateral and third wide in all planes, the brain around them a thin mantle."""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, Points, ellipsoid, fraction_inside, smooth_union, tube
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.head.surfaces import Surfaces, tentorium_side

# Body, occipital and temporal horn of the widest lateral ventricle: centre and radii, mirrored, mm.
BODY = ((20.0, -4.0, 26.0), (40.0, 68.0, 40.0))
OCCIPITAL_HORN = ((28.0, -60.0, 12.0), (28.0, 38.0, 26.0))
TEMPORAL_HORN = ((40.0, -14.0, -20.0), (13.0, 28.0, 12.0))
THIRD = ((0.0, -12.0, 0.0), (9.0, 19.0, 17.0))
# A mild one is so much narrower on each side, and its horns meet so smoothly.
NARROWER_MM, BLEND_MM = 22.0, 14.0
# What is left of the brain: thin where the ventricle is widest, thicker over a milder one.
LEAST_MANTLE_MM, MILD_MANTLE_MM = 6.0, 26.0
# Thalami and basal ganglia carry the floor; the septum is thin, and torn in the widest.
DEEP_NUCLEI = ((14.0, -8.0, -2.0), (21.0, 36.0, 15.0))
FLOOR_MM, SEPTUM_MM, SEPTUM_SHARE, TORN = 9.0, 1.2, 0.5, 0.7
CALLOSUM_MM, CALLOSUM_SIDE_MM = 2.2, 20.0
CHOROID = ((4.0, 0.0, 10.0, 1.6), (10.0, -16.0, 13.0, 2.4), (20.0, -36.0, 8.0, 4.2), (30.0, -34.0, -6.0, 2.2))


def paint_hydrocephalus(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Paint the ventricles of a subject who has them huge; what is painted later fills what they leave."""
    if not subject.hydrocephalus:
        return
    p = canvas.points
    m = p.mirrored()
    milder = np.float32(1 - subject.hydrocephalus)
    lateral = _lateral(m, milder) + np.float32(1.5) * surfaces.slow
    usual = np.float32(LEAST_MANTLE_MM) + np.float32(MILD_MANTLE_MM - LEAST_MANTLE_MM) * milder
    mantle = usual * (1 + np.float32(0.25) * surfaces.slow)
    lateral = np.minimum(lateral, np.minimum(surfaces.cavity - mantle, -tentorium_side(p) - mantle / 2))
    lateral = np.minimum(lateral, -ellipsoid(m, *DEEP_NUCLEI) - np.float32(1.5) * surfaces.strands)
    canvas.paint(
        Region.CHOROID_PLEXUS, np.minimum(tube(m, CHOROID) + np.float32(0.4) * surfaces.slow, lateral + 3)
    )
    if subject.hydrocephalus < TORN:
        septum = SEPTUM_SHARE * np.maximum(1 - m.x / np.float32(SEPTUM_MM), 0).astype(np.float32)
        canvas.cover(Region.FORNIX, fraction_inside(lateral, canvas.width_mm) * septum)
    canvas.paint(Region.VENTRICLE, lateral)
    third = ellipsoid(p, *THIRD) - np.float32(5.0) * milder
    canvas.paint(Region.VENTRICLE, np.minimum(third, surfaces.cavity - 2))
    callosum = np.minimum(lateral + np.float32(CALLOSUM_MM), np.float32(CALLOSUM_SIDE_MM) - m.x)
    canvas.paint(Region.CORPUS_CALLOSUM, np.minimum(callosum, p.z - np.float32(FLOOR_MM)))


def _lateral(m: Points, milder: np.float32) -> Field:
    """Return the distance to the lateral ventricle of the mirrored points."""
    horns = smooth_union(ellipsoid(m, *BODY), ellipsoid(m, *OCCIPITAL_HORN), BLEND_MM)
    whole = smooth_union(horns, ellipsoid(m, *TEMPORAL_HORN), BLEND_MM)
    narrowed: Field = whole - np.float32(NARROWER_MM) * milder
    return narrowed

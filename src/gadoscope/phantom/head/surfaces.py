"""The great surfaces that everything else is measured from: skin, skull cavity, tentorium, spinal canal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.head.outlines import outline
from gadoscope.phantom.head.shapes import (
    Box,
    Field,
    Points,
    ellipsoid,
    inflate,
    smooth_step,
    smooth_union,
    tube,
)

# Half-widths and roundness of head and skull cavity in MNI152 space, mm.
CRANIUM_HALF_WIDTH, NECK_HALF_WIDTH, HEAD_ROUNDNESS = 84.0, 62.0, 76.0
CAVITY_HALF_WIDTH, CAVITY_ROUNDNESS = 71.0, 64.0
# A cut through a head is squarer than an ellipse.
SQUARENESS = 2.4
# The middle fossae, which no midline shows.
MIDDLE_FOSSA, MIDDLE_FOSSA_RADII = (36.0, -6.0, -24.0), (26.5, 36.0, 22.0)
FOSSA_BLEND = 12.0
# How the callosum sweeps: mm per squared mm from the midline, as far as its fibres can be told apart.
SWEEP_ALONG, SWEEP_UP, SWEEP_MM = 0.024, 0.010, 20.0
# Where the canal is looked for; further off only that it is far is known.
FAR_MM = 30.0
CANAL_BOX = Box(side=(0.0, FAR_MM), y=(-math.inf, 0.0), z=(-math.inf, -45.0))
CANAL = (
    (0.0, -41.5, -62.0, 11.0),
    (0.0, -44.0, -80.0, 10.0),
    (0.0, -46.5, -110.0, 8.5),
    (0.0, -48.0, -215.0, 8.0),
)


@dataclass(frozen=True)
class Surfaces:
    """Signed distances (mm, positive inside) and fields at the points of one canvas, each (n,) float32."""

    skin: Field
    cavity: Field
    canal: Field
    slow: Field
    strands: Field

    def take(self, index: NDArray[np.intp]) -> Surfaces:
        """Return the same at the points ``index``."""
        return Surfaces(
            self.skin[index], self.cavity[index], self.canal[index], self.slow[index], self.strands[index]
        )


def head_surface(p: Points) -> Field:
    """Return the distance to the skin."""
    flat = outline("head")(p.y, p.z)
    # The face is narrower than the cranium, the neck more so; nose, lips and chin narrow to the front.
    below = smooth_step(-p.z, 25.0, 115.0)
    half_width = CRANIUM_HALF_WIDTH - (CRANIUM_HALF_WIDTH - NECK_HALF_WIDTH) * below
    pointed = 1 + np.float32(1.6) * smooth_step(p.y, 84.0, 106.0) * smooth_step(-p.z, 8.0, 30.0)
    return inflate(flat, p.x * pointed, half_width, HEAD_ROUNDNESS, SQUARENESS)


def cavity_surface(p: Points) -> Field:
    """Return the distance to the inner face of the skull."""
    main = inflate(outline("cavity")(p.y, p.z), p.x, CAVITY_HALF_WIDTH, CAVITY_ROUNDNESS, SQUARENESS)
    fossa = ellipsoid(p.mirrored(), MIDDLE_FOSSA, MIDDLE_FOSSA_RADII)
    return smooth_union(main, fossa, FOSSA_BLEND)


def spinal_canal(p: Points) -> Field:
    """Return the distance to the wall of the spinal canal; far from it, only that it is far."""
    distance = np.full_like(p.x, -FAR_MM)
    near = np.flatnonzero(CANAL_BOX.holds(p))
    distance[near] = tube(p.take(near), CANAL)
    return distance


def callosal_section(p: Points) -> tuple[Field, Field]:
    """Return the (y, z) that a point has in the midline section of the callosum.

    Away from the midline the callosum's fibres sweep forwards from the genu, backwards from the splenium
    and upwards from the body, and the ventricles with them.
    """
    off_middle = np.minimum(p.x * p.x, np.float32(SWEEP_MM) ** 2)
    ends = np.clip((p.y + np.float32(5.0)) / np.float32(30.0), -1, 1)
    return p.y - np.float32(SWEEP_ALONG) * off_middle * ends, p.z - np.float32(SWEEP_UP) * off_middle


def tentorium_side(p: Points) -> Field:
    """Return the distance to the tentorium, positive in the posterior fossa below it."""
    x = np.abs(p.x)
    height = np.float32(2.0) + np.float32(0.36) * (p.y + np.float32(46.0)) - np.float32(0.30) * x
    below = (height - p.z) * np.float32(0.9)
    behind = (np.float32(-16.0) - np.float32(0.55) * x - p.y) * np.float32(0.85)
    side: Field = np.minimum(below, behind)
    return side

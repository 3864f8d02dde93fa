"""The head as a whole: where a point of the scanner lies in it, and which regions fill a voxel there.

Anatomy is evaluated at points, never stored as a volume: a sagittal slab and a whole volume of one
subject show the same head, and a few slices cost only themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.head.base import paint_facial_fat, paint_marrow
from gadoscope.phantom.head.brain import paint_brain
from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.conversion import convert
from gadoscope.phantom.head.face import paint_face
from gadoscope.phantom.head.individual import Individual
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, Points, fraction_inside
from gadoscope.phantom.head.skull import paint_skull_and_scalp
from gadoscope.phantom.head.subject import FEATURES, Subject
from gadoscope.phantom.head.surfaces import Surfaces, cavity_surface, head_surface, spinal_canal

# Points are worked on in blocks whose temporaries stay in a core's cache.
BLOCK = 32768
THICKEST_SCALP_MM, USUAL_SKULL_MM = 8.0, 6.75
# An adult's face is so much higher than a newborn's, below this height and as far down as this.
NEWBORN_FACE, FACE_TOP_MM, FACE_MM = 0.7, -24.0, 90.0


class Head:
    """The anatomy of one subject, to be asked at any points.

    Parameters
    ----------
    subject
        Whose head it is.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._person = Individual(subject)
        self._to_head = subject.rotation.T / np.asarray(subject.scale)[:, None]

    def to_template(self, positions_mm: NDArray[np.floating]) -> Points:
        """Return where scanner positions (n, 3), RAS+ millimetres, lie in the template head."""
        moved = np.asarray(positions_mm, np.float64) - np.asarray(self.subject.shift_mm)
        # Written out: a matrix product would wake the threads of a linear algebra library.
        px, py, pz = moved[:, 0], moved[:, 1], moved[:, 2]
        x, y, z = ((a * px + b * py + c * pz).astype(np.float32) for a, b, c in self._to_head)
        dx, dy, dz = np.zeros_like(x), np.zeros_like(y), np.zeros_like(z)
        for kx, ky, kz, phase, ax, ay, az in self.subject.waves.astype(np.float32):
            wave = np.sin(kx * x + ky * y + kz * z + phase)
            dx += ax * wave
            dy += ay * wave
            dz += az * wave
        for (_, (cy, cz), reach, _), shift in zip(FEATURES, self.subject.features, strict=True):
            near = ((y - np.float32(cy)) ** 2 + (z - np.float32(cz)) ** 2) * np.float32(-0.5 / reach**2)
            dy -= np.float32(shift) * np.exp(near)
        if self.subject.infancy:
            below = np.clip(z - np.float32(FACE_TOP_MM), -np.float32(FACE_MM), 0)
            dz += np.float32(NEWBORN_FACE * self.subject.infancy) * below
        return Points(x + dx, y + dy, z + dz)

    def fractions(self, positions_mm: NDArray[np.floating], width_mm: float) -> dict[Region, Field]:
        """Return how much of each voxel each region fills.

        Parameters
        ----------
        positions_mm
            Centres of the voxels, (n, 3), RAS+ millimetres of the scanner.
        width_mm
            Width of a voxel: edges are smeared over it.

        Returns
        -------
        dict
            Region to float32 (n,), 0 to 1; every voxel adds up to 1. Regions nowhere met are absent.
        """
        n = len(positions_mm)
        whole: dict[Region, Field] = {}
        for start in range(0, n, BLOCK):
            block = slice(start, min(start + BLOCK, n))
            for region, part in self._paint(positions_mm[block], width_mm).items():
                whole.setdefault(region, np.zeros(n, np.float32))[block] = part
        return whole

    def _paint(self, positions_mm: NDArray[np.floating], width_mm: float) -> dict[Region, Field]:
        # The template is larger than the head, and so is a voxel in it.
        width = width_mm / float(np.mean(self.subject.scale))
        canvas = Canvas(self.to_template(positions_mm), width)
        # The template wears the thickest scalp; a thinner one brings the skin nearer to the skull.
        thinner = THICKEST_SCALP_MM - self.subject.scalp_fat_mm
        if self.subject.infancy:  # a thin skull leaves no more room for fat
            thinner += USUAL_SKULL_MM - self.subject.skull_mm
        skin = head_surface(canvas.points) - np.float32(thinner)
        with canvas.within(skin > -width) as (inner, index):
            p = inner.points
            inside = fraction_inside(skin[index], width)
            inner.cover(Region.AIR, 1 - inside)  # the voxel's part outside the skin
            surfaces = Surfaces(
                skin=skin[index],
                cavity=cavity_surface(p),
                canal=spinal_canal(p),
                slow=self._person.slow(*p),
                strands=self._person.strands(*p),
            )
            paint_marrow(inner, surfaces, self.subject)
            paint_brain(inner, surfaces, self._person)
            paint_face(inner, surfaces, self.subject)
            paint_facial_fat(inner, surfaces, self.subject)
            paint_skull_and_scalp(inner, surfaces, self._person)
            convert(inner, surfaces, self.subject)
        canvas.fill(Region.AIR)
        return canvas.fractions

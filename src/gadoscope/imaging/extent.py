"""Whether what a volume covers can be a head, told from its size alone, before pixels are believed.

A network that was shown heads has an answer for a joint or a mouse too. Their scans are small: fitted to
a coil of some centimetres. So are slabs through a pituitary or an inner ear, which are told by being fine:
nobody narrows the field of view for coarse pixels, and nobody takes four slices of a canal.

References
----------
ICRP Publication 89 (2002), reference masses: a newborn's brain weighs 380 g, an adult's 1.3 to 1.45 kg
"""

import math

import numpy as np

from gadoscope.imaging.volume import Geometry

SMALLEST_HEAD_LITRES = 0.5
"""Of a volume's box. A newborn's brain alone has 0.36 litres, and its box 0.8."""
WHOLE_SECTION_MM = 180.0
"""Of the longer side in the plane: the whole head lies in it, so few slices of it are enough."""
SMALLEST_STACK_MM = 130.0
"""Of the longer side of thick slices: a newborn's head is 120 long, and is scanned with some air around it.
Thin ones may have been cropped to the brain."""
THICK_RATIO = 2.0
"""Slices this much further apart than pixels are a stack, not a volume."""
UNKNOWN_SPACING_MM = 1.0
"""In both directions of the plane exactly: what programs write that do not know it."""

NARROWEST_SLAB_MM = 150.0
"""Of the longer side of a slab through a part of the head: inner ears, orbits and pituitaries are scanned in
160 to 200 mm, wrists and ankles in 80 to 145."""
COARSEST_SLAB_PIXEL_MM = 1.25
"""160 mm in 128 pixels, the coarsest matrix that anyone narrows the field of view for."""
FEWEST_SLAB_SLICES = 8
"""A pituitary takes 8 to 16 of 2 to 3 mm, an inner ear 12 to 40 of 1; fewer through a joint are a survey."""
SMALLEST_PART_MM = 100.0
"""Of the longer side where a header names a part of the head: rodents are scanned in 60 mm and less."""


def find_extent_mm(geometry: Geometry) -> tuple[float, float, float]:
    """Return the sides of a volume's box: through the slices, along the rows' index, along the columns'."""
    through, down, right = (n * mm for n, mm in zip(geometry.shape, geometry.spacing_mm, strict=True))
    return through, down, right


def is_too_small(geometry: Geometry, *, is_part: bool = False) -> bool:
    """Return whether no head fits; a single slice, whose thickness says nothing, and unknown sizes pass.

    Parameters
    ----------
    geometry
        Of the volume; millimetres.
    is_part
        Whether a header names the head or a part of it, so that a small field of view is meant.
    """
    n_slices = geometry.shape[0]
    spacing_mm = geometry.spacing_mm
    if n_slices == 1 or np.allclose(spacing_mm[1:], UNKNOWN_SPACING_MM, rtol=0, atol=1e-6):
        return False
    sides_mm = find_extent_mm(geometry)
    longest_mm = max(sides_mm[1:])
    if is_part:
        return longest_mm < SMALLEST_PART_MM
    is_stack = spacing_mm[0] >= THICK_RATIO * max(spacing_mm[1:])
    if is_stack and longest_mm < SMALLEST_STACK_MM:
        return True
    litres = math.prod(sides_mm) / 1e6
    if litres >= SMALLEST_HEAD_LITRES or longest_mm >= WHOLE_SECTION_MM:
        return False
    is_slab = longest_mm >= NARROWEST_SLAB_MM and n_slices >= FEWEST_SLAB_SLICES
    return not (is_slab and max(spacing_mm[1:]) <= COARSEST_SLAB_PIXEL_MM)

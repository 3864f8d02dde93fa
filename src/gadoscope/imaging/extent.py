"""Whether what a volume covers can be a head, told from its size alone, before pixels are believed.

A network that was shown heads has an answer for a joint or a mouse too. Their scans are small: fitted to
a coil of some centimetres.

References
----------
ICRP Publication 89 (2002), reference masses: a newborn's brain weighs 380 g, an adult's 1.3 to 1.45 kg
"""

import math

import numpy as np

from gadoscope.imaging.volume import Geometry

SMALLEST_HEAD_LITRES = 0.5
"""Of a volume's box. A newborn's brain alone has 0.36 litres, and its box 0.8; of an adult's pituitary, the
smallest part that is scanned alone, the box has 0.6 and more (160 x 160 x 27 mm)."""
WHOLE_SECTION_MM = 180.0
"""Of the longer side in the plane: the whole head lies in it, so few slices of it are enough."""
SMALLEST_STACK_MM = 130.0
"""Of the longer side of thick slices: a newborn's head is 120 long, and is scanned with some air around it.
Thin ones may have been cropped to the brain."""
THICK_RATIO = 2.0
"""Slices this much further apart than pixels are a stack, not a volume."""
UNKNOWN_SPACING_MM = 1.0
"""In both directions of the plane exactly: what programs write that do not know it."""


def find_extent_mm(geometry: Geometry) -> tuple[float, float, float]:
    """Return the sides of a volume's box: through the slices, along the rows' index, along the columns'."""
    through, down, right = (n * mm for n, mm in zip(geometry.shape, geometry.spacing_mm, strict=True))
    return through, down, right


def is_too_small(geometry: Geometry) -> bool:
    """Return whether no head fits; a single slice, whose thickness says nothing, and unknown sizes pass."""
    n_slices = geometry.shape[0]
    spacing_mm = geometry.spacing_mm
    if n_slices == 1 or np.allclose(spacing_mm[1:], UNKNOWN_SPACING_MM, rtol=0, atol=1e-6):
        return False
    sides_mm = find_extent_mm(geometry)
    longest_mm = max(sides_mm[1:])
    is_stack = spacing_mm[0] >= THICK_RATIO * max(spacing_mm[1:])
    if is_stack and longest_mm < SMALLEST_STACK_MM:
        return True
    litres = math.prod(sides_mm) / 1e6
    return litres < SMALLEST_HEAD_LITRES and longest_mm < WHOLE_SECTION_MM

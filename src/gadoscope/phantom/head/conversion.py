"""What a tissue has turned into in a subject: marrow into fat or blood-forming, white matter unmyelinated.

Shapes stay those of every head; what fills them changes from place to place.
"""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, Points, smooth_step
from gadoscope.phantom.head.subject import Subject
from gadoscope.phantom.head.surfaces import Surfaces

# Fatty marrow is patchy until nothing else is left.
PATCHES = 0.5
# What has myelin at birth lies around here, within the first reach, and less and less up to the second.
EARLY_MYELIN, EARLY_MM, LATE_MM = (0.0, -22.0, -12.0), 18.0, 46.0
LATE_WHITE_MATTER = (Region.WHITE_MATTER, Region.CORPUS_CALLOSUM, Region.CEREBELLAR_WHITE_MATTER)


def convert(canvas: Canvas, surfaces: Surfaces, subject: Subject) -> None:
    """Turn what was painted into what this subject has there instead."""
    if subject.marrow:
        share = subject.marrow + PATCHES * subject.marrow * (1 - subject.marrow) * surfaces.strands
        canvas.turn(Region.MARROW, Region.FATTY_MARROW, np.clip(share, 0, 1).astype(np.float32))
    if subject.infancy:
        everywhere = np.full(len(canvas.points.x), subject.infancy, np.float32)
        canvas.turn(Region.MARROW, Region.RED_MARROW, everywhere)
        unmyelinated = np.float32(subject.infancy) * _distance_from_early_myelin(canvas.points)
        for region in LATE_WHITE_MATTER:
            canvas.turn(region, Region.UNMYELINATED_WHITE_MATTER, unmyelinated)


def _distance_from_early_myelin(p: Points) -> Field:
    """Return 0 where white matter is myelinated at birth, 1 where it is last."""
    from_early = [axis - np.float32(at) for axis, at in zip(p, EARLY_MYELIN, strict=True)]
    return smooth_step(np.sqrt(sum(axis * axis for axis in from_early)), EARLY_MM, LATE_MM)

"""A mass in the white matter: ring-enhancing, solid or not enhancing, with its oedema."""

from __future__ import annotations

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, ellipsoid
from gadoscope.phantom.head.subject import Lesion, LesionKind
from gadoscope.phantom.head.surfaces import Surfaces

# The living rim around a dead core, part of the radius; how far the edge wanders, part of the radius.
RIM, UNEVEN = 0.26, 0.16


def paint_lesion(canvas: Canvas, lesion: Lesion, surfaces: Surfaces, folds: Field) -> None:
    """Paint the mass and its oedema; it stays inside the brain."""
    radius = lesion.radius_mm
    uneven = np.float32(UNEVEN * radius) * (surfaces.slow + np.float32(0.4) * surfaces.strands)
    mass = ellipsoid(canvas.points, lesion.centre, (radius, radius * 1.1, radius * 0.95)) + uneven
    mass = np.minimum(mass, folds + np.float32(1.0))
    if lesion.kind is LesionKind.RING:
        rim = np.float32(RIM * radius) * (1 + np.float32(0.4) * surfaces.strands)
        canvas.paint(Region.LESION_CORE, mass - np.maximum(rim, 1))
        canvas.paint(Region.LESION_RIM, mass)
    elif lesion.kind is LesionKind.SOLID:
        canvas.paint(Region.LESION_SOLID, mass)
    else:
        canvas.paint(Region.LESION_NON_ENHANCING, mass)
    # Oedema follows the white matter and spares the cortex.
    swollen = np.minimum(mass + np.float32(lesion.oedema_mm) + uneven, folds - np.float32(3.0))
    canvas.paint(Region.OEDEMA, swollen)

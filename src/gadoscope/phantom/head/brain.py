"""What lies inside the skull: vessels, midline, brainstem, cerebellum, cerebrum, its fluid, and a mass."""

from __future__ import annotations

import math

import numpy as np

from gadoscope.phantom.head.canvas import Canvas
from gadoscope.phantom.head.hydrocephalus import paint_hydrocephalus
from gadoscope.phantom.head.individual import Individual
from gadoscope.phantom.head.midline import paint_midline
from gadoscope.phantom.head.outlines import outline
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, Points, ellipsoid, root_of_squares, smooth_union, tube
from gadoscope.phantom.head.subject import Lesion, LesionKind
from gadoscope.phantom.head.surfaces import Surfaces, callosal_section, tentorium_side
from gadoscope.phantom.head.vessels import paint_cortical_vessels, paint_great_vessels

# Millimetres in MNI152 space. Cortex: Fischl B, Dale AM. PNAS 2000;97:11050-11055 (mean 2.5 mm).
CORTEX_MM, FOLIUM_CORTEX_MM = 2.7, 1.5
# Fluid and membranes between the inner table and the gyral crowns; between the hemispheres.
CONVEXITY_GAP_MM, MIDLINE_GAP_MM = 2.0, 0.5
DURA_MM = 0.9
# Of a mass, part of its radius: the living rim around a dead core; how far the edge wanders.
RIM, UNEVEN = 0.26, 0.16
# Folds are looked up on a sphere around each hemisphere's middle: a power below 1 lets sulci run on
# towards the middle (perpendicular to the surface) yet not be straight spokes.
HEMISPHERE, SPHERE_MM, SPOKE = (24.0, -18.0, 12.0), 62.0, 0.4
# Pituitary and cavernous sinuses lie below the floor that the cavity shows at the midline.
SELLA, SELLA_RADII = (0.0, 0.0, -32.0), (18.0, 13.0, 9.0)
# So far along x that left and right folds are unrelated.
OTHER_SIDE_MM = 97.0
SULCUS_DEPTH_MM, SULCUS_DEPTH_SPREAD_MM = 13.0, 5.0
# No sulcus is looked for deeper than this, nor further outside.
DEEPEST_MM, FURTHEST_OUTSIDE_MM, SMALL_DEPTH_MM = 32.0, 2.0, 3.0
# How far the folds wander from their field, so that no sulcus runs straight.
WANDER_MM = 4.0
# Named sulci of the medial face as (y, z) chains: parieto-occipital, calcarine.
PARIETO_OCCIPITAL = ((0.0, -60.0, 8.0, 0.0), (0.0, -72.0, 28.0, 0.0), (0.0, -85.0, 52.0, 0.0))
CALCARINE = (
    (0.0, -46.0, -2.0, 0.0),
    (0.0, -62.0, 8.0, 0.0),
    (0.0, -84.0, 3.0, 0.0),
    (0.0, -104.0, -2.0, 0.0),
)
MEDIAL_SULCUS_REACH_MM, CINGULATE_FROM_CALLOSUM_MM = 14.0, 11.0
# The fan of the cerebellum: its hub (y, z), lobules per half-turn, how near to the hub fissures come;
# folia on the lobules: their distance and depth.
HUB, LOBULES, LOBULE_REACH_MM = (-51.0, -36.0), 5.5, 8.0
FOLIUM_MM, FOLIUM_DEPTH_MM = 4.2, 1.8


def paint_brain(canvas: Canvas, surfaces: Surfaces, person: Individual) -> None:
    """Paint all that lies inside the dura and the spinal canal, the dura included."""
    sac = np.maximum(surfaces.cavity, surfaces.canal - np.float32(1.5))
    sella = ellipsoid(canvas.points, SELLA, SELLA_RADII)
    with canvas.within(np.maximum(sac, sella) > -canvas.width_mm) as (inner, index):
        here, inside = surfaces.take(index), sac[index]
        # Nothing in here may show through the bone around it.
        inner_limit = _Limited(inner, inside)
        paint_hydrocephalus(inner, here, person.subject)  # deep vessels that it displaces are not drawn
        paint_great_vessels(inner, here)
        folds = cerebral_folds(inner.points, here, person)
        if person.subject.lesion is not None:
            _paint_lesion(inner, person.subject.lesion, here, folds)
        paint_midline(inner, here, person.subject)
        _paint_cerebellum(inner, here)
        paint_cortical_vessels(inner, here, folds, person)
        inner_limit.paint(Region.WHITE_MATTER, folds - np.float32(CORTEX_MM))
        inner_limit.paint(Region.CORTEX, folds)
        _paint_membranes(inner, here)
        inner.paint(Region.CSF, inside)


class _Limited:
    """Paints shapes cut off at a limit."""

    def __init__(self, canvas: Canvas, limit: Field) -> None:
        self.canvas, self.limit = canvas, limit

    def paint(self, region: Region, distance: Field) -> None:
        self.canvas.paint(region, np.minimum(distance, self.limit))


def cerebral_folds(p: Points, surfaces: Surfaces, person: Individual) -> Field:
    """Return the depth under the folded surface of the cerebrum, mm; negative in fluid and outside."""
    x = np.abs(p.x + np.float32(0.7) * surfaces.slow)  # the falx is never quite straight
    callosum = outline("callosum")(*callosal_section(p))
    # The cisterns under the midbrain, which the temporal lobes face with cortex.
    cistern = np.minimum(outline("core")(p.y, p.z), np.minimum(np.float32(19.0) - x, np.float32(-8.0) - p.z))
    hull = np.minimum(surfaces.cavity - np.float32(CONVEXITY_GAP_MM), -tentorium_side(p) - np.float32(1.5))
    hull = np.minimum(hull, x - np.float32(MIDLINE_GAP_MM))
    hull = np.minimum(hull, -cistern)
    # The cingulate gyrus faces the callosum; further out the callosum runs into the white matter.
    hull = np.minimum(hull, np.float32(1.5) * np.maximum(x - np.float32(5.0), 0) - callosum - np.float32(0.8))
    depth: Field = hull.copy()
    index = np.flatnonzero((hull > -FURTHEST_OUTSIDE_MM) & (hull < DEEPEST_MM))
    near = p.take(index)
    depth[index] = _carve(near, surfaces.take(index), hull[index], x[index], callosum[index], person)
    return depth


def _carve(
    p: Points, surfaces: Surfaces, hull: Field, x: Field, callosum: Field, person: Individual
) -> Field:
    """Cut sulci into the hull."""
    gap = np.float32(person.subject.sulcus_mm)
    side = np.where(p.x < 0, np.float32(-1), np.float32(1))
    rel = (
        p.x - side * np.float32(HEMISPHERE[0]),
        p.y - np.float32(HEMISPHERE[1]),
        p.z - np.float32(HEMISPHERE[2]),
    )
    radius = np.maximum(np.sqrt(rel[0] ** 2 + rel[1] ** 2 + rel[2] ** 2), np.float32(12.0))
    stretch = (np.float32(SPHERE_MM) / radius) ** np.float32(SPOKE)
    # The slow field again, at half its wavelength.
    wander = np.float32(WANDER_MM) * person.slow(p.x + 30, 2 * p.y, 2 * p.z)
    q = (
        rel[0] * stretch + side * np.float32(OTHER_SIDE_MM),
        rel[1] * stretch + wander,
        rel[2] * stretch - wander * surfaces.slow,
    )
    sulcus = np.abs(person.folds(*q)) / stretch
    small = np.abs(person.small_folds(*q)) / stretch
    limit = np.float32(SULCUS_DEPTH_MM) + np.float32(SULCUS_DEPTH_SPREAD_MM) * np.clip(surfaces.slow, -1, 1)
    # A sulcus opens a little towards the surface.
    open_mm = gap * (1 + np.float32(0.8) * np.exp(-np.maximum(hull, 0) / np.float32(4.0)))
    depth = np.minimum(hull, root_of_squares(sulcus, np.maximum(hull - limit, 0)) - open_mm)
    shallow = np.maximum(hull - np.float32(SMALL_DEPTH_MM) * (1 + surfaces.slow), 0)
    depth = np.minimum(depth, root_of_squares(small, shallow) - gap * np.float32(0.6))
    carved: Field = np.minimum(depth, _named_sulci(p, surfaces, x, callosum) - gap)
    return carved


def _named_sulci(p: Points, surfaces: Surfaces, x: Field, callosum: Field) -> Field:
    """Return the distance to the sulci that every brain has: cingulate, calcarine, Sylvian and so on."""
    flat = Points(np.zeros_like(p.x), p.y + 2 * surfaces.slow, p.z + 2 * surfaces.slow)
    beyond = np.maximum(x - np.float32(MEDIAL_SULCUS_REACH_MM), 0)
    cingulate = np.abs(callosum + np.float32(CINGULATE_FROM_CALLOSUM_MM) + np.float32(1.8) * surfaces.slow)
    cingulate = cingulate + 3 * np.maximum(np.float32(-6.0) - p.z, 0)  # it ends under the genu
    cingulate = cingulate + 3 * np.maximum(outline("core")(p.y, p.z) + 2, 0)  # and stays above the callosum
    medial = np.minimum(
        -tube(flat, PARIETO_OCCIPITAL, reach_mm=math.inf), -tube(flat, CALCARINE, reach_mm=math.inf)
    )
    medial = root_of_squares(np.minimum(medial, cingulate), beyond)
    sylvian = p.z + 2 * surfaces.slow + np.float32(6.0) + np.float32(0.42) * (p.y - np.float32(8.0))
    ends = np.maximum(np.maximum(p.y - np.float32(24.0), np.float32(-48.0) - p.y), 0)
    lateral = np.sqrt(sylvian**2 + np.maximum(np.float32(37.0) - x, 0) ** 2 + ends**2) - np.float32(0.5)
    nearest: Field = np.minimum(medial, lateral)
    return nearest


def _paint_cerebellum(canvas: Canvas, surfaces: Surfaces) -> None:
    p = canvas.points
    mirrored = p.mirrored()
    # The hemispheres fill the posterior fossa but for the cistern in front; the vermis lies between them.
    front = np.float32(-36.0) - np.float32(0.25) * mirrored.x - p.y
    lobes = np.minimum(front, mirrored.x - np.float32(9.0) - np.float32(0.4) * np.maximum(p.z + 20, 0))
    hull = smooth_union(outline("cerebellum")(p.y, p.z), lobes, 6.0)
    hull = np.minimum(hull, tentorium_side(p) - np.float32(1.2))
    hull = np.minimum(hull, surfaces.cavity - np.float32(CONVEXITY_GAP_MM + 0.5))
    peduncle = tube(mirrored, ((14.0, -28.0, -32.0, 8.0), (24.0, -46.0, -36.0, 6.5)))
    canvas.paint(Region.CEREBELLAR_WHITE_MATTER, peduncle)
    with canvas.within(hull > -canvas.width_mm) as (inner, index):
        depth = _carve_folia(inner.points, surfaces.slow[index], surfaces.strands[index], hull[index])
        inner.paint(Region.CEREBELLAR_WHITE_MATTER, depth - np.float32(FOLIUM_CORTEX_MM))
        inner.paint(Region.CEREBELLAR_CORTEX, depth)


def _carve_folia(p: Points, slow: Field, strands: Field, hull: Field) -> Field:
    """Cut the fissures between lobules, and the finer ones between folia, as a fan around the hub."""
    y, z = np.float32(HUB[0]) - p.y, p.z - np.float32(HUB[1])
    radius = root_of_squares(y, z)
    angle = np.arctan2(z, y) + np.float32(0.10) * slow + np.float32(0.004) * np.abs(p.x)
    turn = np.float32(LOBULES) * angle + np.float32(0.25) * strands
    lobule = np.abs(np.sin(turn)) * radius / np.float32(LOBULES)
    # Every other fissure goes deep.
    reach = np.float32(LOBULE_REACH_MM) + np.float32(6.0) * np.cos(turn * np.float32(0.5) + slow) ** 2
    lobule = root_of_squares(lobule, np.maximum(reach - radius, 0))
    # Folia leave the lobule's axis sideways, like barbs of a feather.
    barb = np.float32(2 * np.pi / FOLIUM_MM) * (radius + np.float32(0.9) * lobule) + np.float32(0.8) * strands
    folium = np.abs(np.sin(barb * np.float32(0.5))) * np.float32(FOLIUM_MM / np.pi)
    depth = np.minimum(lobule, hull) - np.float32(FOLIUM_DEPTH_MM)
    folium = root_of_squares(folium, np.maximum(depth, 0))
    carved: Field = np.minimum(np.minimum(hull, lobule - np.float32(0.5)), folium - np.float32(0.22))
    return carved


def _paint_membranes(canvas: Canvas, surfaces: Surfaces) -> None:
    """Paint the dura: its lining of the skull, the falx and the tentorium."""
    p = canvas.points
    lining = np.float32(DURA_MM) - np.abs(surfaces.cavity - np.float32(DURA_MM / 2))
    callosum = outline("callosum")(*callosal_section(p))
    side = tentorium_side(p)
    # The falx hangs further down behind than in front.
    above = -callosum - np.float32(12.0) - np.float32(0.12) * (p.y + np.float32(40.0))
    falx = np.minimum(
        np.float32(0.45) - np.abs(p.x + np.float32(0.7) * surfaces.slow), np.minimum(above, -side)
    )
    tent = np.minimum(np.float32(0.5) - np.abs(side + np.float32(0.2)), surfaces.cavity)
    canvas.paint(Region.DURA, np.maximum(np.maximum(falx, tent), lining))


def _paint_lesion(canvas: Canvas, lesion: Lesion, surfaces: Surfaces, folds: Field) -> None:
    """Paint a mass, ring-enhancing, solid or not, and its oedema; it stays inside the brain."""
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

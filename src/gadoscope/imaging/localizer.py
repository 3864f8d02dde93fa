"""A localizer, told by where its slices lie: few, in several planes or far apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from gadoscope.imaging.geometry import PLANES
from gadoscope.labels import Plane

MOST_SLICES = 15
"""In each plane. No T1 of a head has so few in all three planes at once: at a distance of 5 mm they cover
half of it. Three-plane localizers have 1 to 15, far apart."""
FAR_MM = 10.0
"""From slice to slice: no T1 of a head is acquired so in two planes at once; localizers have 10 to 40 mm."""
MOST_FAR_SLICES = 9
"""In each of two planes, that far apart."""
MOST_SCOUT_SLICES, FEWEST_SCOUT_SLICES = 5, 3
"""In one plane alone; two slices may be anything."""
SCOUT_THICKNESS_MM = 4.5
"""Thinner slices far apart were chosen from a volume."""
SCOUT_GAP = 2.0
"""Distance of a lone plane's slices, in thicknesses: the gap is as wide as a slice. Five slices of 5 mm at
10 mm show a third of a head, which no T1 is acquired for."""


@dataclass(frozen=True)
class StackExtent:
    """Parallel slices of a series.

    Parameters
    ----------
    plane, n_slices
        As their names say.
    distance_mm
        From slice to slice; ``None`` of a single one.
    """

    plane: Plane
    n_slices: int
    distance_mm: float | None = None

    @property
    def is_far_apart(self) -> bool:
        """Return whether they are few and far apart, or one."""
        is_apart = self.distance_mm is None or self.distance_mm >= FAR_MM
        return is_apart and self.n_slices <= MOST_FAR_SLICES


def is_localizer(stacks: Iterable[StackExtent]) -> bool:
    """Return whether stacks of slices are a localizer: few in all three planes, or far apart in two."""
    found = list(stacks)
    planes = {stack.plane for stack in found}
    if planes >= set(PLANES):
        return all(stack.n_slices <= MOST_SLICES for stack in found)
    return len(planes & set(PLANES)) > 1 and all(stack.is_far_apart for stack in found)


def is_scout(n_slices: int, distance_mm: float, thickness_mm: float) -> bool:
    """Return whether slices of one plane, acquired one after the other, are a localizer by themselves."""
    is_few = FEWEST_SCOUT_SLICES <= n_slices <= MOST_SCOUT_SLICES
    is_sparse = distance_mm >= max(FAR_MM, SCOUT_GAP * thickness_mm)
    return is_few and is_sparse and thickness_mm >= SCOUT_THICKNESS_MM

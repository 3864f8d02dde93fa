"""A localizer, told by where its slices lie: a few in each of the three planes, in one series."""

from collections.abc import Iterable

from gadoscope.imaging.geometry import PLANES
from gadoscope.labels import Plane

MOST_SLICES = 15
"""In each plane. No T1 of a head has so few in all three planes at once: at a distance of 5 mm they cover
half of it. Three-plane localizers have 1 to 15, far apart."""


def is_localizer(stacks: Iterable[tuple[Plane, int]]) -> bool:
    """Return whether stacks of slices, each given as its plane and its number of slices, are a localizer."""
    found = list(stacks)
    return {plane for plane, _ in found} >= set(PLANES) and all(n <= MOST_SLICES for _, n in found)

"""A painter that works from front to back: what is painted first hides what comes later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field, Points, fraction_inside


class Canvas:
    """How much of each voxel belongs to each region.

    Parameters
    ----------
    points
        Centres of the voxels.
    width_mm
        Over which an edge is smeared: about a voxel.
    """

    def __init__(self, points: Points, width_mm: float) -> None:
        self.points = points
        self.width_mm = width_mm
        self.fractions: dict[Region, Field] = {}
        self._left: Field = np.ones(len(points.x), np.float32)

    def paint(self, region: Region, distance: Field) -> None:
        """Give ``region`` what is still free inside ``distance`` (positive inside, mm)."""
        # Most shapes miss most blocks; a look is cheaper than painting nothing.
        if distance.max(initial=-np.inf) > -self.width_mm / 2:
            self.cover(region, fraction_inside(distance, self.width_mm))

    def cover(self, region: Region, part: Field) -> None:
        """Give ``region`` the ``part`` (0 to 1) of what is still free."""
        taken = self._left * part
        self._left = self._left - taken
        if region in self.fractions:
            self.fractions[region] += taken
        else:
            self.fractions[region] = taken

    def turn(self, region: Region, into: Region, share: Field) -> None:
        """Let the ``share`` (0 to 1) of what ``region`` has be ``into`` instead."""
        if region in self.fractions:
            turned = self.fractions[region] * share
            self.fractions[region] = self.fractions[region] - turned
            self.fractions[into] = self.fractions[into] + turned if into in self.fractions else turned

    def fill(self, region: Region) -> None:
        """Give ``region`` all that is left."""
        self.cover(region, np.ones_like(self._left))

    @contextmanager
    def within(self, mask: NDArray[np.bool_]) -> Iterator[tuple[Canvas, NDArray[np.intp]]]:
        """Yield a canvas of the points in ``mask`` and their indices; what it gains comes back here."""
        index = np.flatnonzero(mask)
        inner = Canvas(self.points.take(index), self.width_mm)
        inner._left = self._left[index]
        yield inner, index
        self._left[index] = inner._left
        for region, taken in inner.fractions.items():
            if region in self.fractions:
                self.fractions[region][index] += taken
            else:
                whole = self.fractions[region] = np.zeros_like(self._left)
                whole[index] = taken

"""Smooth random fields: the folds of the cortex, the strands of muscle, the unevenness of a coil."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fftfreq, irfftn, rfftfreq, rfftn
from scipy.ndimage import map_coordinates

from gadoscope.phantom.head.shapes import Field

# 64 cells of 3.2 mm repeat after 205 mm, more than a brain is long: no fold is seen twice.
LATTICE = 64
CELL_MM = 3.2
# Width of the band of wavelengths, as a part of the middle one: narrow enough that folds keep their distance.
BANDWIDTH = 0.35
# Sheets bend and meet where the field is flat; this part of its mean slope stands in there.
LEAST_SLOPE = 0.45


class Noise:
    """A periodic field of one dominant wavelength, mean 0, standard deviation 1.

    Parameters
    ----------
    wavelength_mm
        Of the dominant waves.
    generator
        Where the field's only randomness comes from.
    as_sheets
        True turns the field into the distance, in millimetres, to its own zero surface.
    """

    def __init__(
        self, wavelength_mm: float, generator: np.random.Generator, *, as_sheets: bool = False
    ) -> None:
        white = generator.standard_normal((LATTICE, LATTICE, LATTICE), np.float32)
        values = irfftn(rfftn(white) * _band(wavelength_mm), s=white.shape)
        values /= values.std()
        if as_sheets:
            slope = np.sqrt(sum(_slope(values, axis) ** 2 for axis in range(3)))
            values /= np.maximum(slope, np.float32(LEAST_SLOPE) * slope.mean())
        self._values: NDArray[np.float32] = values

    def __call__(self, x: Field, y: Field, z: Field) -> Field:
        """Return the field at points in millimetres, linear between lattice points."""
        at = np.stack([x, y, z]) * np.float32(1 / CELL_MM)
        found: Field = map_coordinates(self._values, at, order=1, mode="grid-wrap", output=np.float32)
        return found


@cache
def _band(wavelength_mm: float) -> NDArray[np.float32]:
    """Return how much of each spatial frequency the field keeps, on the lattice of a real transform."""
    frequency = fftfreq(LATTICE, CELL_MM)
    kx, ky, kz = np.meshgrid(frequency, frequency, rfftfreq(LATTICE, CELL_MM), indexing="ij", sparse=True)
    k = np.sqrt(kx**2 + ky**2 + kz**2) * wavelength_mm
    band = np.exp(-0.5 * ((k - 1) / BANDWIDTH) ** 2)
    band[0, 0, 0] = 0
    return band.astype(np.float32)


def _slope(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the periodic central difference along ``axis``, per millimetre."""
    difference: NDArray[np.float32] = np.roll(values, -1, axis) - np.roll(values, 1, axis)
    return difference / np.float32(2 * CELL_MM)

"""An acquisition: one head in one scanner becomes images, before and after the injection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.head.regions import Region
from gadoscope.phantom.head.shapes import Field
from gadoscope.phantom.head.subject import NOISE
from gadoscope.phantom.physics.scanner import Scanner

# A thick slice is the mean of thin ones, no further apart than this.
SUBSLICE_MM = 2.0
# Middle of the field of view against the origin, mm RAS+: an image of a head shows face and throat too.
VIEW_MIDDLE_MM = (0.0, -14.0, -22.0)
# Row, column and slice directions of each plane, as patients are shown: LPS+ (DICOM PS3.3 C.7.6.2.1.1).
DIRECTIONS = {
    Plane.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)),
    Plane.AXIAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    Plane.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}
LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
PHASE_NUMBER = {Phase.PRE_CONTRAST: 0, Phase.POST_CONTRAST: 1}


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a series lie.

    Parameters
    ----------
    shape
        Voxels as (slice, row, column).
    affine
        (4, 4): index (slice, row, column) to LPS+ millimetres.
    slice_mm
        Thickness of a slice, which may be less than their distance.
    plane
        Orientation of the slices.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    slice_mm: float
    plane: Plane

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Return the distance of neighbours along (slice, row index, column index)."""
        between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between[0]), float(between[1]), float(between[2])

    def slice_positions(self, index: float) -> NDArray[np.float64]:
        """Return the RAS+ positions (row * column, 3) of slice ``index``, which may lie between slices."""
        row, column = (np.arange(n, dtype=float) for n in self.shape[1:])
        origin = self.affine[:3, 3] + index * self.affine[:3, 0]
        down = row[:, None, None] * self.affine[:3, 1]
        across = column[None, :, None] * self.affine[:3, 2]
        positions: NDArray[np.float64] = ((origin + down + across) * LPS_TO_RAS).reshape(-1, 3)
        return positions


@dataclass(frozen=True)
class Acquisition:
    """One series of one subject.

    Parameters
    ----------
    phase
        Before or after the injection.
    grid
        Where its voxels lie.
    signal
        Magnitudes, float32 (slice, row, column); full white matter before contrast is 1.
    regions
        What each voxel mostly is, uint8 (slice, row, column), values of ``Region``.
    """

    phase: Phase
    grid: Grid
    signal: NDArray[np.float32]
    regions: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What one scan of a head shows.

    Parameters
    ----------
    levels
        Signal of a voxel full of each region.
    scanner
        Whose coil, blur and noise it has.
    stream
        Number of its noise: each scan of a subject has its own.
    """

    levels: Mapping[Region, float]
    scanner: Scanner
    stream: int


def make_grid(
    scanner: Scanner,
    *,
    plane: Plane,
    n_slices: int,
    slice_gap_mm: float,
    matrix: int,
    slice_shift_mm: float = 0.0,
) -> Grid:
    """Return the grid of ``n_slices`` around the middle of the head.

    Parameters
    ----------
    scanner
        Gives thickness, field of view and its offset.
    plane
        Orientation of the slices.
    n_slices
        How many.
    slice_gap_mm
        From one slice's middle to the next one's.
    matrix
        Rows, and columns, of a slice.
    slice_shift_mm
        How far the middle slice lies from the middle of the field of view, towards the last slice.
    """
    pixel = scanner.field_of_view_mm / matrix
    row, column, normal = (np.asarray(d) for d in DIRECTIONS[plane])
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = normal * slice_gap_mm, column * pixel, row * pixel
    middle = (np.asarray(VIEW_MIDDLE_MM) + np.asarray(scanner.view_offset_mm)) * LPS_TO_RAS
    middle = middle + normal * slice_shift_mm
    half = (np.array([n_slices, matrix, matrix]) - 1) / 2
    affine[:3, 3] = middle - affine[:3, :3] @ half
    return Grid((n_slices, matrix, matrix), affine, scanner.slice_mm, plane)


def acquire(head: Head, scanner: Scanner, grid: Grid, phases: Sequence[Phase]) -> list[Acquisition]:
    """Scan ``head`` once per phase; the anatomy is the same, so only what enhances differs.

    Parameters
    ----------
    head
        Who lies in the scanner.
    scanner
        Its settings; with infinite ``signal_to_noise`` and no blur the images are exact.
    grid
        Where the voxels lie.
    phases
        Which images to take, in this order.
    """
    injections = {Phase.PRE_CONTRAST: None, Phase.POST_CONTRAST: head.subject.injection}
    unit = scanner.region_signal(Region.WHITE_MATTER, None)
    exposures = [
        Exposure(
            levels={region: scanner.region_signal(region, injections[phase]) / unit for region in Region},
            scanner=scanner,
            stream=PHASE_NUMBER[phase],
        )
        for phase in phases
    ]
    signals, regions = expose(head, grid, exposures)
    return [Acquisition(phase, grid, signal, regions) for phase, signal in zip(phases, signals, strict=True)]


def expose(
    head: Head, grid: Grid, exposures: Sequence[Exposure]
) -> tuple[list[NDArray[np.float32]], NDArray[np.uint8]]:
    """Return the signal of each scan, float32 (slice, row, column), and the region of each voxel.

    The anatomy is painted once, whatever the number of scans.
    """
    signals = [np.empty(grid.shape, np.float32) for _ in exposures]
    regions = np.empty(grid.shape, np.uint8)
    for index in range(grid.shape[0]):
        fractions = _slice_fractions(head, grid, index)
        regions[index] = _largest(fractions).reshape(grid.shape[1:])
        positions = grid.slice_positions(index)
        coils = {
            one.scanner.coil: one.scanner.sensitivity(positions).reshape(grid.shape[1:]) for one in exposures
        }
        for signal, one in zip(signals, exposures, strict=True):
            clean = sum(np.float32(one.levels[r]) * part for r, part in fractions.items())
            image = np.asarray(clean, np.float32).reshape(grid.shape[1:]) * coils[one.scanner.coil]
            signal[index] = _measure(image, one.scanner, head, (one.stream, index))
    return signals, regions


def _slice_fractions(head: Head, grid: Grid, index: int) -> dict[Region, Field]:
    """Return the regions' parts in the voxels of one slice: the mean over thin slices within it."""
    n = max(1, round(grid.slice_mm / SUBSLICE_MM))
    width = grid.spacing_mm[1]
    offsets = ((np.arange(n) + 0.5) / n - 0.5) * grid.slice_mm / grid.spacing_mm[0]
    total: dict[Region, Field] = {}
    for offset in offsets:
        for region, part in head.fractions(grid.slice_positions(index + float(offset)), width).items():
            total[region] = total[region] + part / np.float32(n) if region in total else part / np.float32(n)
    return total


def _largest(fractions: dict[Region, Field]) -> NDArray[np.uint8]:
    """Return the region that fills most of each voxel."""
    order = sorted(fractions)
    best = fractions[order[0]].copy()
    largest = np.full(best.shape, order[0], np.uint8)
    for region in order[1:]:
        more = fractions[region] > best
        largest[more] = region
        np.maximum(best, fractions[region], out=best)
    return largest


def _measure(
    image: NDArray[np.float32], scanner: Scanner, head: Head, stream: tuple[int, int]
) -> NDArray[np.float32]:
    """Blur a slice by the point spread and add Rician noise.

    References
    ----------
    Gudbjartsson H, Patz S. The Rician distribution of noisy MRI data. Magn Reson Med 1995;34:910-914.
    """
    if scanner.blur_px > 0:
        image = gaussian_filter(image, scanner.blur_px)
    if np.isinf(scanner.signal_to_noise):
        return image
    # A generator's fastest float32 normals; each slice of each phase has its own stream.
    generator = head.subject.generator(NOISE, *stream)
    real, imaginary = generator.standard_normal((2, *image.shape), np.float32) / np.float32(
        scanner.signal_to_noise
    )
    magnitude: NDArray[np.float32] = np.hypot(image + real, imaginary)
    return magnitude


def window(pixels: NDArray[np.float32], scanner: Scanner) -> NDArray[np.uint8]:
    """Return ``pixels`` as 8-bit grey, as a technologist would show them."""
    top = float(np.percentile(pixels, scanner.window_percentile)) * scanner.window_taste
    shown = np.clip(pixels * np.float32(255 / max(top, 1e-6)), 0, 255)
    grey: NDArray[np.uint8] = (shown + np.float32(0.5)).astype(np.uint8)
    return grey

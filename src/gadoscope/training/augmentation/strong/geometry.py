"""Where each pixel of a distorted slice comes from: one mapping a slice, one resampling a batch.

Positions are as in ``torch.nn.functional.grid_sample`` without aligned corners: (x, y), x along columns,
-1 and 1 the outer edges of the image. So a canvas and the smaller image made of it share one frame.
"""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gadoscope.training.augmentation.strong.draws import Draws

WHOLE = 1.0
"""Half the side of the whole canvas: a window of this size shows all of it."""


@dataclass(frozen=True)
class Mapping:
    """Where a position of the result lies in the canvas: ``matrix @ position + offset``.

    ``window`` is what is left of the canvas, all else is black: centre and half sides, (x, y) each.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    window: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def draw_mapping(draws: Draws) -> Mapping:
    """Draw one slice's flips, turns, rotation, shear, zoom, translation and crop."""
    matrix = _draw_matrix(draws)
    offset = np.zeros(2)
    if draws.meets("translation"):
        # 2 is the side of the image in this frame.
        offset += 2 * draws.generator("translation").uniform(-1, 1, 2) * draws.reach("translation")
    if not draws.meets("crop"):
        return Mapping(matrix, offset)
    generator = draws.generator("crop")
    half = WHOLE - draws.reach("crop") * generator.random(2)
    centre = generator.uniform(half - WHOLE, WHOLE - half)
    # The image path pads a crop to a square: the longer side fills the image.
    return Mapping(matrix * half.max(), offset * half.max() + centre, (centre, half))


def _draw_matrix(draws: Draws) -> NDArray[np.float64]:
    matrix = np.eye(2)
    if draws.meets("zoom"):
        matrix *= _draw_factor(draws, "zoom")
    if draws.meets("aspect"):
        stretch = math.sqrt(_draw_factor(draws, "aspect"))
        matrix = np.diag([stretch, 1 / stretch]) @ matrix
    if draws.meets("shear"):
        matrix = np.array([[1.0, math.tan(_draw_angle(draws, "shear"))], [0.0, 1.0]]) @ matrix
    if draws.meets("rotation"):
        angle = _draw_angle(draws, "rotation")
        matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ matrix
    if draws.meets("whole_turn"):
        quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
        matrix = np.linalg.matrix_power(quarter, int(draws.generator("whole_turn").integers(1, 4))) @ matrix
    if draws.meets("horizontal_flip"):
        matrix = np.diag([-1.0, 1.0]) @ matrix
    if draws.meets("vertical_flip"):
        matrix = np.diag([1.0, -1.0]) @ matrix
    return matrix


def _draw_factor(draws: Draws, effect: str) -> float:
    """Return a factor between 1 / (1 + range) and 1 + range, as likely above 1 as below."""
    limit = math.log1p(draws.reach(effect))
    return math.exp(draws.generator(effect).uniform(-limit, limit))


def _draw_angle(draws: Draws, effect: str) -> float:
    return math.radians(draws.generator(effect).uniform(-1, 1) * draws.reach(effect))


def resize_plainly(canvases: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Return the canvases at ``size`` pixels, antialiased as Pillow's BILINEAR, not rounded."""
    pixels = torch.from_numpy(canvases.astype(np.float32))[:, None]
    resized = functional.interpolate(
        pixels, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return cast(NDArray[np.float32], resized[:, 0].numpy())


def crop(image: NDArray[np.float32], mapping: Mapping) -> None:
    """Blacken in place what lies outside the mapping's window, to the nearest pixel."""
    if mapping.window is None:
        return
    centre, half = mapping.window
    edges = np.rint((np.array([centre - half, centre + half]) + WHOLE) / 2 * len(image)).astype(int)
    (left, top), (right, bottom) = edges.tolist()
    image[:top], image[bottom:] = 0, 0
    image[:, :left], image[:, right:] = 0, 0


def soften(image: NDArray[np.float32], mapping: Mapping, shrinkage: float) -> None:
    """Blur ``image`` (row, column) in place by what its resampling to fewer pixels leaves undone.

    Parameters
    ----------
    shrinkage
        Pixels of the image for one of the result, before the mapping's own zoom.

    Notes
    -----
    An antialiased bilinear filter is a triangle of variance s^2 / 6 for a shrinkage s; interpolation between
    neighbours already has 1 / 6 on the average. Three weights (a, 1 - 2a, a) add 2a.
    """
    squared = abs(float(np.linalg.det(mapping.matrix))) * shrinkage**2
    weight = np.float32(min(max((squared - 1) / 12, 0.0), 0.25))  # beyond 0.25 the weights would ring
    if weight == 0:
        return
    for view in (image, image.T):
        neighbours = np.empty_like(view)
        neighbours[1:-1] = view[:-2] + view[2:]
        neighbours[0], neighbours[-1] = view[0] + view[1], view[-1] + view[-2]
        np.multiply(view, 1 - 2 * weight, out=view)
        neighbours *= weight
        np.add(view, neighbours, out=view)


def resample(canvases: NDArray[np.float32], mappings: list[Mapping], size: int) -> NDArray[np.float32]:
    """Return the canvases as their mappings show them, (n, size, size); what lies outside is black."""
    n = len(mappings)
    matrices = np.array([mapping.matrix for mapping in mappings], np.float32)
    offsets = np.array([mapping.offset for mapping in mappings], np.float32)
    along = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / size) - 1
    grid = np.empty((n, size, size, 2), np.float32)
    for axis in range(2):
        across = matrices[:, axis, :1] * along + offsets[:, axis, None]  # (n, column)
        down = matrices[:, axis, 1:] * along  # (n, row)
        np.add(across[:, None, :], down[:, :, None], out=grid[..., axis])
    moved = functional.grid_sample(
        torch.from_numpy(canvases)[:, None], torch.from_numpy(grid), mode="bilinear", align_corners=False
    )
    return cast(NDArray[np.float32], moved[:, 0].numpy())

"""T1 slices made into something that no T1 slice is, while the head keeps its place and its shape.

Whatever learns to refuse these has to look at the contrast between the tissues, not at the outline.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS

Slices = NDArray[np.uint8]
Alteration = Callable[[Slices, np.random.Generator], NDArray[np.uint8]]

AIR_GREY = 18
"""Of a slice after the image path: what is darker all around is air (or bone, which is black as well)."""
AIR_BLUR = 0.02
"""Of the side: how far around a pixel it has to be dark to be air."""
RIM_GAIN, LEAST_RIM = 8.0, 0.25
"""How sharp the rim of bone is, and how much head lies around a pixel of it at least."""
LEAST_DROP = 0.35
"""How far a turned tone curve falls somewhere: far below any rise-only warp of the augmentation."""
TONE_KNOTS = (0.0, 0.3, 0.55, 0.8, 1.0)
"""T1 greys after the image path: air and CSF, grey matter, white matter, fat, the brightest."""


def turn_tones(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Give the tissues the greys of another contrast: white matter darker than grey, or CSF bright."""
    pixels = _pick(slices, generator)
    air = _find_air(pixels)
    turned = _draw_tones(generator)[pixels].astype(np.float32)
    return (turned * (1 - air)).astype(np.uint8)


def _draw_tones(generator: np.random.Generator) -> NDArray[np.float32]:
    """Draw what each grey becomes, shape (256,): a curve that falls from CSF to white matter, or bends.

    As on T2 (falling), FLAIR (grey matter on top, CSF dark), or proton density (both water-bright, flat).
    """
    kind = int(generator.integers(3))
    jitter = generator.uniform(-0.08, 0.08, len(TONE_KNOTS))
    fat = generator.uniform(0.0, 1.0, 2)  # suppressed, or bright as a fast spin echo shows it
    if kind == 0:
        knots = np.array([0.95, 0.62, 0.32, *fat])
    elif kind == 1:
        knots = np.array([0.08, 0.85, 0.42, *fat])
    else:
        knots = np.array([0.8, 0.95, 0.55, *fat])
    knots = np.clip(knots + jitter, 0, 1)
    # White matter stays below grey matter or CSF by a clear step, whatever was drawn.
    knots[2] = min(knots[2], max(knots[0], knots[1]) - LEAST_DROP)
    places = np.array(TONE_KNOTS)
    places[1:-1] += generator.uniform(-0.06, 0.06, len(TONE_KNOTS) - 2)
    curve = np.interp(np.linspace(0, 1, N_GREYS), places, knots) * MAX_GREY
    tones: NDArray[np.float32] = curve.astype(np.float32)
    return tones


def make_ct_like(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the head as CT does: a white rim of bone, and the brain in nearly one grey."""
    pixels = _pick(slices, generator)
    side = pixels.shape[0]
    head = Image.fromarray(((1 - _find_air(pixels)) * MAX_GREY).astype(np.uint8))
    width = side * generator.uniform(0.012, 0.03)
    inside = np.asarray(head.filter(ImageFilter.GaussianBlur(width)), np.float32) / np.float32(MAX_GREY)
    outside = np.asarray(head, np.float32) / np.float32(MAX_GREY)
    rim = np.clip(RIM_GAIN * (inside - LEAST_RIM) * (1 - inside), 0, 1) * outside
    brain = np.asarray(
        Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(generator.uniform(1, 3))), np.float32
    )
    contrast = np.float32(generator.uniform(-0.25, 0.12))
    grey = np.float32(generator.uniform(0.2, 0.5) * MAX_GREY)
    soft = (grey + contrast * (brain - brain.mean())) * inside**2
    scan = soft * (1 - rim) + rim * np.float32(MAX_GREY)
    scan += generator.standard_normal(scan.shape, np.float32) * np.float32(generator.uniform(2, 12))
    return _to_grey(scan)


def shuffle_patches(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the slice into tiles and lay them anew: every patch is a T1 brain's, the whole is none."""
    pixels = _pick(slices, generator)
    n = int(generator.integers(3, 8))
    edge = -(-pixels.shape[0] // n)
    padded = np.zeros((n * edge, n * edge), np.uint8)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    tiles = padded.reshape(n, edge, n, edge).swapaxes(1, 2).reshape(n * n, edge, edge)
    laid = tiles[generator.permutation(n * n)].reshape(n, n, edge, edge).swapaxes(1, 2)
    return laid.reshape(n * edge, n * edge)[: pixels.shape[0], : pixels.shape[1]]


def lay_mosaic(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Lay small slices side by side, as a page of a film does."""
    side = slices.shape[1]
    n = int(generator.integers(2, 5))
    edge = side // n
    page = np.zeros((side, side), np.uint8)
    for row in range(n):
        for column in range(n):
            small = Image.fromarray(_pick(slices, generator)).resize((edge, edge), Image.Resampling.BOX)
            page[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge] = np.asarray(small)
    return page


def outline(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the edges alone, bright on dark or dark on bright, as a filtered picture does."""
    pixels = _pick(slices, generator).astype(np.float32)
    down, across = np.gradient(pixels)
    edges = np.hypot(down, across)
    edges *= np.float32(MAX_GREY / max(float(edges.max()), 1.0) * generator.uniform(1, 3))
    return _to_grey(np.float32(MAX_GREY) - edges if generator.random() < 1 / 3 else edges)


def segment(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Give ranges of grey one random grey each, as a map of tissues has."""
    n = int(generator.integers(2, 7))
    greys = generator.permutation(np.linspace(0, MAX_GREY, n + 1)).astype(np.uint8)
    if (np.diff(greys.astype(int)) > 0).all():  # in the order of T1 it would be a coarse T1 image
        greys = greys[::-1]
    smooth = np.asarray(Image.fromarray(_pick(slices, generator)).filter(ImageFilter.BoxBlur(1)))
    return greys[smooth.astype(np.int64) * (n + 1) // N_GREYS]


def show_phase(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the signal's phase: slow waves that wrap around in the head, and noise in the air."""
    pixels = _pick(slices, generator)
    side = pixels.shape[0]
    row, column = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    a, b, c, d = (np.float32(value) for value in generator.uniform(-2, 2, 4))
    turns = a * row + b * column + c * row * column + d * (row**2 - column**2) + pixels / np.float32(600)
    noise = generator.random(pixels.shape, np.float32)
    air = _find_air(pixels)
    phase = (turns + noise * (np.float32(0.1) + air)) % 1
    return _to_grey(phase * np.float32(MAX_GREY))


ALTERATIONS: tuple[Alteration, ...] = (
    *[turn_tones] * 6,
    *[make_ct_like] * 2,
    shuffle_patches,
    lay_mosaic,
    outline,
    segment,
    show_phase,
)
"""Drawn with equal chances. Other contrasts are what archives hold most, so they stand here several times."""


def _pick(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    chosen: NDArray[np.uint8] = slices[int(generator.integers(len(slices)))]
    return chosen


def _find_air(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much each pixel belongs to the air around (or to dark cavities), 0 to 1."""
    near = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(AIR_BLUR * pixels.shape[0]))
    air: NDArray[np.float32] = np.clip(2 - np.asarray(near, np.float32) / np.float32(AIR_GREY), 0, 1)
    return air


def _to_grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    greys: NDArray[np.uint8] = np.clip(values, 0, MAX_GREY).astype(np.uint8)
    return greys

"""T1 slices made into something that no T1 slice is, while the head keeps its place and its shape.

Whatever learns to refuse these has to look at the contrast between the tissues, not at the outline.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS
from gadoscope.training.counterexamples.contrasts import Slices, pick, to_grey, turn_tones
from gadoscope.training.tissues import find_air

Alteration = Callable[[Slices, np.random.Generator], NDArray[np.uint8]]

RIM_GAIN, LEAST_RIM = 8.0, 0.25
"""How sharp the rim of bone is, and how much head lies around a pixel of it at least."""


def make_ct_like(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the head as CT does: a white rim of bone, and the brain in nearly one grey."""
    pixels = pick(slices, generator)
    side = pixels.shape[0]
    head = Image.fromarray(((1 - find_air(pixels)) * MAX_GREY).astype(np.uint8))
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
    return to_grey(scan)


def shuffle_patches(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Cut the slice into tiles and lay them anew: every patch is a T1 brain's, the whole is none."""
    pixels = pick(slices, generator)
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
            small = Image.fromarray(pick(slices, generator)).resize((edge, edge), Image.Resampling.BOX)
            page[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge] = np.asarray(small)
    return page


def outline(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the edges alone, bright on dark or dark on bright, as a filtered picture does."""
    pixels = pick(slices, generator).astype(np.float32)
    down, across = np.gradient(pixels)
    edges = np.hypot(down, across)
    edges *= np.float32(MAX_GREY / max(float(edges.max()), 1.0) * generator.uniform(1, 3))
    return to_grey(np.float32(MAX_GREY) - edges if generator.random() < 1 / 3 else edges)


def segment(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Give ranges of grey one random grey each, as a map of tissues has."""
    n = int(generator.integers(2, 7))
    greys = generator.permutation(np.linspace(0, MAX_GREY, n + 1)).astype(np.uint8)
    if (np.diff(greys.astype(int)) > 0).all():  # in the order of T1 it would be a coarse T1 image
        greys = greys[::-1]
    smooth = np.asarray(Image.fromarray(pick(slices, generator)).filter(ImageFilter.BoxBlur(1)))
    return greys[smooth.astype(np.int64) * (n + 1) // N_GREYS]


def show_phase(slices: Slices, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Show the signal's phase: slow waves that wrap around in the head, and noise in the air."""
    pixels = pick(slices, generator)
    side = pixels.shape[0]
    row, column = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    a, b, c, d = (np.float32(value) for value in generator.uniform(-2, 2, 4))
    turns = a * row + b * column + c * row * column + d * (row**2 - column**2) + pixels / np.float32(600)
    noise = generator.random(pixels.shape, np.float32)
    air = find_air(pixels)
    phase = (turns + noise * (np.float32(0.1) + air)) % 1
    return to_grey(phase * np.float32(MAX_GREY))


ALTERATIONS: tuple[Alteration, ...] = (
    *[turn_tones] * 12,
    *[make_ct_like] * 2,
    shuffle_patches,
    lay_mosaic,
    outline,
    segment,
    show_phase,
)
"""Drawn with equal chances. Other contrasts are what archives hold most, so they stand here several times."""

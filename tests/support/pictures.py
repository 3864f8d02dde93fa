"""Phantom slices of three planes, and what happens to slices on their way: borders, letters, JPEG."""

import io
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]

PLANES = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
BORDER = 0.1


@cache
def phantom_slices(plane: Plane) -> dict[Phase, Pixels]:
    """Return the middle slice of one phantom head before and after contrast, shape (256, 256)."""
    done = scan(Cohort(subjects=3, seed=4, slices=1, matrix=256, plane=plane), 1)
    return {series.phase: window(series.signal[0], done.scanner) for series in done.series}


def phantom_slice(plane: Plane = Plane.AXIAL) -> Pixels:
    """Return the slice after contrast."""
    return phantom_slices(plane)[Phase.POST_CONTRAST]


def add_border(pixels: Pixels, grey: int = 0) -> Pixels:
    """Return the slice with a tenth of its side added at each end, of one grey."""
    rows, columns = (round(BORDER * n) for n in pixels.shape)
    wide: Pixels = np.pad(pixels, ((rows, rows), (columns, columns)), constant_values=grey)
    return wide


def add_white_border(pixels: Pixels) -> Pixels:
    """Return the slice on a white page."""
    return add_border(pixels, 255)


def add_nested_frames(pixels: Pixels) -> Pixels:
    """Return the slice in a black border with a white line, on a grey page."""
    return add_border(np.pad(add_border(pixels), 2, constant_values=255), 90)


def add_letters(pixels: Pixels) -> Pixels:
    """Return the slice in a black border with lines of text, a scale bar and a grey scale in it."""
    wide = add_border(add_border(pixels))
    image = Image.fromarray(wide)
    draw, size = ImageDraw.Draw(image), wide.shape[0] // 36
    font = ImageFont.load_default(size)
    for line, text in enumerate(("HOSPITAL", "SE 4 IM 12")):
        draw.text((3, 3 + line * size), text, fill=255, font=font)
    draw.text((0.7 * wide.shape[1], wide.shape[0] - 1.5 * size), "W 600 L 300", fill=255, font=font)
    draw.line((0.3 * wide.shape[1], wide.shape[0] - 4, 0.6 * wide.shape[1], wide.shape[0] - 4), fill=255)
    changed = np.array(image)
    greys = np.linspace(255, 0, wide.shape[0] // 2).astype(np.uint8)
    changed[wide.shape[0] // 4 :][: len(greys), -8:-4] = greys[:, np.newaxis]
    return changed


def compress(pixels: Pixels) -> Pixels:
    """Return the slice after JPEG of quality 75."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=75)
    return np.asarray(Image.open(stream))


def halve(pixels: Pixels) -> Pixels:
    """Return the slice at half its size, antialiased."""
    return np.asarray(Image.fromarray(pixels).reduce(2))


def brighten(pixels: Pixels) -> Pixels:
    """Return 0.7 times the grey values, plus 40."""
    changed: Pixels = np.rint(0.7 * pixels + 40).astype(np.uint8)
    return changed


def darken(pixels: Pixels) -> Pixels:
    """Return half the grey values."""
    return pixels // 2


def add_noise(pixels: Pixels) -> Pixels:
    """Return the slice with noise of 2 % of white, as the magnitude of a complex signal has it."""
    generator = np.random.default_rng(0)
    real, imaginary = generator.normal(0, 5, (2, *pixels.shape))
    changed: Pixels = np.clip(np.rint(np.hypot(pixels + real, imaginary)), 0, 255).astype(np.uint8)
    return changed

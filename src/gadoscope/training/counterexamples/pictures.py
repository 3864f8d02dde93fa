"""What is no scan at all: nothing, noise, gradients, texture, photographs, pages, test patterns."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from gadoscope.imaging.intensity import MAX_GREY

Picture = Callable[[int, np.random.Generator], NDArray[np.uint8]]

PHOTOGRAPH_SLOPES = (1.0, 2.6)
"""Power of natural images falls with frequency by about the square (Field 1987); and around it."""
N_LEAVES = (20, 80)
"""Things that hide each other in a "dead leaves" picture (Lee, Mumford and Huang 2001)."""


def draw_nothing(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one grey, or a few greys of noise around it."""
    grey = generator.uniform(0, MAX_GREY)
    noise = generator.standard_normal((side, side), np.float32) * np.float32(generator.choice([0, 1, 4]))
    return _to_grey(np.float32(grey) + noise)


def draw_noise(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the air of a scan: Rayleigh noise, perhaps smoothed."""
    noise = np.hypot(*generator.standard_normal((2, side, side), np.float32))
    image = Image.fromarray(_stretch(noise, generator))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(generator.choice([0, 0.7, 1.5, 4])))))


def draw_gradient(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw grey that changes slowly from edge to edge, or rings."""
    row, column = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    a, b, c = (np.float32(value) for value in generator.uniform(-1, 1, 3))
    field = a * row + b * column + c * (row**2 + column**2)
    if generator.random() < 1 / 3:
        field = np.sin(field * np.float32(generator.uniform(3, 30)))
    return _stretch(field, generator)


def draw_texture(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw noise whose power falls with frequency as that of photographs does."""
    return _stretch(_coloured_noise(side, generator), generator)


def draw_photograph(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw things that hide each other, round and angular, under uneven light, with texture."""
    image = Image.new("L", (side, side), int(generator.uniform(0, MAX_GREY)))
    pen = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(*N_LEAVES))):
        x, y = generator.uniform(0, side, 2)
        # Sizes as the model has them: a power law, so that small and large are met at any scale.
        size = side * min(0.03 / (1 - generator.random()) ** 0.5, 0.5)
        grey, kind = int(generator.uniform(0, MAX_GREY)), int(generator.integers(3))
        tall = size * generator.uniform(0.3, 1.5)
        if kind == 0:
            pen.ellipse((x - size, y - tall, x + size, y + tall), fill=grey)
        elif kind == 1:
            pen.rectangle((x - size, y - tall, x + size, y + tall), fill=grey)
        else:
            corners = generator.uniform(-1, 1, (4, 2)) * size + (x, y)
            pen.polygon([(float(a), float(b)) for a, b in corners], fill=grey)
    image = image.filter(ImageFilter.GaussianBlur(generator.uniform(0, 1.5)))
    texture = _coloured_noise(side, generator) * np.float32(generator.uniform(0, 25))
    return _to_grey(np.asarray(image, np.float32) + texture)


def draw_page(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a page: lines of words as strokes, dark on bright or bright on dark, perhaps a frame."""
    paper, ink = sorted(generator.uniform(0, MAX_GREY, 2), reverse=True)
    image = Image.new("L", (side, side), int(paper))
    pen = ImageDraw.Draw(image)
    height = int(generator.integers(4, 14))
    left = side * generator.uniform(0.02, 0.15)
    for top in range(int(left), side - height, height + int(generator.integers(2, 8))):
        x = left
        end = side * generator.uniform(0.4, 0.97)
        while x < end:
            width = height * generator.uniform(0.3, 0.6)
            if generator.random() < 5 / 6:  # else a space between words
                x0, y0, x1, y1 = generator.uniform(0, 1, 4)
                stroke = (x + x0 * width, top + y0 * height, x + x1 * width, top + y1 * height)
                pen.line(stroke, fill=int(ink), width=max(1, height // 6))
                pen.line((x, top, x, top + height), fill=int(ink), width=max(1, height // 6))
            x += width * 1.4
    if generator.random() < 1 / 3:
        pen.rectangle((2, 2, side - 3, side - 3), outline=int(ink), width=2)
    page = np.asarray(image)
    return np.uint8(MAX_GREY) - page if generator.random() < 1 / 3 else page


def draw_pattern(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a test object: a disc, ring or square of one grey with holes, a grid or wedges in it."""
    image = Image.new("L", (side, side))
    pen = ImageDraw.Draw(image)
    radius, grey = side * generator.uniform(0.3, 0.49), int(generator.uniform(80, MAX_GREY))
    box = (side / 2 - radius, side / 2 - radius, side / 2 + radius, side / 2 + radius)
    (pen.ellipse if generator.random() < 2 / 3 else pen.rectangle)(box, fill=grey)
    if generator.random() < 1 / 2:
        step = int(generator.integers(8, 40))
        for at in range(0, side, step):
            pen.line((at, 0, at, side), fill=0, width=1)
            pen.line((0, at, side, at), fill=0, width=1)
    for _ in range(int(generator.integers(0, 12))):
        x, y = side / 2 + generator.uniform(-0.6, 0.6, 2) * radius
        r = radius * generator.uniform(0.03, 0.25)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(generator.uniform(0, MAX_GREY)))
    image = image.filter(ImageFilter.GaussianBlur(generator.uniform(0, 1.2)))
    noise = generator.standard_normal((side, side), np.float32) * np.float32(generator.uniform(0, 12))
    return _to_grey(np.asarray(image, np.float32) + noise)


PICTURES: tuple[Picture, ...] = (
    draw_nothing,
    draw_noise,
    draw_gradient,
    draw_texture,
    draw_photograph,
    draw_photograph,
    draw_page,
    draw_pattern,
)
"""Drawn with equal chances."""


def _coloured_noise(side: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Return noise of mean 0 and standard deviation 1, shape (side, side), periodic."""
    slope = generator.uniform(*PHOTOGRAPH_SLOPES)
    frequency = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.rfftfreq(side))
    frequency[0, 0] = np.inf  # no mean
    white = np.fft.rfft2(generator.standard_normal((side, side), np.float32))
    field = np.fft.irfft2(white * frequency ** (-slope / 2), s=(side, side))
    coloured: NDArray[np.float32] = (field / field.std()).astype(np.float32)
    return coloured


def _stretch(field: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return ``field`` between two random greys."""
    low, high = generator.uniform(0, 90), generator.uniform(120, MAX_GREY)
    span = max(float(np.ptp(field)), 1e-6)
    return _to_grey(np.float32(low) + (field - field.min()) * np.float32((high - low) / span))


def _to_grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    greys: NDArray[np.uint8] = np.clip(values, 0, MAX_GREY).astype(np.uint8)
    return greys

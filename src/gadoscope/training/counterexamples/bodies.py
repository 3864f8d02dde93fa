"""Other parts of the body: spine, joint, limb, trunk, from a few shapes in the greys of any weighting.

They are crude on purpose: the gate must not learn one knee, but that what is not built like a head is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from gadoscope.imaging.intensity import MAX_GREY

Body = Callable[[int, np.random.Generator], NDArray[np.uint8]]
Drawing = ImageDraw.ImageDraw

OUTLINE_POINTS = 40
"""Corners of a body's outline: smooth after the blur that every picture gets."""


@dataclass(frozen=True)
class Greys:
    """The greys of a picture, 0 to 255."""

    fat: int
    muscle: int
    marrow: int
    bone: int
    fluid: int
    organ: int

    @classmethod
    def draw(cls, generator: np.random.Generator) -> "Greys":
        """Draw them apart from each other: T1, T2 with and without fat, CT, and what lies between."""
        levels = np.linspace(20, MAX_GREY - 10, 6) + generator.uniform(-18, 18, 6)
        return cls(*(int(level) for level in np.clip(generator.permutation(levels), 0, MAX_GREY)))


def draw_spine(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a spine from the side: bodies and discs in a bent row, canal and cord behind, fat and skin."""
    greys = Greys.draw(generator)
    image, pen = _start(side)
    back = side * generator.uniform(0.7, 0.95)
    pen.rectangle((side * generator.uniform(0, 0.2), 0, back, side), fill=greys.muscle)
    pen.rectangle((back - side * generator.uniform(0.05, 0.15), 0, back, side), fill=greys.fat)
    n = int(generator.integers(5, 12))
    height, width = side / n, side * generator.uniform(0.1, 0.2)
    middle = side * generator.uniform(0.35, 0.5)
    bend, phase = side * generator.uniform(-0.1, 0.1), generator.uniform(0, np.pi)
    places = [middle + bend * np.sin(np.pi * index / n + phase) for index in range(n + 1)]
    canal = [(x + width * 0.75, index * height) for index, x in enumerate(places)]
    pen.line(canal, fill=greys.fluid, width=int(width * 0.7))
    pen.line(canal, fill=greys.organ, width=max(1, int(width * 0.3)))
    for index, x in enumerate(places[:-1]):
        top = (index + 0.5) * height
        box = (x - width / 2, top - 0.38 * height, x + width / 2, top + 0.38 * height)
        pen.rounded_rectangle(box, radius=0.1 * height, fill=greys.marrow, outline=greys.bone, width=2)
        pen.ellipse((x - width / 2, box[3], x + width / 2, box[3] + 0.24 * height), fill=greys.organ)
        tip = x + width * 1.2
        pen.ellipse((tip, top, tip + width * 0.8, top + 0.35 * height), fill=greys.marrow)
    return _finish(image, generator)


def draw_joint(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a joint: two long bones that meet, cartilage and fluid between them, muscle and fat around."""
    greys = Greys.draw(generator)
    image, pen = _start(side)
    middle, gap = side * generator.uniform(0.4, 0.6, 2)
    half = side * generator.uniform(0.28, 0.45)
    pen.rectangle((middle - half, 0, middle + half, side), fill=greys.fat)
    pen.rectangle((middle - half * 0.8, 0, middle + half * 0.8, side), fill=greys.muscle)
    shaft, head = half * generator.uniform(0.3, 0.45), half * generator.uniform(0.55, 0.75)
    space = side * generator.uniform(0.01, 0.04)
    pen.ellipse((middle - head, gap - 3 * space, middle + head, gap + 3 * space), fill=greys.fluid)
    for end, direction in ((gap - space, -1), (gap + space, 1)):
        far = end + direction * side
        pen.rectangle(_box(middle - shaft, end, middle + shaft, far), fill=greys.marrow, outline=greys.bone)
        near = end + direction * head * generator.uniform(0.8, 1.4)
        box = _box(middle - head, end, middle + head, near)
        pen.rounded_rectangle(
            box, radius=abs(near - end) * 0.4, fill=greys.marrow, outline=greys.bone, width=2
        )
    if generator.random() < 1 / 2:  # a kneecap
        x, y, r = middle - half * 0.85, gap - side * 0.08, side * 0.06
        pen.ellipse((x - r, y - 2 * r, x + r, y + 2 * r), fill=greys.marrow, outline=greys.bone, width=2)
    return _finish(image, generator)


def draw_limb(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a limb cut across: a ring of fat, bundles of muscle, one or two bones with marrow."""
    greys = Greys.draw(generator)
    image, pen = _start(side)
    for centre, radius in _draw_places(side, generator, int(generator.integers(1, 3))):
        pen.polygon(_outline(centre, radius, generator), fill=greys.fat)
        pen.polygon(_outline(centre, radius * generator.uniform(0.6, 0.9), generator), fill=greys.muscle)
        for _ in range(int(generator.integers(4, 10))):
            start, end = (_near(centre, radius * 0.7, generator) for _ in range(2))
            pen.line((*start, *end), fill=greys.fat, width=1)
        for _ in range(int(generator.integers(1, 3))):
            at, r = _near(centre, radius * 0.35, generator), radius * generator.uniform(0.1, 0.22)
            pen.ellipse(_around(at, r), fill=greys.marrow, outline=greys.bone, width=max(2, int(r / 4)))
        for _ in range(int(generator.integers(1, 5))):
            at = _near(centre, radius * 0.5, generator)
            pen.ellipse(_around(at, radius * 0.04), fill=greys.fluid)
    return _finish(image, generator)


def draw_trunk(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a trunk cut across: a wide outline of fat and muscle, organs, vessels, a vertebra at the back."""
    greys = Greys.draw(generator)
    image, pen = _start(side)
    centre, radius = (side / 2, side / 2), side * generator.uniform(0.4, 0.49)
    flat = generator.uniform(0.6, 0.85)
    pen.polygon(_outline(centre, radius, generator, flat), fill=greys.fat)
    pen.polygon(_outline(centre, radius * 0.88, generator, flat), fill=greys.muscle)
    pen.polygon(_outline(centre, radius * 0.78, generator, flat), fill=greys.fat)
    for _ in range(int(generator.integers(2, 7))):
        x, y = _near(centre, radius * 0.5, generator)
        place = x, side / 2 + (y - side / 2) * flat
        grey = int(generator.choice([greys.organ, greys.fluid, greys.bone, greys.muscle]))
        pen.polygon(_outline(place, radius * generator.uniform(0.1, 0.4), generator), fill=grey)
    for _ in range(int(generator.integers(2, 8))):
        at = _near(centre, radius * 0.5, generator)
        pen.ellipse(_around(at, radius * generator.uniform(0.02, 0.07)), fill=greys.fluid)
    back = side / 2, side / 2 + radius * flat * 0.5
    pen.ellipse(_around(back, radius * 0.17), fill=greys.marrow, outline=greys.bone, width=3)
    pen.ellipse(_around((back[0], back[1] + radius * 0.2), radius * 0.06), fill=greys.fluid)
    return _finish(image, generator)


BODIES: tuple[Body, ...] = (draw_spine, draw_joint, draw_limb, draw_trunk)
"""Drawn with equal chances."""


def _start(side: int) -> tuple[Image.Image, Drawing]:
    image = Image.new("L", (side, side))
    return image, ImageDraw.Draw(image)


def _finish(image: Image.Image, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Turn it by any angle, blur it, and add a coil's unevenness and noise."""
    if generator.random() < 1 / 2:
        angle = generator.uniform(-25, 25) + 90 * int(generator.integers(4))
        image = image.rotate(angle, Image.Resampling.BILINEAR)
    image = image.filter(ImageFilter.GaussianBlur(generator.uniform(0.6, 1.6)))
    scan = np.asarray(image, np.float32)
    near, far = generator.uniform(0.6, 1.1, 2)
    slope = np.linspace(near, far, image.width, dtype=np.float32)
    scan = scan * (slope if generator.random() < 1 / 2 else slope[:, np.newaxis])
    noise = generator.standard_normal((2, *scan.shape), np.float32) * np.float32(generator.uniform(1, 14))
    greys: NDArray[np.uint8] = np.clip(np.hypot(scan + noise[0], noise[1]), 0, MAX_GREY).astype(np.uint8)
    return greys


def _outline(
    centre: tuple[float, float], radius: float, generator: np.random.Generator, flat: float = 1.0
) -> list[tuple[float, float]]:
    """Return the corners of a round outline with a few waves; ``flat`` is its height over its width."""
    angle = np.linspace(0, 2 * np.pi, OUTLINE_POINTS, endpoint=False)
    waves = [
        generator.uniform(0, 0.12 / order) * np.sin(order * angle + generator.uniform(0, 2 * np.pi))
        for order in (2, 3, 5)
    ]
    reach = radius * (1 + np.sum(waves, axis=0))
    x, y = centre[0] + reach * np.cos(angle), centre[1] + flat * reach * np.sin(angle)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _draw_places(
    side: int, generator: np.random.Generator, n: int
) -> list[tuple[tuple[float, float], float]]:
    """Return centre and radius of one limb, or of two side by side."""
    radius = side * generator.uniform(0.36, 0.47) / n
    return [((side * (index + 0.5) / n, side / 2), radius) for index in range(n)]


def _near(centre: tuple[float, float], reach: float, generator: np.random.Generator) -> tuple[float, float]:
    dx, dy = generator.uniform(-reach, reach, 2)
    return centre[0] + float(dx), centre[1] + float(dy)


def _around(at: tuple[float, float], radius: float) -> tuple[float, float, float, float]:
    return at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius


def _box(left: float, one: float, right: float, other: float) -> tuple[float, float, float, float]:
    return left, min(one, other), right, max(one, other)

"""What archives and people do to a slice: erased parts, frames, burned-in text and JPEG."""

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gadoscope.imaging.intensity import MAX_GREY, N_GREYS

BEST_QUALITY = 100
"""JPEG quality that loses least."""
MAX_ERASURES = 2
FRAME_GREYS = (0, 96, 192, 255)
"""Grey values of frames: black, white and two of the grey ones of screenshots."""
EDGE = 0.12
"""Text and scale bars begin at most this share of the side from an edge, as in films and exports."""
TEXT_LETTERS = "ABFHILPRSTWX 0123456789.:/-mm"
"""Sides, orientation, times, thicknesses; drawn at random, so never anyone's data."""
WORDS = (
    "CONTRAST: 20 ML",
    "CONTRAST",
    "NON CONTRAST",
    "NO CONTRAST",
    "PRE",
    "POST",
    "GAD",
    "W/GD",
    "W/O",
    "+C",
    "C+",
    "-C",
    "T1 SE",
    "AX T1",
    "SAG T1 POST",
    "COR T1 PRE",
    "20CC MAGNEVIST",
)
"""What screenshots say of the contrast: written on images of either label, so no network can read it."""
WORDY = 0.35
"""How often a line is one of them."""
TEXT_LENGTHS = (1, 10)
MAX_LINES = 3
LINE_HEIGHT = 11
"""Of Pillow's built-in bitmap font, pixels."""
N_TICKS = 11
"""Of a scale bar: 10 divisions."""

Pixels = NDArray[np.float32]


def erase(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Overwrite one or two rectangles with one grey value each."""
    erased, size = image.copy(), len(image)
    for _ in range(int(generator.integers(1, MAX_ERASURES + 1))):
        height, width = np.rint(size * reach * generator.random(2)).astype(int).tolist()
        top = int(generator.integers(0, max(1, size - height + 1)))
        left = int(generator.integers(0, max(1, size - width + 1)))
        grey = MAX_GREY * generator.random() if generator.random() < 1 / 2 else 0.0
        erased[top : top + height, left : left + width] = grey
    return erased


def put_frame(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Overwrite the margin with one grey value, all around or on some sides."""
    framed, size = image.copy(), len(image)
    grey = float(generator.choice(FRAME_GREYS))
    sides = generator.random(4) < 1 / 2
    if not sides.any() or generator.random() < 1 / 2:
        sides[:] = True
    widths = np.rint(size * reach * generator.random(4)).astype(int) * sides
    if generator.random() < 1 / 2:
        widths = widths.max() * sides  # equally wide
    top, bottom, left, right = widths.tolist()
    framed[:top], framed[size - bottom :] = grey, grey
    framed[:, :left], framed[:, size - right :] = grey, grey
    return framed


def burn_text(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Burn in a few lines of text, or a scale bar."""
    page = Image.fromarray(image)
    pen = ImageDraw.Draw(page)
    grey = 255.0 if generator.random() < 3 / 4 else float(MAX_GREY * generator.random())
    if generator.random() < 1 / 4:
        _draw_scale_bar(pen, len(image), grey, generator)
    else:
        _draw_lines(pen, len(image), grey, generator)
    return np.array(page)


@cache
def _load_font() -> ImageFont.ImageFont:
    """Return Pillow's built-in bitmap font, the same everywhere; reading it takes longer than writing."""
    return ImageFont.load_default_imagefont()


def _draw_lines(pen: ImageDraw.ImageDraw, size: int, grey: float, generator: np.random.Generator) -> None:
    """Write one to three lines in one of the corners."""
    font = _load_font()
    lines = []
    for _ in range(int(generator.integers(1, MAX_LINES + 1))):
        letters = generator.integers(0, len(TEXT_LETTERS), int(generator.integers(*TEXT_LENGTHS)))
        word = WORDS[int(generator.integers(len(WORDS)))]
        is_word = generator.random() < WORDY
        lines.append(word if is_word else "".join(TEXT_LETTERS[letter] for letter in letters))
    left, top = (EDGE * size * generator.random(2)).tolist()
    at_right, at_bottom = (generator.random(2) < 1 / 2).tolist()
    if at_bottom:
        top = size - top - LINE_HEIGHT * len(lines)
    for row, line in enumerate(lines):
        x = size - left - font.getlength(line) if at_right else left
        pen.text((x, top + row * LINE_HEIGHT), line, fill=grey, font=font)


def _draw_scale_bar(pen: ImageDraw.ImageDraw, size: int, grey: float, generator: np.random.Generator) -> None:
    """Draw a bar with ticks along one of the four sides."""
    away = EDGE * size * generator.random()
    if generator.random() < 1 / 2:
        away = size - 1 - away
    start, stop = 0.25 * size, (0.25 + 0.5 * generator.random()) * size
    ends = [(start, away), (stop, away)]
    ticks = [[(place, away - 2), (place, away + 2)] for place in np.linspace(start, stop, N_TICKS).tolist()]
    lies = bool(generator.random() < 1 / 2)
    for line in (ends, *ticks):
        pen.line([point if lies else point[::-1] for point in line], fill=grey)


def compress(image: Pixels, reach: float, generator: np.random.Generator) -> Pixels:
    """Write as JPEG and read again."""
    quality = BEST_QUALITY - round(reach * generator.random())
    whole = np.clip(np.rint(image), 0, N_GREYS - 1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "JPEG", quality=quality)
    with Image.open(file) as read:
        return np.array(read, np.float32)

"""What happens to an image on its way through hospitals: compressed, halved, framed, turned, fat suppressed.

The last is no copy but another sequence, which is simulated: no public source here has scans with it.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.training.augmentation.strong.head import darken_fat
from gadoscope.training.config import read_config
from gadoscope.training.tissues import find_air, find_near_air
from recipes.default.data import CONFIG

Pixels = NDArray[np.uint8]
CANVAS = 320
"""Pixels: more than a network sees, so that nothing else is lost."""
PATH = replace(read_config(CONFIG).image, size=CANVAS)


def compress(pixels: Pixels) -> Pixels:
    """Return the slice as JPEG of quality 75."""
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=75)
        return np.asarray(Image.open(file))


def halve(pixels: Pixels) -> Pixels:
    """Return half as many rows and columns."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX))


def border(pixels: Pixels) -> Pixels:
    """Return the slice with a tenth of its size as a black border."""
    return np.pad(pixels, [(side // 10, side // 10) for side in pixels.shape])


def fade(pixels: Pixels) -> Pixels:
    """Return the slice brighter and with less contrast."""
    return np.asarray(np.rint(pixels * 0.7 + 40), np.uint8)


def tilt(pixels: Pixels) -> Pixels:
    """Return the slice turned by ten degrees."""
    return np.asarray(Image.fromarray(pixels).rotate(10, Image.Resampling.BILINEAR))


def suppress(pixels: Pixels, amount: float) -> Pixels:
    """Return the head with the fat around it darker by ``amount``, 0 to 1."""
    canvas = PATH.resize_slice(pixels)
    darker = darken_fat(canvas.astype(np.float32), find_near_air(find_air(canvas)), amount)
    return np.asarray(np.clip(darker, 0, MAX_GREY), np.uint8)


COPIES: Mapping[str, tuple[Callable[[Pixels], Pixels], float | None]] = {
    "JPEG, quality 75": (compress, 0.02),
    "half size": (halve, 0.02),
    "10 % black border": (border, 0.02),
    "0.7 x + 40": (fade, 0.02),
    "turned by 10 degrees": (tilt, 0.02),
    "turned by 90 degrees": (np.rot90, 0.03),
    "turned by 180 degrees": (lambda pixels: np.rot90(pixels, 2), 0.03),
    "turned by 270 degrees": (lambda pixels: np.rot90(pixels, 3), 0.03),
    "mirrored": (lambda pixels: pixels[:, ::-1], 0.03),
    "fat suppressed to 40 %": (partial(suppress, amount=0.6), None),
    "fat suppressed to 20 %": (partial(suppress, amount=0.8), None),
}
"""What is done to an image, and which share may change its phase at most; None where nobody said."""

"""The small picture that is kept of a slice, to be compared with all others."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.intensity import N_GREYS

THUMBNAIL_SIDE = 128
"""Pixels a side of what is kept of each picture: 16 kB, so 10,000 pictures take 160 MB."""


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the thumbnail of a slice (row, column)."""
    image = Image.fromarray(np.ascontiguousarray(pixels)).convert("F")
    # Averages of whole pixels would leave steps in a picture with few of them; a smooth one has none.
    finer = (max(image.width, 2 * THUMBNAIL_SIDE), max(image.height, 2 * THUMBNAIL_SIDE))
    if finer != image.size:
        image = image.resize(finer, Image.Resampling.BICUBIC)
    small = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    thumbnail: NDArray[np.uint8] = np.clip(np.rint(np.asarray(small)), 0, N_GREYS - 1).astype(np.uint8)
    return thumbnail

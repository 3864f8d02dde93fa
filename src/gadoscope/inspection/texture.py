"""What of a slice tells how it was stored and resampled, not what it shows: grain, blocks, zoom, encoding.

A network reads all of these well. Contrast brightens vessels and leaves them as they are.

References
----------
Immerkaer, "Fast noise variance estimation", CVIU 64 (1996) 300; ITU-T T.81, blocks of 8 x 8 and table 0
"""

from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.arrays import Floats

JPEG_BLOCK = 8
_DARKEST_HEAD = 0.1
"""Of the 99th percentile: what is darker is air."""
_NO_TABLE = (-1.0, -1.0)
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "I;16B", "F")


def measure_texture(pixels: NDArray[np.uint8]) -> Floats:
    """Return grain, blockiness and the fineness of a slice, shape (3,); NaN where it is too small.

    Grain is the median size of Immerkaer's difference in the head, over its mean grey; blockiness the step
    across the borders of JPEG's blocks over any step; fineness the step to the next pixel over that to the
    one after: half of it where the picture was magnified, 0.7 in noise.
    """
    if min(pixels.shape) < 2 * JPEG_BLOCK:
        return np.full(3, np.nan)
    grey = pixels.astype(np.int16)  # whole numbers, and their sums: as exact as floats of four times the size
    inner = grey[1:-1, 1:-1]
    head = inner > _DARKEST_HEAD * np.percentile(pixels, 99)
    mask = np.diff(np.diff(grey, n=2, axis=0), n=2, axis=1)
    grain = _find_median(np.abs(mask[head])) / float(inner[head].mean()) if head.any() else np.nan
    steps = np.abs(np.diff(grey, axis=1)).sum(axis=0, dtype=np.int64) / len(grey)
    borders = np.arange(steps.size) % JPEG_BLOCK == JPEG_BLOCK - 1
    far = np.abs(grey[:, 2:] - grey[:, :-2]).mean()
    with np.errstate(all="ignore"):
        values = [
            grain,
            np.divide(steps[borders].mean(), steps[~borders].mean()),
            np.divide(steps.mean(), far),
        ]
    texture: Floats = np.nan_to_num(np.array(values, dtype=np.float64), nan=0.0, posinf=0.0)
    return texture


def _find_median(values: NDArray[np.int16]) -> float:
    """Return the median of small whole numbers, 0 or more, by counting them."""
    below = np.bincount(values).cumsum()
    low, high = np.searchsorted(below, [(values.size - 1) // 2, values.size // 2], side="right")
    return float(low + high) / 2


def measure_lie(pixels: NDArray[np.uint8]) -> Floats:
    """Return where the light lies and which way it leans, shape (4,): centre and halves, down and across.

    Shares of the sides and of the sum; a mirrored slice has the opposite second and fourth.
    """
    grey = pixels.astype(np.float64)
    total = max(float(grey.sum()), 1.0)
    values = []
    for axis in (0, 1):
        profile = grey.sum(axis=1 - axis) / total
        place = (np.arange(profile.size) + 0.5) / profile.size
        half = profile.size // 2
        values += [float((profile * place).sum()), float(profile[:half].sum() - profile[-half:].sum())]
    return np.array(values)


def read_encoding(file: BinaryIO | None) -> Floats:
    """Return how the file stores its pixels, shape (4,): mode, bits a sample, JPEG's table as mean and first.

    Nothing is decoded; -1 where it does not say, as of a scan, which has no such file.
    """
    if file is None:
        return np.array([-1.0, -1.0, *_NO_TABLE])
    try:
        file.seek(0)
        with Image.open(file) as image:
            mode = _MODES.index(image.mode) if image.mode in _MODES else -1
            tables = getattr(image, "quantization", None) or {}
            first = tables.get(0)
            table = (float(np.mean(first)), float(first[0])) if first else _NO_TABLE
            bits = image.info.get("bits", getattr(image, "bits", -1))
            return np.array([mode, bits if isinstance(bits, int) else -1, *table], dtype=np.float64)
    except Exception:  # Pillow raises whatever a damaged file makes it trip over; the decoder reports it
        return np.array([-1.0, -1.0, *_NO_TABLE])

"""Pictures of wrong answers: the slice, and the same slice with what argued for which phase."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.markup import POST_COLOUR, PRE_COLOUR

# Pixels of a picture's longer side: sharp at the size at which the report shows it, also in print.
THUMBNAIL = 240
# Share of the colour where the evidence is strongest; the anatomy must stay visible below it.
STRONGEST_TINT = 0.65
# As many as a palette holds, found by an octree: a fifth of the bytes of a full-colour picture. A median cut
# is no nearer to it (rms 3.3 of 255 both) and takes ten times as long, 40 ms.
OVERLAY_COLOURS = 256


def picture(pixels: NDArray[np.uint8]) -> str:
    """Return a slice (row, column) as the address of an embedded PNG, its aspect ratio kept."""
    return _embed(Image.fromarray(shrink(pixels)))


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a slice (row, column) as large as `picture` shows it; again it is the same."""
    return np.asarray(Image.fromarray(pixels).resize(_thumbnail_size(pixels), Image.Resampling.LANCZOS))


def overlay(pixels: NDArray[np.uint8], evidence: NDArray[np.float32], strongest: float | None = None) -> str:
    """Return a slice tinted with evidence as the address of an embedded PNG."""
    return _embed(tint(pixels, evidence, strongest))


def tint(
    pixels: NDArray[np.uint8], evidence: NDArray[np.float32], strongest: float | None = None
) -> Image.Image:
    """Return a slice tinted with evidence.

    Parameters
    ----------
    pixels
        The slice, shape (row, column).
    evidence
        In logits, of any shape over the same field of view; positive argues for post-contrast.
    strongest
        Evidence of either sign that has the full tint; None for the strongest of this slice.
    """
    size = _thumbnail_size(pixels)
    grey = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
    map_ = np.asarray(Image.fromarray(evidence).resize(size, Image.Resampling.BILINEAR))
    strongest = float(np.abs(map_).max()) if strongest is None else strongest
    share = np.minimum(np.abs(map_) / strongest, 1) if strongest > 0 else np.zeros_like(map_)
    tint = np.where(map_[..., np.newaxis] > 0, _rgb(POST_COLOUR), _rgb(PRE_COLOUR))
    weight = (STRONGEST_TINT * share)[..., np.newaxis]
    mixed = (1 - weight) * grey[..., np.newaxis] + weight * tint
    image = Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
    return image.quantize(OVERLAY_COLOURS, method=Image.Quantize.FASTOCTREE)


def _thumbnail_size(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Return (width, height)."""
    rows, columns = pixels.shape
    scale = THUMBNAIL / max(rows, columns)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _rgb(colour: str) -> NDArray[np.float32]:
    return np.array([int(colour[index : index + 2], 16) for index in (1, 3, 5)], dtype=np.float32)


def _embed(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"

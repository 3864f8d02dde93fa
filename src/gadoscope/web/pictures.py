"""Slices as pictures, for pages and for programs: windowed, encoded, and where there is none, why."""

import gzip
import io
from enum import StrEnum
from html import escape

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.imaging.volume import LazyVolume
from gadoscope.imaging.window import to_grey
from gadoscope.labels import Plane
from gadoscope.report.pictures import tint
from gadoscope.text import escaped
from gadoscope.web.opened import Scan

MAX_THUMBNAIL = 512
LINE_CHARACTERS = 44
"""Of the sentence that stands in the place of a picture."""
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_NIFTI_LEVEL = 1
"""Of gzip: the voxels go over a loop, or a house's network, and whoever waits for them sits there."""


class PictureFormat(StrEnum):
    """How a slice is encoded; neither loses anything."""

    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return f"image/{self.value}"


def draw_slice(
    scan: Scan, plane: Plane, index: int, window: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Return one slice as greys, upright with square pixels, shape (row, column), uint8.

    Parameters
    ----------
    scan
        An open scan.
    plane
        One of its stacks.
    index
        Of the slice, from 0.
    window
        Values that are black and white, in the file's units; those of the scan for ``None``.

    Raises
    ------
    ValueError
        If there is no such slice, or black does not lie below white.
    InputError
        If the slice cannot be decoded.
    """
    low, high = window or scan.limits
    return to_grey(scan.read(plane, index), low, high)


def encode(
    pixels: NDArray[np.uint8], picture_format: PictureFormat = PictureFormat.PNG, longest: int | None = None
) -> bytes:
    """Return greys, or RGB (row, column, 3), as an image file; shrunk where its longer side is longer."""
    image = Image.fromarray(pixels)
    if longest is not None and max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if picture_format is PictureFormat.PNG:
        image.save(buffer, "PNG", compress_level=1)  # a third of the time of the usual 6, a tenth more bytes
    else:
        image.save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()


def encode_tint(pixels: NDArray[np.uint8], evidence: NDArray[np.float32], strongest: float) -> bytes:
    """Return a slice as the network saw it, tinted as of `gadoscope.report.pictures.tint`, as PNG."""
    buffer = io.BytesIO()
    tint(pixels, evidence, strongest).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def draw_sentence(sentence: str) -> bytes:
    """Return a picture, as SVG, that says why there is no slice."""
    lines = [""]
    for word in escaped(sentence).split():
        if lines[-1] and len(lines[-1]) + len(word) >= LINE_CHARACTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    top = 200 - 12 * len(lines)
    text = "".join(
        f'<tspan x="200" y="{top + 24 * number}">{escape(line)}</tspan>' for number, line in enumerate(lines)
    )
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">'
        '<rect width="400" height="400" fill="#000"/>'
        f'<text fill="#b6bec8" font-family="system-ui, sans-serif" font-size="16" text-anchor="middle">{text}'
        "</text></svg>"
    )
    return drawn.encode()


def to_nifti(volume: LazyVolume) -> bytes:
    """Return a volume as a compressed NIfTI file, float32, for a viewer in the browser.

    Raises
    ------
    InputError
        If a slice of it cannot be decoded.
    """
    geometry = volume.geometry
    voxels = volume.read_slices(range(geometry.shape[0]))
    image = nib.Nifti1Image(np.nan_to_num(voxels), _LPS_TO_RAS @ geometry.affine)  # type: ignore[no-untyped-call]
    content: bytes = image.to_bytes()
    return gzip.compress(content, _NIFTI_LEVEL, mtime=0)

"""What kind of file it is, told by its first bytes and never by its name."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from PIL import ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

PREFIX_BYTES = 1024
"""Enough for every signature below, of which NIfTI-1's lies furthest inside (byte 344)."""
_BMP_HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}  # every published size of the header after byte 14
_NIFTI_MAGIC_AT = 344
_NIFTI_1 = (b"n+1\0", b"ni1\0")
_NIFTI_2 = (b"n+2\0", b"ni2\0")
_NIFTI_2_MAGIC_AT = 4
_GZIP_WINDOW = 31  # zlib's number for "expect a gzip header"


@dataclass(frozen=True)
class SliceFormat:
    """An image format that is read.

    ``open`` is the Pillow class itself, not `PIL.Image.open`: that one warns or raises about large
    images by process-wide settings, before their size can be seen here.
    """

    name: str
    open: Callable[[BinaryIO], ImageFile.ImageFile]


_PNG = SliceFormat("PNG", PngImageFile)
_JPEG = SliceFormat("JPEG", JpegImageFile)
_BMP = SliceFormat("BMP", BmpImageFile)
_TIFF = SliceFormat("TIFF", TiffImageFile)
_GIF = SliceFormat("GIF", GifImageFile)
_WEBP = SliceFormat("WebP", WebPImageFile)
_READ = {
    b"\x89PNG\r\n\x1a\n": _PNG,
    b"\xff\xd8\xff": _JPEG,
    b"II*\0": _TIFF,
    b"MM\0*": _TIFF,
    b"II+\0": _TIFF,
    b"MM\0+": _TIFF,
    b"GIF87a": _GIF,
    b"GIF89a": _GIF,
}
READ_FORMATS = "PNG, JPEG, BMP, TIFF, GIF or WebP"

_NOT_READ = {
    b"%PDF": "a PDF",
    b"PK\3\4": "a ZIP archive",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image",
    b"\xff\x0a": "a JPEG XL image",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"NRRD": "an NRRD volume",
    b"\x93NUMPY": "a NumPy array",
    b"8BPS": "a Photoshop image",
}


def find_format(prefix: bytes) -> SliceFormat | None:
    """Return the format that a file's first `PREFIX_BYTES` show, or None if it is none that is read."""
    for signature, image_format in _READ.items():
        if prefix.startswith(signature):
            return image_format
    if prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP":
        return _WEBP
    if prefix[:2] == b"BM" and int.from_bytes(prefix[14:18], "little") in _BMP_HEADER_BYTES:
        return _BMP  # "BM" alone also begins ordinary texts
    return None


def find_other_format(prefix: bytes) -> str | None:
    """Return in words what a file is that holds data, but no slice image; None if unknown."""
    if prefix[128:132] == b"DICM":
        return "a DICOM file"
    if _is_nifti(prefix):
        return "a NIfTI volume"
    if prefix.startswith(b"\x1f\x8b"):
        return "a compressed NIfTI volume" if _is_nifti(_gunzip(prefix)) else "a gzip archive"
    if prefix[4:8] == b"ftyp":
        return "a HEIF or AVIF image" if prefix[8:10] in (b"he", b"mi", b"ms", b"av") else "a video"
    for signature, words in _NOT_READ.items():
        if prefix.startswith(signature):
            return words
    return None


def _is_nifti(prefix: bytes) -> bool:
    nifti_1 = prefix[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 4] in _NIFTI_1
    return nifti_1 or prefix[_NIFTI_2_MAGIC_AT : _NIFTI_2_MAGIC_AT + 4] in _NIFTI_2


def _gunzip(prefix: bytes) -> bytes:
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(prefix, PREFIX_BYTES)
    except (zlib.error, struct.error):
        return b""

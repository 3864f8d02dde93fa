"""What kind of file it is, told by its first bytes and never by its name."""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from gadoscope.reading.dicom.syntaxes import has_preamble
from gadoscope.reading.nifti.kin import is_analyze, is_mgh
from gadoscope.reading.other_kinds import OtherKind, find_content_kind

if TYPE_CHECKING:
    from PIL import ImageFile

PREFIX_BYTES = 1024
"""Enough for every signature below; the class of a DICOM file, by which a DICOMDIR is known, lies furthest
inside."""
_BMP_HEADER_BYTES = {12, 40, 52, 56, 64, 108, 124}  # every published size of the header after byte 14
_NIFTI_MAGIC_AT = 344
_NIFTI_1 = (b"n+1\0", b"ni1\0")
_NIFTI_2 = (b"n+2\0", b"ni2\0")
_NIFTI_2_MAGIC_AT = 4
GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's number for "expect a gzip header"
_XZ = b"\xfd7zXZ\0"
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # then a block, or at once the end
_XZ_MEMORY_BYTES = 2**27  # twice what `xz -9` takes
# POSIX ustar: the sum of a header's bytes as octal digits, themselves counted as blanks.
_TAR_BLOCK_BYTES, _TAR_CHECKSUM_AT, _TAR_CHECKSUM_BYTES = 512, 148, 8
_TAR_CHECKSUM = re.compile(rb" *([0-7]{1,7})[\0 ]")
_FIRST_GROUPS = {2, 8}  # file meta information and identification
# Media Storage Directory Storage (PS3.6), as a value: followed by its padding or by the next element.
_DICOMDIR_CLASS = re.compile(rb"1\.2\.840\.10008\.1\.3\.10(?![.0-9])")
_VALUE_REPRESENTATION = re.compile(rb"A[EST]|CS|D[AST]|F[DL]|IS|L[OT]|O[BDFLVW]|PN|S[HLQSTV]|TM|U[CILNRSTV]")
# Bytes that no text holds: control characters other than tab, line ends, form feed and escape.
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16


class Kind(Enum):
    """What the first bytes of a file say it is."""

    IMAGE = auto()
    """A slice image: `find_format` says which."""
    DICOM = auto()
    """An instance, with or without preamble."""
    DICOMDIR = auto()
    """The directory of a DICOM medium."""
    NIFTI = auto()
    """NIfTI-1 or -2, Analyze 7.5 or MGH, perhaps compressed, perhaps the header of a pair."""
    ZIP = auto()
    TAR = auto()
    """Perhaps compressed; of BZip2 only the whole file tells that it is one."""
    OTHER = auto()
    """Known, but not read: `find_other_kind` says what."""
    TEXT = auto()
    EMPTY = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class SliceFormat:
    """An image format that is read.

    Parameters
    ----------
    name
        As a person writes it.
    stem
        As Pillow writes it, in the names of its plugin and of its class.
    """

    name: str
    stem: str

    def open(self, file: BinaryIO) -> "ImageFile.ImageFile":
        """Open a file by the Pillow class itself, which is imported now.

        Not by `PIL.Image.open`: that one warns or raises about large images by process-wide settings, before
        their size can be seen here.
        """
        plugin = import_module(f"PIL.{self.stem}ImagePlugin")
        opened: ImageFile.ImageFile = getattr(plugin, f"{self.stem}ImageFile")(file)
        return opened


_PNG = SliceFormat("PNG", "Png")
_JPEG = SliceFormat("JPEG", "Jpeg")
_BMP = SliceFormat("BMP", "Bmp")
TIFF = SliceFormat("TIFF", "Tiff")
_GIF = SliceFormat("GIF", "Gif")
_WEBP = SliceFormat("WebP", "WebP")
_READ = {
    b"\x89PNG\r\n\x1a\n": _PNG,
    b"\xff\xd8\xff": _JPEG,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,
    b"MM\0+": TIFF,
    b"GIF87a": _GIF,
    b"GIF89a": _GIF,
}
READ_FORMATS = "PNG, JPEG, BMP, TIFF, GIF or WebP"


def find_kind(prefix: bytes) -> Kind:
    """Return what a file's first `PREFIX_BYTES` show."""
    if has_preamble(prefix):
        return Kind.DICOMDIR if _DICOMDIR_CLASS.search(prefix) else Kind.DICOM
    if find_format(prefix) is not None:
        return Kind.IMAGE  # what most files are, told at once: no element of DICOM begins as an image does
    return next((kind for kind, fits in _TESTS if fits(prefix)), Kind.UNKNOWN)


def is_dicom(prefix: bytes) -> bool:
    """Return whether a file begins as DICOM: with the preamble, or at once with two data elements.

    Without preamble the first element is of group 2 (file meta) or 8 (identifying), and the second one
    follows it: nothing else begins so by chance.
    """
    if has_preamble(prefix):
        return True
    return any(_are_two_elements(prefix, order) for order in "<>")


def _are_two_elements(prefix: bytes, order: str) -> bool:
    try:
        group, first, representation, length = struct.unpack_from(f"{order}HH2sH", prefix)
        if group not in _FIRST_GROUPS:  # most files end here
            return False
        is_explicit = _VALUE_REPRESENTATION.fullmatch(representation) is not None
        if not is_explicit:
            (length,) = struct.unpack_from(f"{order}I", prefix, 4)
        next_group, second = struct.unpack_from(f"{order}HH", prefix, 8 + length)
    except struct.error:  # the first value is longer than the prefix, or the file ends here
        return False
    return next_group in _FIRST_GROUPS and length % 2 == 0 and (next_group, second) > (group, first)


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


def is_rare(prefix: bytes) -> bool:
    """Return whether an image is neither PNG nor JPEG, whose decoders billions of files have tried."""
    return find_format(prefix) not in (_PNG, _JPEG)


def is_tar(prefix: bytes) -> bool:
    """Return whether a file begins as a tar: its first header's checksum is right, whatever its version."""
    said = _TAR_CHECKSUM.match(prefix, _TAR_CHECKSUM_AT)
    if said is None or len(prefix) < _TAR_BLOCK_BYTES:
        return False
    end = _TAR_CHECKSUM_AT + _TAR_CHECKSUM_BYTES
    others = prefix[:_TAR_CHECKSUM_AT] + prefix[end:_TAR_BLOCK_BYTES]
    return int(said[1], 8) == sum(others) + _TAR_CHECKSUM_BYTES * ord(" ")


def is_packed_tar(prefix: bytes) -> bool:
    """Return whether a file is a tar, compressed or not; a BZip2 file always may be one."""
    if prefix.startswith(GZIP):
        return is_tar(gunzip(prefix))
    if prefix.startswith(_XZ):
        return is_tar(_unxz(prefix))
    return _BZIP2.match(prefix) is not None or is_tar(prefix)


def find_other_kind(prefix: bytes) -> OtherKind | None:
    """Return what a file is that is no input, but of a known kind; None if it is an input, or unknown."""
    if prefix.startswith(GZIP):
        return OtherKind("a gzip archive", "unpack it first")
    return find_content_kind(prefix)


def find_other_format(prefix: bytes) -> str | None:
    """Return in words what a file is that holds data, but no slice image; None if unknown."""
    if is_dicom(prefix):
        return "a DICOM file"
    for article, content in (("a ", prefix), ("a compressed ", gunzip(prefix))):
        if _is_volume(content):
            return f"{article}{'NIfTI' if _is_nifti(content) else 'FreeSurfer or Analyze'} volume"
    if is_tar(prefix):
        return "a tar archive"
    other = find_other_kind(prefix)
    return None if other is None else other.words


def _is_text(prefix: bytes) -> bool:
    return prefix.startswith(_WIDE_TEXT) or _NOT_TEXT.search(prefix) is None


def _is_nifti(prefix: bytes) -> bool:
    nifti_1 = prefix[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 4] in _NIFTI_1
    return nifti_1 or prefix[_NIFTI_2_MAGIC_AT : _NIFTI_2_MAGIC_AT + 4] in _NIFTI_2


def _is_kin(prefix: bytes) -> bool:
    """Return whether it is MGH, or an Analyze header; what is longer than one is a damaged NIfTI file."""
    return is_mgh(prefix) or (len(prefix) < PREFIX_BYTES and is_analyze(prefix))


def _is_volume(prefix: bytes) -> bool:
    return _is_nifti(prefix) or _is_kin(prefix)


def gunzip(prefix: bytes) -> bytes:
    """Return what the first bytes of a gzip file hold; empty where it is damaged."""
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(prefix, PREFIX_BYTES)
    except (zlib.error, struct.error):
        return b""


def _unxz(prefix: bytes) -> bytes:
    import lzma  # noqa: PLC0415 — few files need it

    try:
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES).decompress(prefix, PREFIX_BYTES)
    except lzma.LZMAError:
        return b""


# In this order: DICOM before images, for its preamble is free for another format's beginning, such as
# TIFF's (PS3.10 7.1).
_TESTS: tuple[tuple[Kind, Callable[[bytes], object]], ...] = (
    (Kind.EMPTY, lambda prefix: not prefix),
    (Kind.DICOMDIR, lambda prefix: is_dicom(prefix) and _DICOMDIR_CLASS.search(prefix)),
    (Kind.DICOM, is_dicom),
    (Kind.IMAGE, find_format),
    (Kind.NIFTI, _is_volume),
    (Kind.NIFTI, lambda prefix: prefix.startswith(GZIP) and _is_volume(gunzip(prefix))),
    (Kind.ZIP, lambda prefix: prefix.startswith((b"PK\3\4", b"PK\5\6"))),
    (Kind.TAR, is_packed_tar),
    (Kind.OTHER, find_other_kind),
    (Kind.TEXT, _is_text),
)

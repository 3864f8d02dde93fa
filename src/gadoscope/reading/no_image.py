"""Why a file that is no image has no answer: the one rule for content and name.

1. Content that is known decides, whatever the name says. What is read is read under any name. What holds
   data of a kind that is not read is refused with that kind and what to do (``unsupported_format``); a
   program, a font, an icon is refused as what it is (``other_file``); so is text (``text_file``).
2. Of a file that is empty, or whose content (also inside gzip) is nothing known, the name is asked. Where it
   ends as a scan or an archive does (``.dcm``, ``.nii.gz``, ``.png``, ``.zip`` ...), like a download that was
   not finished, in a number, or has no suffix at all, as on most media, it may have been a scan: ``failed``.
3. Any other suffix never claimed to be a scan: refused.
"""

import re

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.formats import GZIP, READ_FORMATS, Kind, find_other_kind, gunzip
from gadoscope.reading.other_kinds import HDF5, MINC, NETCDF, find_name_kind

EXPECTED = f"DICOM, NIfTI, Analyze, MGH, {READ_FORMATS}, or a zip or tar of them"
"""What is read, in words."""
# DICOM, also by modality; volumes; slices; archives; downloads and copies that were not finished.
_SCAN_SUFFIXES = frozenset(
    """
    dcm dicom dic dc acr ima img hdr mr mri ct pt us nm cr dr dx sc ot xa rf pet pr sr
    nii mgz mgh mnc nrrd nhdr mha mhd head par avw vmr mif
    png jpg jpeg jpe jfif bmp dib tif tiff gif webp jp jpx jls jxl heic heif avif pgm ppm pnm tga psd
    zip tar tgz tbz txz gz xz bz rar zst lz lzma z
    part partial crdownload download tmp temp bak backup old orig copy new
    """.split()  # noqa: SIM905 — a line each kind
)
# Longer or mixed endings are rather a part of the name, such as a UID or a person's.
_OTHER_SUFFIX = re.compile(r"[a-z]{1,4}")
_PAIR_SUFFIXES = (".img", ".img.gz")
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
"""One that was packed from nothing holds zeros alone, which no content tells from a blanked file."""


def explain_no_image(kind: Kind, prefix: bytes, name: str, expected: str = EXPECTED) -> InputError:
    """Return the error of a file that is no image, no volume, no instance and no archive.

    Parameters
    ----------
    kind
        As `find_kind` told it from ``prefix``, the file's first bytes.
    name
        Last part of its name.
    expected
        The kinds that are read, in words.
    """
    other, named = find_other_kind(prefix), find_name_kind(name)
    if other in (HDF5, NETCDF) and named is MINC:
        other = MINC  # both of its versions are one of these, and say so far inside only
    if prefix.startswith(GZIP) and _ends_as_scan(name.lower().removesuffix(".gz")):
        return _explain_unknown(name, expected, gunzip(prefix))  # what it holds is nothing known, or damaged
    if other is not None:
        return other.refuse()
    if kind is Kind.TEXT:
        return RefusedError("text_file", f"this is text, not an image; expected {expected}.")
    if named is not None and not (kind is Kind.EMPTY and named.remedy):
        return named.refuse()
    if kind is Kind.EMPTY:
        return ReadError("empty_file", "the file is empty (0 bytes); copy it again from its source.")
    return _explain_unknown(name, expected, prefix)


def _explain_unknown(name: str, expected: str, prefix: bytes) -> InputError:
    if name.lower().endswith(_PAIR_SUFFIXES):
        return ReadError("missing_pair", "this .img holds voxels that a .hdr beside it describes: give both.")
    if name.lower().endswith(_TAR_SUFFIXES) and prefix and not prefix.strip(b"\0"):
        return RefusedError("empty_archive", "the archive holds no file to read.")
    if may_be_a_scan(name):
        return ReadError(
            "not_an_image", f"the content is no image, whatever the name says; expected {expected}."
        )
    return RefusedError(
        "other_file", "neither its content is of a known kind, nor does its name end as a scan's: no scan."
    )


def may_be_a_scan(name: str) -> bool:
    """Return whether a file of this name, whose content says nothing, may have been a scan."""
    stem, dot, suffix = name.lower().rpartition(".")
    return not (dot and stem) or _ends_as_scan(name.lower()) or not _OTHER_SUFFIX.fullmatch(suffix)


def _ends_as_scan(name: str) -> bool:
    return "." in name and name.rpartition(".")[2] in _SCAN_SUFFIXES

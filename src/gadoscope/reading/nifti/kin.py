"""Volumes that are no NIfTI but read like it, known by their first bytes: Analyze 7.5 and FreeSurfer's MGH.

Neither has a signature worth the name, so the fields are asked whether they can be true. Light: used for
every file whose kind is looked for.

References
----------
Mayo Clinic, "ANALYZE 7.5 File Format"; FreeSurfer wiki, "MghFormat"
"""

import math
import struct

ANALYZE_BYTES = 348
"""Of an Analyze header, which is a file of its own (.hdr)."""
MGH_HEADER_BYTES = 90
"""Of an MGH header that says something; voxels begin at byte 284."""
_ANALYZE_DIMENSIONS_AT, _ANALYZE_TYPE_AT = 40, 70
_NIFTI_MAGIC_AT, _NIFTI_MAGIC = 344, (b"n+1\0", b"ni1\0")
_MOST_AXES = 7
_ANALYZE_TYPES = {1, 2, 4, 8, 16, 32, 64, 128, 130, 132, 136, 256, 512, 768}  # Mayo's, SPM's and NIfTI's
_MGH_VERSION, _MGH_TYPES = 1, range(11)
_MGH_LONGEST_SIDE = 2**20  # surfaces are stored as one long line
_MGH_LARGEST_VOXEL_MM = 1000.0


def is_analyze(block: bytes) -> bool:
    """Return whether these are the first bytes of an Analyze 7.5 header, SPM's included."""
    return analyze_order(block) != ""


def analyze_order(block: bytes) -> str:
    """Return the byte order of an Analyze header, ``<`` or ``>``; empty where it is none."""
    if len(block) < ANALYZE_BYTES or block[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 4] in _NIFTI_MAGIC:
        return ""
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", block)
        n_axes, *sides = struct.unpack_from(f"{order}8h", block, _ANALYZE_DIMENSIONS_AT)
        (code,) = struct.unpack_from(f"{order}h", block, _ANALYZE_TYPE_AT)
        if size == ANALYZE_BYTES and 1 <= n_axes <= _MOST_AXES and code in _ANALYZE_TYPES:
            return order if min(sides[:n_axes]) > 0 else ""
    return ""


def is_mgh(block: bytes) -> bool:
    """Return whether these are the first bytes of an MGH file, inflated."""
    if len(block) < MGH_HEADER_BYTES:
        return False
    version, *sides, code = struct.unpack_from(">6i", block)
    has_place, *spacing = struct.unpack_from(">h3f", block, 28)
    if version != _MGH_VERSION or code not in _MGH_TYPES or has_place not in (0, 1):
        return False
    is_size = all(0 < side <= _MGH_LONGEST_SIDE for side in sides)
    is_place = all(math.isfinite(mm) and 0 < mm <= _MGH_LARGEST_VOXEL_MM for mm in spacing)
    return is_size and (is_place or not has_place)

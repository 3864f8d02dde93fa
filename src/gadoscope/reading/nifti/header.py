"""What the header of a NIfTI file says, checked before any voxel is read.

Whatever cannot be true is refused or told; nothing is repaired silently.

References
----------
NIfTI-1.1 and NIfTI-2, https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields
"""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from gadoscope.errors import ReadError, RefusedError
from gadoscope.imaging.volume import Geometry
from gadoscope.reading.nifti.affine import find_affine, find_slice_axis
from gadoscope.reading.nifti.fields import VOXEL_TYPES, NiftiFields

HEADER_BYTES = 540
"""Of NIfTI-2; NIfTI-1 has 348."""
MAX_SIDE_VOXELS = 4096
"""No head scan has more along an axis: post-mortem scans at 0.1 mm have 2,000."""
MAX_VOLUME_VOXELS = 2**29
"""A cube of 800; 0.5 mm over a whole head is a cube of 512."""
MAX_VOLUMES = 512
"""Dynamic contrast series have up to 300 volumes; functional ones, which are no T1, often more."""
LONGEST_DYNAMIC_ECHO_MS = 15.0
"""Dynamic T1 series are gradient echoes of 1 to 5 ms; T2* begins to show at 15, BOLD has 20 to 50."""
_ECHO_TIME = re.compile(rb"\bTE=(\d{1,4}(?:\.\d{1,6})?)")
_MAX_DIMENSIONS = 7
_SPATIAL = 3
_TIME_AXIS = 4  # counted from 1, as in the header

_MAGIC = {348: (344, b"n+1\0", b"ni1\0"), 540: (4, b"n+2\0", b"ni2\0")}
# nifti1.h: what the voxels are, where it is no intensity of an image.
_STATISTICS = range(2, 25)
_OTHER_INTENTS = (*range(1001, 1011), *range(2002, 2006), *range(3000, 3100))
_COLOURS = (128, 2304)  # RGB24, RGBA32
_COMPLEX = (32, 1792, 2048)


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What is needed to read the slices of a NIfTI file.

    Attributes
    ----------
    shape
        Voxels along the file's three axes, and volumes.
    dtype
        As stored, with its byte order.
    offset
        Byte at which the voxels begin.
    is_pair
        Whether the voxels lie in another file (.img).
    slope, intercept
        value = stored * slope + intercept; 1 and 0 where the file has no scaling.
    window
        Values shown as black and white, after scaling; ``None`` if not said.
    slice_axis
        Which of the three axes of ``shape`` counts slices.
    geometry
        Of one volume.
    warnings
        Repairs, one sentence each.
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    offset: int
    is_pair: bool
    slope: float
    intercept: float
    window: tuple[float, float] | None
    slice_axis: int
    geometry: Geometry
    warnings: tuple[str, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes up to the end of the last voxel, in the file that holds the voxels."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def parse_header(block: bytes) -> NiftiHeader:
    """Return what the first `HEADER_BYTES` of a NIfTI file, inflated, say.

    Raises
    ------
    ReadError
        ``bad_header``, if a field cannot be true; ``truncated``, if the file ends inside its header.
    RefusedError
        ``colour_volume``, ``complex_volume``, ``unsupported_datatype``, ``not_intensities``,
        ``not_a_volume``, ``too_large``, ``too_many_volumes``, ``bad_geometry``.
    """
    with np.errstate(all="ignore"):  # NaN and infinity among the fields: each is checked for them
        return _parse(*_recognise(block))


def _parse(fields: NiftiFields, is_pair: bool) -> NiftiHeader:
    notes: list[str] = []
    shape = read_shape(fields)
    _check_meaning(fields)
    _check_time_series(shape[_SPATIAL], fields)
    dtype = read_dtype(fields)
    slope, intercept = _read_scaling(fields, notes)
    affine = find_affine(fields, notes)
    slice_axis = find_slice_axis(shape[:_SPATIAL], affine, fields.slice_axis)
    within = [axis for axis in (2, 1, 0) if axis != slice_axis]
    order = [slice_axis, *within]
    return NiftiHeader(
        shape=shape,
        dtype=dtype,
        offset=read_offset(fields, is_pair=is_pair, notes=notes),
        is_pair=is_pair,
        slope=slope,
        intercept=intercept,
        window=read_window(fields, dtype, is_scaled=(slope, intercept) != (1.0, 0.0)),
        slice_axis=slice_axis,
        geometry=Geometry((shape[order[0]], shape[order[1]], shape[order[2]]), affine[:, [*order, 3]]),
        warnings=tuple(notes),
    )


def _recognise(block: bytes) -> tuple[NiftiFields, bool]:
    """Return the fields, and whether the voxels lie in a file of their own."""
    for size, (at, single, pair) in _MAGIC.items():
        magic = block[at : at + 4]
        if magic not in (single, pair):
            continue
        if len(block) < size:
            raise ReadError(
                "truncated", "the file ends inside its NIfTI header; copy it again from its source."
            )
        said = int.from_bytes(block[:4], "little")
        for sign, own_size in (("<", said), (">", int.from_bytes(block[:4], "big"))):
            if own_size == size:
                return NiftiFields(block[:size], sign), magic == pair
        raise ReadError(
            "bad_header", f"its NIfTI header says it has {said} bytes, not {size}; convert the scan again."
        )
    raise ReadError("not_an_image", "the content is no NIfTI volume, whatever the name says.")


def read_shape(fields: Any) -> tuple[int, int, int, int]:
    """Return voxels along the three axes, and volumes; errors as `parse_header`."""
    n_axes, *sides = (int(side) for side in fields["dim"])
    sides = sides[: max(n_axes, 0)]
    if not 1 <= n_axes <= _MAX_DIMENSIONS or min(sides) < 1:
        raise ReadError(
            "bad_header",
            f"its NIfTI header has the dimensions {[n_axes, *sides]}; each must be 1 or more: "
            "convert the scan again.",
        )
    return check_shape(sides)


def check_shape(sides: list[int]) -> tuple[int, int, int, int]:
    """Return the sides of a volume and the number of volumes; refuse what is no scan of a head."""
    sides = list(sides)
    while len(sides) > _SPATIAL and sides[-1] == 1:
        sides.pop()
    text = " x ".join(map(str, sides))
    if len(sides) < 2 or len(sides) > _TIME_AXIS:  # noqa: PLR2004 — one picture has two axes
        raise RefusedError(
            "not_a_volume", f"{text} values have {len(sides)} axes; a volume has 3, or 4 with time."
        )
    row, column, n_slices, n_volumes = (*sides, 1, 1)[:_TIME_AXIS]
    if max(row, column, n_slices) > MAX_SIDE_VOXELS or row * column * n_slices > MAX_VOLUME_VOXELS:
        raise RefusedError(
            "too_large",
            f"{text} voxels are no head scan; at most {MAX_SIDE_VOXELS} along an axis and "
            f"{MAX_VOLUME_VOXELS} in a volume are read.",
        )
    if n_volumes > MAX_VOLUMES:
        raise RefusedError(
            "too_many_volumes",
            f"{n_volumes} volumes are no contrast series but functional or diffusion data; "
            f"at most {MAX_VOLUMES} are read.",
        )
    return row, column, n_slices, n_volumes


def _check_meaning(fields: Any) -> None:
    code = int(fields["intent_code"])
    if code in _STATISTICS or code in _OTHER_INTENTS:
        from nibabel.nifti1 import intent_codes  # noqa: PLC0415 — knows their names, and takes half a second

        label = intent_codes.label.get(code, "unknown")
        raise RefusedError(
            "not_intensities",
            f'its NIfTI intent {code} ("{label}") means statistics, labels or vectors, not an image.',
        )


def _check_time_series(n_volumes: int, fields: Any) -> None:
    """Refuse volumes of a long echo, which dcm2niix and SPM write into ``descrip`` ("TE=30;Time=...")."""
    said = _ECHO_TIME.search(bytes(fields["descrip"].item()))
    if said is not None and n_volumes > 1 and float(said[1]) > LONGEST_DYNAMIC_ECHO_MS:
        raise RefusedError(
            "functional",
            f"{n_volumes} volumes with an echo time of {float(said[1]):g} ms are functional or perfusion "
            f"data; a dynamic T1 series has at most {LONGEST_DYNAMIC_ECHO_MS:g} ms.",
        )


def read_dtype(fields: Any) -> np.dtype[Any]:
    """Return the type of the voxels with its byte order; refuse what are no real numbers."""
    code = int(fields["datatype"])
    if code in _COLOURS:
        raise RefusedError("colour_volume", "its voxels are colours; give the grey volume it was made from.")
    if code in _COMPLEX:
        raise RefusedError("complex_volume", "its voxels are complex numbers; give the magnitude.")
    if code not in VOXEL_TYPES:
        raise RefusedError(
            "unsupported_datatype", f"its NIfTI datatype {code} is none that is read; save it as float32."
        )
    with_order: np.dtype[Any] = np.dtype(VOXEL_TYPES[code]).newbyteorder(fields.endianness)
    return with_order


def _read_scaling(fields: Any, notes: list[str]) -> tuple[float, float]:
    """Return slope and intercept: 1 and 0 where the slope is 0 (the standard's "none") or NaN (nibabel's)."""
    slope, intercept = float(fields["scl_slope"]), float(fields["scl_inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0
    if math.isinf(slope):
        notes.append("its scaling (scl_slope) is infinite: the stored values were used")
        return 1.0, 0.0
    if not math.isfinite(intercept):
        notes.append("its intercept (scl_inter) is no number: taken as 0")
        intercept = 0.0
    return slope, intercept


def read_window(fields: Any, dtype: np.dtype[Any], *, is_scaled: bool) -> tuple[float, float] | None:
    """Return the values shown as black and white, or ``None``."""
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    if math.isfinite(low) and math.isfinite(high) and low < high:
        return low, high
    return (0.0, 255.0) if dtype == np.uint8 and not is_scaled else None


def read_offset(fields: Any, *, is_pair: bool, notes: list[str]) -> int:
    """Return the byte at which the voxels begin, in the file that holds them."""
    offset = float(fields["vox_offset"])
    if not (math.isfinite(offset) and offset >= 0 and offset.is_integer()):
        raise ReadError(
            "bad_header", f"its NIfTI header puts the voxels at byte {offset:g}; convert the scan again."
        )
    first = 0 if is_pair else fields.single_vox_offset
    if offset < first:
        notes.append("its voxel offset lies inside the header: taken as the first byte behind it")
    return max(int(offset), first)

"""The fields of a NIfTI header, and the two matrices that they spell: read here, without nibabel.

nibabel loads pydicom and a part of scipy, which is more than all the rest of answering one volume. What it
makes of the same bytes is compared with this by the tests, to the last bit.

References
----------
NIfTI-1.1 and NIfTI-2, https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SPATIAL = 3
_EXTENSION_BYTES = 4
"""Behind the header of a single file, even where no extension follows: then come the voxels."""

_PLACES_1 = [(f"qoffset_{axis}", "f4") for axis in "xyz"] + [(f"srow_{axis}", "f4", (4,)) for axis in "xyz"]
_PLACES_2 = [(f"qoffset_{axis}", "f8") for axis in "xyz"] + [(f"srow_{axis}", "f8", (4,)) for axis in "xyz"]
_QUATERNION_1 = [(f"quatern_{axis}", "f4") for axis in "bcd"]
_QUATERNION_2 = [(f"quatern_{axis}", "f8") for axis in "bcd"]

# What nobody here asks for is skipped: its bytes are counted, not named.
_NIFTI_1: Any = [
    *[("sizeof_hdr", "i4"), ("skipped_1", "V35"), ("dim_info", "u1"), ("dim", "i2", (8,))],
    *[("skipped_2", "V12"), ("intent_code", "i2"), ("datatype", "i2"), ("skipped_3", "V4")],
    *[("pixdim", "f4", (8,)), ("vox_offset", "f4"), ("scl_slope", "f4"), ("scl_inter", "f4")],
    *[("skipped_4", "V3"), ("xyzt_units", "u1"), ("cal_max", "f4"), ("cal_min", "f4")],
    *[("skipped_5", "V16"), ("descrip", "S80"), ("skipped_6", "V24")],
    *[("qform_code", "i2"), ("sform_code", "i2"), *_QUATERNION_1, *_PLACES_1, ("skipped_7", "V20")],
]
_NIFTI_2: Any = [
    *[
        ("sizeof_hdr", "i4"),
        ("skipped_1", "V8"),
        ("datatype", "i2"),
        ("skipped_2", "V2"),
        ("dim", "i8", (8,)),
    ],
    *[("skipped_3", "V24"), ("pixdim", "f8", (8,)), ("vox_offset", "i8")],
    *[("scl_slope", "f8"), ("scl_inter", "f8"), ("cal_max", "f8"), ("cal_min", "f8"), ("skipped_4", "V32")],
    *[("descrip", "S80"), ("skipped_5", "V24"), ("qform_code", "i4"), ("sform_code", "i4")],
    *[*_QUATERNION_2, *_PLACES_2, ("skipped_6", "V4"), ("xyzt_units", "i4"), ("intent_code", "i4")],
    *[("skipped_7", "V16"), ("dim_info", "u1"), ("skipped_8", "V15")],
]
_LAYOUTS = {layout.itemsize: layout for layout in map(np.dtype, (_NIFTI_1, _NIFTI_2))}

VOXEL_TYPES = {
    2: np.uint8,
    4: np.int16,
    8: np.int32,
    16: np.float32,
    64: np.float64,
    256: np.int8,
    512: np.uint16,
    768: np.uint32,
    1024: np.int64,
    1280: np.uint64,
}
"""The field ``datatype`` where it means real numbers that NumPy has everywhere."""

# A quaternion whose first part, squared, is less than this is a half turn: as exact as its fields are stored.
_LEAST_W2 = {348: float(3 * np.finfo(np.float32).eps), 540: float(3 * np.finfo(np.float64).eps)}


class NiftiFields:
    """The fields by their names in the standard: ``fields["pixdim"]``; what is taken out can be changed.

    Parameters
    ----------
    block
        The header, 348 bytes of NIfTI-1 or 540 of NIfTI-2.
    endianness
        ``<`` or ``>``.
    """

    def __init__(self, block: bytes, endianness: str) -> None:
        layout = _LAYOUTS[len(block)].newbyteorder(endianness)  # type: ignore[arg-type]  # "<" or ">"
        self._values: Any = np.frombuffer(block, layout).copy().reshape(())
        self._size = len(block)
        self.endianness = endianness

    def __getitem__(self, name: str) -> Any:
        """Return a field, of no axis or of one."""
        return self._values[name]

    @property
    def single_vox_offset(self) -> int:
        """The first byte that voxels can have in a file that holds the header too."""
        return self._size + _EXTENSION_BYTES

    @property
    def slice_axis(self) -> int | None:
        """Which axis ``dim_info`` says counts slices, from 0; None if it does not say."""
        stated = (int(self["dim_info"]) >> 4) & 3
        return stated - 1 if stated else None

    def read_sform(self) -> NDArray[np.float64]:
        """Return the matrix (4, 4) of method 3: index (i, j, k) to x, y, z in the file's unit, RAS+."""
        affine = np.eye(4)
        for row, axis in enumerate("xyz"):
            affine[row] = self[f"srow_{axis}"]
        return affine

    def read_qform(self) -> NDArray[np.float64]:
        """Return the matrix (4, 4) of method 2, as `read_sform`; ``pixdim[0]`` is 1 or -1.

        Raises
        ------
        ValueError
            If the quaternion is none of a rotation, or a voxel size is below 0.
        """
        sizes = self["pixdim"][1 : 1 + _SPATIAL].copy()
        if (sizes < 0).any():
            raise ValueError("a voxel size is below 0.")
        sizes[-1] *= self["pixdim"][0]
        affine = np.eye(4)
        affine[:_SPATIAL, :_SPATIAL] = self._read_rotation() @ np.diag(sizes)
        affine[:_SPATIAL, _SPATIAL] = [self[f"qoffset_{axis}"] for axis in "xyz"]
        return affine

    def _read_rotation(self) -> NDArray[np.longdouble]:
        """Return (3, 3): of the unit quaternion whose first part, not negative, is not stored."""
        parts = np.array([self[f"quatern_{axis}"] for axis in "bcd"], dtype=np.longdouble)
        w2 = np.longdouble(1 - parts @ parts)
        is_half_turn = abs(w2) < _LEAST_W2[self._size]
        if w2 < 0 and not is_half_turn:
            raise ValueError("the quaternion is longer than 1.")
        (x, y, z), w = parts, np.longdouble(0) if is_half_turn else np.sqrt(w2)
        doubled = 2 / (w * w + x * x + y * y + z * z)
        xs, ys, zs = parts * doubled
        return np.array(
            [
                [1 - (y * ys + z * zs), x * ys - w * zs, x * zs + w * ys],
                [x * ys + w * zs, 1 - (x * xs + z * zs), y * zs - w * xs],
                [x * zs - w * ys, y * zs + w * xs, 1 - (x * xs + y * ys)],
            ]
        )

    def read_sizes(self) -> NDArray[np.float64]:
        """Return the matrix (4, 4) of sizes alone: axes to the left, front and head, the middle at 0."""
        n_axes = min(_SPATIAL, int(self["dim"][0]))
        sides, sizes = np.ones(_SPATIAL), np.ones(_SPATIAL)
        sides[:n_axes], sizes[:n_axes] = self["dim"][1 : 1 + n_axes], self["pixdim"][1 : 1 + n_axes]
        sizes[0] *= -1
        affine = np.diag([*sizes, 1.0])
        affine[:_SPATIAL, _SPATIAL] = -(sides - 1) / 2 * sizes
        return affine

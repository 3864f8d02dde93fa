"""What the header of an Analyze 7.5 pair says, as a NIfTI header would; SPM99's and SPM2's are the same.

Analyze does not tell left from right, and mostly not how the head lies either. Its field ``orient`` names a
plane, which few programs write; without it the axes are taken as nibabel and SPM take them (LAS). SPM's
matrix, in a .mat beside, says it all but, in its older form, the side.

References
----------
Mayo Clinic, "ANALYZE 7.5 File Format"; nibabel's ``spm2analyze`` and ``spm99analyze``
"""

import io
from typing import Any

import numpy as np
from nibabel.spm2analyze import Spm2AnalyzeHeader
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError
from gadoscope.extras import install_command
from gadoscope.imaging.volume import Geometry
from gadoscope.reading.archives.places import Place, open_place
from gadoscope.reading.nifti.affine import FARTHEST, RAS_TO_LPS, find_slice_axis, is_usable
from gadoscope.reading.nifti.header import NiftiHeader, read_dtype, read_offset, read_shape, read_window
from gadoscope.reading.nifti.kin import ANALYZE_BYTES, analyze_order
from gadoscope.reading.nifti.names import find_spm_matrix

MAX_MATRIX_BYTES = 2**16
"""SPM's .mat holds one or two 4 x 4 matrices, or one for each of some hundred volumes."""
_SIDE_ASSUMED = "an Analyze header does not tell left from right: taken as stored from right to left"
_LIES_ASSUMED = "an Analyze header does not say how the head lies: taken as LAS"
# Mayo's `orient`: where the first, second and third axis of the file point, RAS+.
_LEFT, _FRONT, _UP, _BACK, _DOWN = (-1, 0, 0), (0, 1, 0), (0, 0, 1), (0, -1, 0), (0, 0, -1)
_AXES = {
    0: (_LEFT, _FRONT, _UP),  # transverse, also where nobody wrote the field
    1: (_LEFT, _UP, _FRONT),  # coronal
    2: (_FRONT, _UP, _LEFT),  # sagittal
    3: (_LEFT, _BACK, _UP),  # the same, flipped
    4: (_LEFT, _DOWN, _FRONT),
    5: (_FRONT, _DOWN, _LEFT),
}
_ASCII_ZERO = 48  # some programs write a digit


def parse_analyze(block: bytes, header: Place) -> NiftiHeader:
    """Return what the first bytes of an Analyze header say; `is_analyze` is true of them.

    Parameters
    ----------
    block
        At least the header.
    header
        Where it lies: SPM's matrix is looked for beside it.

    Raises
    ------
    ReadError, RefusedError
        As `parse_header`.
    """
    with np.errstate(all="ignore"):  # NaN and infinity among the fields
        fields: Any = Spm2AnalyzeHeader(block[:ANALYZE_BYTES], analyze_order(block), check=False)  # type: ignore[no-untyped-call]
        notes: list[str] = []
        shape = read_shape(fields)
        dtype = read_dtype(fields)
        slope, intercept = fields.get_slope_inter()
        is_scaled = slope is not None and (slope, intercept) != (1.0, 0.0)
        affine = RAS_TO_LPS @ _find_affine(fields, shape[:3], header, notes)
        slice_axis = find_slice_axis(shape[:3], affine, None)
        order = [slice_axis, *(axis for axis in (2, 1, 0) if axis != slice_axis)]
        return NiftiHeader(
            shape=shape,
            dtype=dtype,
            offset=read_offset(fields, is_pair=True, notes=notes),
            is_pair=True,
            slope=float(slope) if is_scaled else 1.0,
            intercept=float(intercept) if is_scaled else 0.0,
            window=read_window(fields, dtype, is_scaled=is_scaled),
            slice_axis=slice_axis,
            geometry=Geometry((shape[order[0]], shape[order[1]], shape[order[2]]), affine[:, [*order, 3]]),
            warnings=tuple(notes),
        )


def _find_affine(fields: Any, shape: tuple[int, ...], header: Place, notes: list[str]) -> NDArray[np.float64]:
    """Return (4, 4): index to millimetres, RAS+."""
    found = _read_matrix(header, notes)
    if found is not None:
        matrix, tells_side = found
        if not tells_side:
            notes.append(_SIDE_ASSUMED)
        return matrix
    sizes = np.abs(np.asarray(fields["pixdim"][1:4], dtype=np.float64))
    for axis in range(3):
        if shape[axis] == 1 and not sizes[axis] > 0:
            sizes[axis] = 1.0
            notes.append("the thickness of its only slice is not said: taken as 1 mm")
    if not ((sizes > 0) & (sizes < FARTHEST)).all():
        return np.full((4, 4), np.nan)  # refused as bad geometry
    code = int.from_bytes(bytes(fields["orient"].item()), "little")
    orient = code - _ASCII_ZERO if code >= _ASCII_ZERO else code
    notes.append(_SIDE_ASSUMED if orient in _AXES and orient else _LIES_ASSUMED)
    directions = np.array(_AXES.get(orient, _AXES[0]), dtype=np.float64).T
    affine = np.eye(4)
    affine[:3, :3] = directions * sizes
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def _read_matrix(header: Place, notes: list[str]) -> tuple[NDArray[np.float64], bool] | None:
    """Return SPM's matrix, from index to RAS+, and whether it tells left from right; ``None`` without one.

    SPM2 and later write ``mat``; SPM99 wrote ``M``, whose side depends on a setting, by default radiological.
    Voxels count from 1.

    Raises
    ------
    ReadError
        ``missing_codec``, without scipy: which way the head lies would be guessed wrong.
    """
    place = find_spm_matrix(header)
    if place is None:
        return None
    try:
        from scipy.io import loadmat  # noqa: PLC0415 — the rare file that needs it
    except ModuleNotFoundError as error:
        raise ReadError(
            "missing_codec",
            f"SPM's .mat beside it needs scipy, which is not installed: {install_command('phantom')}",
        ) from error

    try:
        with open_place(place) as file:
            content = file.read(MAX_MATRIX_BYTES + 1)
        # scipy reads open files too; its types do not say so.
        values = loadmat(io.BytesIO(content), variable_names=("mat", "M"))  # type: ignore[arg-type]
        tells_side = "mat" in values
        matrix = np.asarray(values["mat" if tells_side else "M"], dtype=np.float64)
        matrix = matrix[:, :, 0] if matrix.ndim == 3 else matrix  # noqa: PLR2004 — one for each volume
    except (InputError, OSError):
        notes.append("SPM's .mat beside it could not be read: it was ignored")
        return None
    # scipy raises whatever a damaged or foreign .mat makes it trip over; the volume is read without.
    except Exception:
        notes.append("the .mat beside it is none of SPM's: it was ignored")
        return None
    if matrix.shape != (4, 4) or len(content) > MAX_MATRIX_BYTES or not is_usable(matrix):
        notes.append("the .mat beside it holds no usable matrix: it was ignored")
        return None
    flip = np.eye(4) if tells_side else np.diag([-1.0, 1.0, 1.0, 1.0])
    from_one = np.eye(4)
    from_one[:3, 3] = 1.0
    return flip @ matrix @ from_one, tells_side

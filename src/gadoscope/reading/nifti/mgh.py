"""What the header of FreeSurfer's MGH says (.mgh; .mgz is the same compressed), as a NIfTI header would.

References
----------
FreeSurfer wiki, "MghFormat"; nibabel's ``freesurfer.mghformat``, which knows the fields
"""

import re
from typing import Any

import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader, data_type_codes

from gadoscope.errors import RefusedError
from gadoscope.imaging.volume import Geometry
from gadoscope.reading.nifti.affine import RAS_TO_LPS, find_slice_axis
from gadoscope.reading.nifti.header import NiftiHeader, check_shape
from gadoscope.reading.nifti.kin import MGH_HEADER_BYTES

_HAS_PLACE = slice(28, 30)
# Labels among the volumes of a subject's folder `mri`; all others are intensities.
_LABELS = re.compile(r"(aseg|aparc|wmparc|([lr]h\.)?ribbon|filled|wm|ctrl_pts|segmentation)([._+-].*)?")


def check_label_name(name: str) -> None:
    """Let pass what FreeSurfer does not name as labels.

    Raises
    ------
    RefusedError
        ``segmentation``.
    """
    stem = name.lower().removesuffix(".gz").removesuffix(".mgh").removesuffix(".mgz")
    if _LABELS.fullmatch(stem):
        raise RefusedError(
            "segmentation", "FreeSurfer gives this name to labels; only intensities are judged."
        )


def parse_mgh(block: bytes) -> NiftiHeader:
    """Return what the first bytes of an MGH file, inflated, say; `is_mgh` is true of them.

    Raises
    ------
    ReadError, RefusedError
        As `parse_header`.
    """
    fields: Any = MGHHeader(block[:MGH_HEADER_BYTES], check=False)  # type: ignore[no-untyped-call]
    notes: list[str] = []
    if not any(block[_HAS_PLACE]):
        notes.append("its header does not say how the head lies (goodRASFlag 0): taken as coronal slices")
    shape = check_shape([int(side) for side in fields["dims"]])
    code = int(fields["type"])
    if code not in data_type_codes.code:
        raise RefusedError(
            "unsupported_datatype", f"its MGH type {code} is none that is read; save it as float."
        )
    dtype: np.dtype[Any] = np.dtype(fields.get_data_dtype()).newbyteorder(">")
    with np.errstate(all="ignore"):
        affine = np.asarray(RAS_TO_LPS @ fields.get_affine(), dtype=np.float64)
    slice_axis = find_slice_axis(shape[:3], affine, None)
    order = [slice_axis, *(axis for axis in (2, 1, 0) if axis != slice_axis)]
    return NiftiHeader(
        shape=shape,
        dtype=dtype,
        offset=int(DATA_OFFSET),
        is_pair=False,
        slope=1.0,
        intercept=0.0,
        window=(0.0, 255.0) if dtype == np.uint8 else None,
        slice_axis=slice_axis,
        geometry=Geometry((shape[order[0]], shape[order[1]], shape[order[2]]), affine[:, [*order, 3]]),
        warnings=tuple(notes),
    )

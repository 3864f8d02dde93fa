"""Where the voxels of a NIfTI file lie, and which of its axes counts slices.

References
----------
NIfTI-1.1, "3D image (volume) orientation and location in space", methods 1 to 3
"""

from typing import Any

import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from gadoscope.imaging.volume import MIN_INDEPENDENCE

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI's x grows to the patient's right and y to the front; DICOM's to the left and to the back."""

COARSER_RATIO = 1.1
"""An axis whose spacing is a tenth above both others was acquired as slices; less may be rounding."""
FEWER_RATIO = 2
"""An axis with half as many voxels as either other: slices, also where the spacing was lost (set to 1 mm)."""

FARTHEST = 1e9
"""Units from the origin, at least a kilometre: further away are damaged headers, whose squares overflow."""

# NIfTI-1 units: metre, millimetre, micrometre; 0 is unknown, which everybody takes as millimetres.
_MM_PER_UNIT = {1: 1000.0, 3: 0.001}
_SPACE_UNIT_BITS = 0x07


def find_affine(fields: Any, notes: list[str]) -> NDArray[np.float64]:
    """Return (4, 4): index (i, j, k) of the file to millimetres, LPS+.

    The sform if its code says it is set, else the qform, else (with a note) the voxel sizes alone, with the
    axes pointing to the patient's left, front and head, as nibabel takes them. A form that is set but cannot
    be used gives way to the other one, with a note.

    Parameters
    ----------
    fields
        nibabel's NIfTI header.
    notes
        Receives a sentence for each repair.

    Raises
    ------
    RefusedError
        ``bad_geometry``, later and by `Geometry`: what cannot be used is returned if there is nothing better.
    """
    _complete_voxel_sizes(fields, notes)
    codes = {"sform": int(fields["sform_code"]), "qform": int(fields["qform_code"])}
    stated = [form for form, code in codes.items() if code > 0]
    best = None
    for form in stated:
        affine = _read_form(fields, form)
        if _is_usable(affine):
            best = affine
            break
        notes.append(f"its {form} is set but cannot be used: it was ignored")
    if best is None and stated:
        best = np.full((4, 4), np.nan)
    if best is None:
        notes.append("its header does not say how the head lies (qform and sform code 0): taken as LAS")
        best = _read_voxel_sizes(fields)
    unit_mm = _MM_PER_UNIT.get(int(fields["xyzt_units"]) & _SPACE_UNIT_BITS, 1.0)
    scale = np.diag([unit_mm, unit_mm, unit_mm, 1.0])
    return np.asarray(RAS_TO_LPS @ scale @ best, dtype=np.float64)


def find_slice_axis(shape: tuple[int, ...], affine: NDArray[np.float64], stated: int | None) -> int:
    """Return which axis of a volume counts slices.

    Parameters
    ----------
    shape
        Voxels along the three axes.
    affine
        As from `find_affine`.
    stated
        The slice axis of the header's ``dim_info``; many programs turn a volume and forget to turn it.

    Returns
    -------
    int
        The axis of a single voxel; else the one with clearly the coarsest spacing; else with clearly the
        fewest voxels; else ``stated``; else the last.
    """
    if shape.count(1) == 1:
        return shape.index(1)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    fine, coarse = np.argsort(spacing, kind="stable")[1:]
    if spacing[coarse] > COARSER_RATIO * spacing[fine]:
        return int(coarse)
    few, more = np.argsort(shape, kind="stable")[:2]
    if shape[few] * FEWER_RATIO <= shape[more]:
        return int(few)
    return 2 if stated is None else stated


def _read_form(fields: Any, form: str) -> NDArray[np.float64]:
    if form == "sform":
        return np.asarray(fields.get_sform(), dtype=np.float64)
    try:
        return np.asarray(fields.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):  # a voxel size of 0 or less; no unit quaternion
        return np.full((4, 4), np.nan)


def _is_usable(affine: NDArray[np.float64]) -> bool:
    if not (np.abs(affine) < FARTHEST).all():  # NaN is not less either
        return False
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not spacing.all():
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / spacing)) >= MIN_INDEPENDENCE)


def _complete_voxel_sizes(fields: Any, notes: list[str]) -> None:
    """Fill in what may be left out: the sign of the third axis, and the thickness of a single slice."""
    sizes, n_axes = fields["pixdim"], int(fields["dim"][0])
    sizes[0] = -1.0 if sizes[0] < 0 else 1.0  # method 2: qfac; 0 means 1
    for axis in range(1, 4):
        is_single = axis > n_axes or int(fields["dim"][axis]) == 1
        if is_single and not sizes[axis] > 0:
            sizes[axis] = 1.0
            notes.append("the thickness of its only slice is not said: taken as 1 mm")


def _read_voxel_sizes(fields: Any) -> NDArray[np.float64]:
    """Return nibabel's affine of voxel sizes alone; with a size of 0 or less, which would mirror it, NaN."""
    sizes = fields["pixdim"][1 : 1 + min(3, int(fields["dim"][0]))]
    if not ((sizes > 0) & (sizes < FARTHEST)).all():
        return np.full((4, 4), np.nan)
    return np.asarray(fields.get_base_affine(), dtype=np.float64)

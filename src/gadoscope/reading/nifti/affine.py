"""Where the voxels of a NIfTI file lie, and which of its axes counts slices.

References
----------
NIfTI-1.1, "3D image (volume) orientation and location in space", methods 1 to 3
"""

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.volume import MIN_INDEPENDENCE
from gadoscope.reading.nifti.fields import NiftiFields

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI's x grows to the patient's right and y to the front; DICOM's to the left and to the back."""

COARSER_RATIO = 1.1
"""An axis whose spacing is a tenth above both others was acquired as slices; less may be rounding."""
FEWER_RATIO = 2
"""An axis with half as many voxels as either other: slices, also where the spacing was lost (set to 1 mm)."""

SAME_AXIS_COSINE = 0.5
"""60 degrees: a sform into a template's space turns a head by up to 30 or so, a script's by 90 or 180."""

ROUNDING = 1e-6
"""Of a unit vector in float32, and of one that was computed from a quaternion."""

FARTHEST = 1e9
"""Units from the origin, at least a kilometre: further away are damaged headers, whose squares overflow."""

# NIfTI-1 units: metre, millimetre, micrometre; 0 is unknown, which everybody takes as millimetres.
_MM_PER_UNIT = {1: 1000.0, 3: 0.001}
_SPACE_UNIT_BITS = 0x07


def find_affine(fields: NiftiFields, notes: list[str]) -> NDArray[np.float64]:
    """Return (4, 4): index (i, j, k) of the file to millimetres, LPS+.

    The sform if its code says it is set, else the qform, else (with a note) the voxel sizes alone, with the
    axes pointing to the patient's left, front and head, as nibabel takes them. A form that is set but cannot
    be used gives way to the other one, with a note. So does, where the two name different planes or opposite
    directions, a sform that is a bare diagonal: a script leaves voxel sizes there, a scanner a rotation.

    Parameters
    ----------
    fields
        Of the header; the sign of the third axis and the thickness of a single slice are filled in.
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
    usable = {}
    for form in stated:
        affine = _read_form(fields, form)
        if is_usable(affine):
            usable[form] = affine
        elif not usable:
            notes.append(f"its {form} is set but cannot be used: it was ignored")
    best = _choose_form(usable, notes)
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


def _choose_form(usable: dict[str, NDArray[np.float64]], notes: list[str]) -> NDArray[np.float64] | None:
    """Return the form that counts; say so where the two would show the head in different planes."""
    if len(usable) < 2:  # noqa: PLR2004 — there are two forms
        return next(iter(usable.values()), None)
    sform, qform = usable["sform"], usable["qform"]
    cosines = np.sum(_find_directions(sform) * _find_directions(qform), axis=0)
    if cosines.min() >= SAME_AXIS_COSINE:
        return sform
    said = "different planes" if np.abs(cosines).min() < SAME_AXIS_COSINE else "opposite directions"
    is_left_over = _is_diagonal(sform) and not _is_diagonal(qform)
    taken = "qform, for the sform is a bare diagonal" if is_left_over else "sform"
    notes.append(f"its qform and sform name {said} for its slices: read by the {taken}")
    return qform if is_left_over else sform


def _find_directions(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (3, 3): the unit vector of each axis of the file, as a column."""
    return np.asarray(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))


def _is_diagonal(affine: NDArray[np.float64]) -> bool:
    """Return whether the file's axes are exactly the patient's; a scanner's differ in the fifth digit."""
    directions = _find_directions(affine)
    return bool(np.allclose(directions, np.diag(np.diag(directions)), rtol=0, atol=ROUNDING))


def _read_form(fields: NiftiFields, form: str) -> NDArray[np.float64]:
    if form == "sform":
        return fields.read_sform()
    try:
        return fields.read_qform()
    except ValueError:  # a voxel size of 0 or less; no unit quaternion
        return np.full((4, 4), np.nan)


def is_usable(affine: NDArray[np.float64]) -> bool:
    """Return whether a matrix (4, 4) can place voxels: finite, near enough, its axes independent."""
    if not (np.abs(affine) < FARTHEST).all():  # NaN is not less either
        return False
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if not spacing.all():
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / spacing)) >= MIN_INDEPENDENCE)


def _complete_voxel_sizes(fields: NiftiFields, notes: list[str]) -> None:
    """Fill in what may be left out: the sign of the third axis, and the thickness of a single slice."""
    sizes, n_axes = fields["pixdim"], int(fields["dim"][0])
    sizes[0] = -1.0 if sizes[0] < 0 else 1.0  # method 2: qfac; 0 means 1
    for axis in range(1, 4):
        is_single = axis > n_axes or int(fields["dim"][axis]) == 1
        if is_single and not sizes[axis] > 0:
            sizes[axis] = 1.0
            notes.append("the thickness of its only slice is not said: taken as 1 mm")


def _read_voxel_sizes(fields: NiftiFields) -> NDArray[np.float64]:
    """Return the affine of voxel sizes alone; with a size of 0 or less, which would mirror it, NaN."""
    sizes = fields["pixdim"][1 : 1 + min(3, int(fields["dim"][0]))]
    if not ((sizes > 0) & (sizes < FARTHEST)).all():
        return np.full((4, 4), np.nan)
    return fields.read_sizes()

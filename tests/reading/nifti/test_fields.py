"""The fields of a NIfTI header and the matrices that they spell, beside what nibabel makes of the bytes."""

from typing import Any

import numpy as np
import pytest
from nibabel.spatialimages import HeaderDataError

from gadoscope.reading.nifti.fields import VOXEL_TYPES, NiftiFields
from tests.support.nifti_files import nib

KINDS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
HEADER_SIZES = tuple(KINDS)
ASKED = (
    *(
        "dim",
        "dim_info",
        "pixdim",
        "vox_offset",
        "scl_slope",
        "scl_inter",
        "cal_min",
        "cal_max",
        "xyzt_units",
    ),
    *("intent_code", "datatype", "descrip", "qform_code", "sform_code", "sizeof_hdr"),
)
TURNS = [
    (0.0, 0.0, 0.0),
    (0.3, -0.2, 0.5),
    (1.0, 0.0, 0.0),
    (0.6, 0.8, 0.0),
    (0.6, 0.8, 1e-4),
    (0.9, 0.9, 0.0),
]
"""Parts b, c and d: no turn, a turn, half turns, one whose first part is rounding, and no rotation."""


def fill(size: int, order: str, number: int) -> bytes:
    """Return a header, each of whose fields holds something of its own."""
    drawn = np.random.default_rng(number)
    fields = KINDS[size](endianness="<" if order == "<" else ">", check=False)
    fields["dim"] = [3, *drawn.integers(1, 300, 7)]
    fields["pixdim"] = [drawn.choice([-1, 1]), *drawn.uniform(0.3, 6, 7)]
    for name in ("qoffset_x", "qoffset_y", "qoffset_z", "scl_slope", "scl_inter", "cal_min", "cal_max"):
        fields[name] = drawn.normal(0, 90)
    for name in ("srow_x", "srow_y", "srow_z"):
        fields[name] = drawn.normal(0, 3, 4)
    fields["quatern_b"], fields["quatern_c"], fields["quatern_d"] = TURNS[number % len(TURNS)]
    fields["vox_offset"], fields["dim_info"], fields["xyzt_units"] = (
        992,
        drawn.integers(64),
        drawn.integers(256),
    )
    fields["descrip"] = f"TE={number};Time=1"
    for name in ("intent_code", "datatype", "qform_code", "sform_code"):
        fields[name] = drawn.integers(1, 3000)
    block: bytes = fields.binaryblock
    return block


def read_qform(fields: Any) -> Any:
    try:
        return fields.get_qform() if hasattr(fields, "get_qform") else fields.read_qform()
    except (ValueError, HeaderDataError):
        return None


@pytest.mark.parametrize("number", range(2 * len(TURNS)))
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("size", HEADER_SIZES)
def test_fields_and_matrices_are_nibabels_to_the_last_bit(size: int, order: str, number: int) -> None:
    block = fill(size, order, number)
    ours, theirs = NiftiFields(block, order), KINDS[size](block, order, check=False)
    for name in ASKED:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert ours.slice_axis == theirs.get_dim_info()[2]
    assert ours.single_vox_offset == theirs.single_vox_offset
    np.testing.assert_array_equal(ours.read_sform(), theirs.get_sform())
    np.testing.assert_array_equal(ours.read_sizes(), theirs.get_base_affine())
    our_qform, their_qform = read_qform(ours), read_qform(theirs)
    assert (our_qform is None) == (their_qform is None)
    if our_qform is not None:
        np.testing.assert_array_equal(our_qform, their_qform)


@pytest.mark.parametrize("n_axes", [1, 2])
def test_an_axis_that_is_not_there_has_one_voxel_of_size_1(n_axes: int) -> None:
    theirs = KINDS[HEADER_SIZES[0]](fill(HEADER_SIZES[0], "<", 1), "<", check=False)
    theirs["dim"][0] = n_axes
    np.testing.assert_array_equal(NiftiFields(theirs.binaryblock, "<").read_sizes(), theirs.get_base_affine())


def test_a_negative_voxel_size_has_no_quaternion_form() -> None:
    theirs = KINDS[HEADER_SIZES[0]](fill(HEADER_SIZES[0], "<", 1), "<", check=False)
    theirs["pixdim"][2] = -1
    assert read_qform(theirs) is read_qform(NiftiFields(theirs.binaryblock, "<")) is None


def test_the_voxel_types_are_nibabels_of_real_numbers() -> None:
    codes = nib.nifti1.data_type_codes
    theirs = {code: codes.dtype[code] for code in codes.value_set("code")}
    real = {code: kind for code, kind in theirs.items() if np.dtype(kind).kind in "iuf"}
    real.pop(1536, None)  # float128 where the machine has it: no scan is stored in it
    assert {code: np.dtype(kind) for code, kind in VOXEL_TYPES.items()} == {
        code: np.dtype(kind) for code, kind in real.items()
    }

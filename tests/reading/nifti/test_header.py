"""What a NIfTI header says of scaling, window, place and meaning; what it may leave out; what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nibabel.nifti1 import intent_codes
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.labels import Plane, Status
from gadoscope.reading.nifti.header import MAX_VOLUMES
from tests.support.nifti_files import (
    nib,
    oblique_affine,
    open_file,
    outcome_of,
    patch,
    read_all,
    save,
    values,
)

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
NAN, INF = float("nan"), float("inf")


def affine_of(path: Path) -> NDArray[np.float64]:
    """Return the affine back in the file's index order (i, j, k), as nibabel has it, for a stack along k."""
    affine = open_file(path).volumes[0].open().geometry.affine
    return np.asarray(LPS @ affine[:, [2, 1, 0, 3]])


@pytest.mark.parametrize("slope", [2.5, -0.5, 1.0])
def test_stored_values_are_scaled_as_the_header_says_also_by_a_negative_slope(
    tmp_path: Path, slope: float
) -> None:
    path = save(tmp_path / "a.nii", values(), scl_slope=slope, scl_inter=-7.0)
    np.testing.assert_allclose(read_all(open_file(path)), nib.load(path).get_fdata().T, rtol=1e-6)
    assert open_file(path).warnings == ()


@pytest.mark.parametrize(("slope", "warnings"), [(0.0, 0), (NAN, 0), (INF, 1), (-INF, 1)])
def test_without_a_usable_slope_the_stored_values_count(tmp_path: Path, slope: float, warnings: int) -> None:
    path = save(tmp_path / "a.nii", values(), scl_slope=slope, scl_inter=-7.0)
    np.testing.assert_array_equal(read_all(open_file(path)), values().T)
    assert len(open_file(path).warnings) == warnings


def test_an_intercept_that_is_no_number_is_0_with_a_warning(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), scl_slope=2.0, scl_inter=NAN)
    np.testing.assert_array_equal(read_all(open_file(path)), values().T * 2.0)
    assert open_file(path).warnings == ("its intercept (scl_inter) is no number: taken as 0",)


@pytest.mark.parametrize(
    ("dtype", "header", "window"),
    [
        (np.uint8, {}, (0.0, 255.0)),
        (np.uint8, {"scl_slope": 2.0, "scl_inter": 0.0}, None),
        (np.uint8, {"cal_min": 3.0, "cal_max": 90.0}, (3.0, 90.0)),
        (np.int16, {}, None),
        (np.int16, {"cal_min": 10.0, "cal_max": 1000.0}, (10.0, 1000.0)),
        (np.int16, {"cal_min": 10.0, "cal_max": 10.0}, None),
        (np.int16, {"cal_min": NAN, "cal_max": 1000.0}, None),
        (np.int16, {"cal_min": 0.0, "cal_max": INF}, None),
    ],
)
def test_the_window_is_cal_min_and_cal_max_if_they_say_something(
    tmp_path: Path, dtype: Any, header: dict[str, float], window: tuple[float, float] | None
) -> None:
    path = save(tmp_path / "a.nii", values(dtype=dtype), **header)
    assert open_file(path).volumes[0].open().window == window


def test_numbers_that_float32_cannot_hold_become_infinite_without_a_fuss(tmp_path: Path) -> None:
    data = values(dtype=np.float64)
    data[0, 0, 0], data[1, 0, 0] = 1e300, NAN
    voxels = read_all(open_file(save(tmp_path / "a.nii", data)))
    assert voxels[0, 0, 0] == np.inf
    assert np.isnan(voxels[0, 0, 1])
    assert np.isfinite(voxels).sum() == voxels.size - 2


# --- Where the voxels lie


def test_the_sform_counts_before_the_qform(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), qform_code=1, qoffset_x=500.0)
    np.testing.assert_allclose(affine_of(path), oblique_affine(), atol=1e-5)


def test_the_qform_counts_if_the_sform_is_not_set(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), sform_code=0, srow_x=[9, 9, 9, 9])
    np.testing.assert_allclose(affine_of(path), oblique_affine(), atol=1e-5)
    assert open_file(path).warnings == ()


@pytest.mark.parametrize("row", [[0.0] * 4, [NAN] * 4, [INF, 0, 0, 0]], ids=["zeros", "nan", "infinite"])
def test_a_form_that_is_set_but_useless_gives_way_to_the_other_with_a_warning(
    tmp_path: Path, row: list[float]
) -> None:
    path = save(tmp_path / "a.nii", values(), srow_y=row)
    np.testing.assert_allclose(affine_of(path), oblique_affine(), atol=1e-5)
    assert open_file(path).warnings == ("its sform is set but cannot be used: it was ignored",)


def _save_turned(path: Path, sform: NDArray[np.float64], qform: NDArray[np.float64]) -> Path:
    image = nib.Nifti1Image(values(), None)
    image.set_sform(sform, code=2)
    image.set_qform(qform, code=1)
    nib.save(image, path)
    return path


BARE = np.diag([1.0, 1.0, 4.0, 1.0])
SAGITTAL = np.array([[0.0, 0, 4, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("scale", [1.0, 1.2])
def test_a_bare_diagonal_left_by_a_script_gives_way_to_the_scanner_s_qform_with_a_warning(
    tmp_path: Path, scale: float
) -> None:
    path = _save_turned(tmp_path / "a.nii", BARE * scale, SAGITTAL)
    np.testing.assert_allclose(affine_of(path), SAGITTAL, atol=1e-5)
    assert open_file(path).warnings == (
        "its qform and sform name different planes for its slices: read by the qform, for the sform is a "
        "bare diagonal",
    )
    assert open_file(path).volumes[0].open().geometry.plane is Plane.SAGITTAL


def test_a_sform_that_is_turned_counts_before_a_qform_of_another_plane_with_a_warning(tmp_path: Path) -> None:
    path = _save_turned(tmp_path / "a.nii", SAGITTAL, BARE)
    np.testing.assert_allclose(affine_of(path), SAGITTAL, atol=1e-5)
    assert open_file(path).warnings == (
        "its qform and sform name different planes for its slices: read by the sform",
    )


def test_forms_that_turn_the_head_upside_down_are_told(tmp_path: Path) -> None:
    path = _save_turned(tmp_path / "a.nii", BARE, BARE * [[1], [-1], [-1], [1]])
    assert open_file(path).warnings == (
        "its qform and sform name opposite directions for its slices: read by the sform",
    )


def test_a_sform_in_a_template_s_space_is_no_contradiction(tmp_path: Path) -> None:
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("xyz", [25, 10, 10], degrees=True).as_matrix()
    assert open_file(_save_turned(tmp_path / "a.nii", turned @ SAGITTAL, SAGITTAL)).warnings == ()


def test_a_qfac_of_0_counts_as_1_and_minus_1_mirrors_the_slices(tmp_path: Path) -> None:
    sizes = [0.9, 1.0, 4.0, 1, 1, 1, 1]
    plain = save(tmp_path / "0.nii", values(), sform_code=0, pixdim=[0, *sizes])
    np.testing.assert_allclose(affine_of(plain), oblique_affine(), atol=1e-5)
    mirrored = save(tmp_path / "1.nii", values(), sform_code=0, pixdim=[-1, *sizes])
    np.testing.assert_allclose(affine_of(mirrored)[:3, 2], -oblique_affine()[:3, 2], atol=1e-5)
    np.testing.assert_allclose(affine_of(mirrored), nib.load(mirrored).affine, atol=1e-5)


def test_without_any_form_the_voxel_sizes_count_as_nibabel_lays_them_with_a_warning(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), sform_code=0, qform_code=0)
    np.testing.assert_allclose(affine_of(path), nib.load(path).affine, atol=1e-5)
    assert open_file(path).volumes[0].open().geometry.plane is Plane.AXIAL
    (warning,) = open_file(path).warnings
    assert warning.endswith("(qform and sform code 0): taken as LAS")


@pytest.mark.parametrize(("unit", "factor"), [(0, 1.0), (2, 1.0), (1, 1000.0), (3, 0.001)])
def test_metres_and_micrometres_become_millimetres(tmp_path: Path, unit: int, factor: float) -> None:
    affine = np.diag([0.9, 1.0, 4.0, factor]) / factor
    path = save(tmp_path / "a.nii", values(), affine=affine, xyzt_units=unit + 8)
    geometry = open_file(path).volumes[0].open().geometry
    assert geometry.spacing_mm == pytest.approx((4.0, 1.0, 0.9), rel=1e-5)


@pytest.mark.parametrize("size", [0.0, -1.0, NAN], ids=["zero", "negative", "nan"])
@pytest.mark.parametrize("codes", [{"qform_code": 1}, {"qform_code": 0}], ids=["qform", "no form"])
def test_voxels_of_no_size_are_refused(tmp_path: Path, size: float, codes: dict[str, int]) -> None:
    sizes = [1.0, 0.9, size, 4.0, 1, 1, 1, 1]
    path = save(tmp_path / "a.nii", values(), sform_code=0, pixdim=sizes, **codes)
    with pytest.raises(RefusedError, match="bad_geometry"):
        open_file(path)


def test_a_flat_affine_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), srow_y=[0.9, 0, 0, 0], srow_x=[0.9, 0, 0, 0], qform_code=0)
    with pytest.raises(RefusedError, match="bad_geometry"):
        open_file(path)


@pytest.mark.parametrize("value", [1e300, -1e10, INF, NAN])
def test_places_beyond_all_sense_are_refused_without_a_fuss(tmp_path: Path, value: float) -> None:
    path = save(tmp_path / "a.nii", values(), kind=nib.Nifti2Image, srow_x=[value, 0, 0, 0], qform_code=0)
    with pytest.raises(RefusedError, match="bad_geometry"):
        open_file(path)


def test_signalling_nan_in_any_field_is_nan_without_a_fuss(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values())
    content = path.read_bytes()
    for at in range(76, 344, 4):
        path.write_bytes(content[:at] + b"\x01\x00\x80\x7f" + content[at + 4 :])
        assert outcome_of(path) in ("read", "bad_header", "bad_geometry")


def test_a_single_slice_may_be_silent_about_its_thickness(tmp_path: Path) -> None:
    sizes = [1, 0.9, 1.0, 0, 1, 1, 1, 1]
    path = save(tmp_path / "a.nii", values((30, 24, 1)), sform_code=0, pixdim=sizes)
    assert open_file(path).volumes[0].open().geometry.spacing_mm == pytest.approx((1.0, 1.0, 0.9))
    assert open_file(path).warnings == ("the thickness of its only slice is not said: taken as 1 mm",)


# --- Which axis counts slices


@pytest.mark.parametrize(
    ("shape", "spacing", "stated", "axis"),
    [
        ((30, 40, 50), (5.0, 1.0, 1.0), 2, 0),  # the coarsest, though the header says another
        ((256, 256, 20), (1.0, 1.0, 1.0), None, 2),  # the fewest: the spacing was lost
        ((256, 20, 256), (1.0, 1.0, 1.0), None, 1),
        ((176, 256, 256), (1.0, 1.0, 1.0), 0, 0),  # no difference: as the header says
        ((176, 256, 256), (1.0, 1.0, 1.0), None, 2),  # nor that: the third
        ((176, 256, 256), (1.0, 1.05, 1.0), None, 2),  # rounding is no difference
        ((64, 64, 1), (3.0, 1.0, 1.0), None, 2),  # a single slice is one, whatever its pixels
        ((1, 64, 64), (1.0, 3.0, 1.0), None, 0),
    ],
)
def test_the_slice_axis_is_the_coarsest_the_shortest_the_stated_or_the_third(
    tmp_path: Path, shape: tuple[int, int, int], spacing: tuple[float, ...], stated: int | None, axis: int
) -> None:
    dim_info = 0 if stated is None else (stated + 1) << 4
    data = np.zeros(shape, dtype=np.uint8)
    path = save(tmp_path / "a.nii", data, affine=np.diag([*spacing, 1.0]), dim_info=dim_info)
    geometry = open_file(path).volumes[0].open().geometry
    assert geometry.shape[0] == shape[axis]
    assert geometry.plane is (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[axis]


# --- What is no volume of grey values


def refused(path: Path) -> str:
    with pytest.raises(RefusedError) as caught:
        open_file(path)
    assert caught.value.status is Status.REFUSED
    return caught.value.reason


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colour_volumes_are_refused(tmp_path: Path, channels: str) -> None:
    data = np.zeros((8, 9, 10), dtype=[(channel, "u1") for channel in channels])
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "a.nii")
    assert refused(tmp_path / "a.nii") == "colour_volume"


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_volumes_are_refused(tmp_path: Path, dtype: Any) -> None:
    assert refused(save(tmp_path / "a.nii", np.ones((8, 9, 10), dtype=dtype))) == "complex_volume"


@pytest.mark.parametrize("code", [0, 1, 255, 77, -5])
def test_number_types_that_nobody_reads_are_refused(tmp_path: Path, code: int) -> None:
    assert refused(save(tmp_path / "a.nii", values(), datatype=code)) == "unsupported_datatype"


@pytest.mark.parametrize(
    "intent", ["t test", "z score", "vector", "label", "displacement vector", "RGB vector"]
)
def test_statistics_labels_and_vectors_are_refused(tmp_path: Path, intent: str) -> None:
    aliases = {"displacement vector": 1006, "RGB vector": 2003}
    code = aliases[intent] if intent in aliases else intent_codes.code[intent]
    assert refused(save(tmp_path / "a.nii", values(), intent_code=code)) == "not_intensities"


@pytest.mark.parametrize("code", [0, 1011, 2001], ids=["none", "dimensionless", "time series"])
def test_intents_that_an_image_may_have_pass(tmp_path: Path, code: int) -> None:
    assert len(open_file(save(tmp_path / "a.nii", values(), intent_code=code)).volumes) == 1


@pytest.mark.parametrize("shape", [(300,), (20, 24, 7, 1, 3), (20, 24, 7, 2, 2)])
def test_one_axis_and_five_are_no_volume(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert refused(save(tmp_path / "a.nii", values(shape))) == "not_a_volume"


@pytest.mark.parametrize(
    ("dim", "reason"),
    [
        ([3, 32767, 32767, 32767, 1, 1, 1, 1], "too_large"),
        ([3, 5000, 4, 4, 1, 1, 1, 1], "too_large"),
        ([3, 1024, 1024, 1024, 1, 1, 1, 1], "too_large"),
        ([4, 20, 24, 7, MAX_VOLUMES + 1, 1, 1, 1], "too_many_volumes"),
    ],
)
def test_absurd_sizes_are_refused_from_the_header(tmp_path: Path, dim: list[int], reason: str) -> None:
    path = save(tmp_path / "a.nii", values())
    assert refused(patch(path, lambda fields: fields.update(dim=dim))) == reason


@pytest.mark.parametrize("dim", [[0, 1, 1], [3, 0, 4, 4], [3, -4, 4, 4], [8, 2, 2, 2], [-3, 4, 4, 4]])
def test_dimensions_that_cannot_be_are_an_error_of_the_header(tmp_path: Path, dim: list[int]) -> None:
    path = save(tmp_path / "a.nii", values(), dim=(dim + [1] * 8)[:8])
    with pytest.raises(ReadError, match="bad_header: its NIfTI header has the dimensions"):
        open_file(path)


@pytest.mark.parametrize("size", [0, 347, 349, -1, 540], ids=str)
def test_a_wrong_header_size_is_an_error(tmp_path: Path, size: int) -> None:
    path = save(tmp_path / "a.nii", values(), sizeof_hdr=size)
    with pytest.raises(ReadError, match=r"bad_header: its NIfTI header says it has \d+ bytes, not 348"):
        open_file(path)


@pytest.mark.parametrize("offset", [NAN, INF, -1.0, 400.5])
def test_an_impossible_voxel_offset_is_an_error(tmp_path: Path, offset: float) -> None:
    with pytest.raises(ReadError, match=r"bad_header: .* puts the voxels at byte"):
        open_file(save(tmp_path / "a.nii", values(), vox_offset=offset))


@pytest.mark.parametrize("offset", [0.0, 16.0])
def test_a_voxel_offset_inside_the_header_means_right_behind_it(tmp_path: Path, offset: float) -> None:
    series = open_file(save(tmp_path / "a.nii", values(), vox_offset=offset))
    np.testing.assert_array_equal(read_all(series), values().T)
    assert series.warnings == ("its voxel offset lies inside the header: taken as the first byte behind it",)


def test_extensions_of_the_header_are_stepped_over_unread(tmp_path: Path) -> None:
    image = nib.Nifti1Image(values(), oblique_affine())
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Doe^John"))
    nib.save(image, tmp_path / "a.nii")
    series = open_file(tmp_path / "a.nii")
    np.testing.assert_array_equal(read_all(series), values().T)
    assert "Doe" not in repr(series)


def test_names_inside_the_header_never_come_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values(), db_name=b"Doe^John", descrip=b"Doe^John", aux_file=b"Doe^John")
    assert "Doe" not in repr(open_file(path))
    broken = save(tmp_path / "b.nii", values(), db_name=b"Doe^John", descrip=b"Doe^John", datatype=77)
    with pytest.raises(InputError) as caught:
        open_file(broken)
    assert "Doe" not in str(caught.value)

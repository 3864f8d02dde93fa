"""What the name of a lone NIfTI and the b-values beside it refuse."""

import pytest

from gadoscope.errors import RefusedError
from gadoscope.scans.beside import check_beside


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dti.nii.gz", "diffusion"),
        ("sub01_task-rest_bold.nii.gz", "functional"),
        ("fMRI_run1.nii", "functional"),
        ("7_ep2d_perf.nii.gz", "echo_planar"),
        ("pcasl_3d.nii.gz", "perfusion"),
        ("DSC_perfusion.nii.gz", "perfusion"),
        ("t2star_me.nii.gz", "t2_weighted"),
    ],
)
def test_of_several_volumes_the_name_refuses(name: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_beside(name, 40, 0.0, None)
    assert refusal.value.reason in (reason, "perfusion")


def test_of_one_volume_the_name_is_a_warning() -> None:
    (warning,) = check_beside("brats_001_flair.nii.gz", 1, 0.0, None)
    assert warning == 'its file name names "flair", a FLAIR image'


@pytest.mark.parametrize(
    "name",
    ["DCE_perf.nii.gz", "dti_study_T1.nii.gz", "survey_042.nii", "pilot01.nii", "001.nii.gz", "loc1.nii"],
)
def test_a_name_that_says_t1_or_names_a_study_passes(name: str) -> None:
    assert check_beside(name, 40, 0.0, None) == ()


def test_where_a_sidecar_names_the_series_the_file_does_not() -> None:
    assert check_beside("dti.nii.gz", 1, 0.0, {"SeriesDescription": "AX T1"}) == ()


def test_b_values_refuse_whatever_the_name_is() -> None:
    with pytest.raises(RefusedError, match="b-values up to 1000 s/mm2 lie in a file beside it"):
        check_beside("T1.nii.gz", 1, 1000.0, {"SeriesDescription": "AX T1"})


@pytest.mark.parametrize(
    "name",
    [
        "knee.nii.gz",
        "sub-01_acq-wrist_T1w.nii.gz",
        "t1_tse_sag_LWS.nii",
        "hand_t1_cor_left.nii.gz",
        "finger.mgz",
    ],
)
def test_another_part_of_the_body_in_the_name_refuses_one_volume(name: str) -> None:
    with pytest.raises(RefusedError, match=r"its file name names .*; only heads are answered") as refusal:
        check_beside(name, 1, 0.0, None)
    assert refusal.value.reason == "other_body_part"
    assert check_beside(name, 1, 0.0, {"BodyPartExamined": "BRAIN"}) == ()
    assert check_beside(name, 1, 0.0, {"SeriesDescription": "AX T1 BRAIN"}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "brain_and_spine_T1.nii.gz",
        "Herz_Anna_T1.nii.gz",
        "sub-knee_T1w.nii.gz",
        "arm2_visit_T1.nii",
        "neck_spine.nii",
    ],
)
def test_a_head_or_a_person_in_the_name_names_no_other_part(name: str) -> None:
    assert check_beside(name, 1, 0.0, None) == ()

"""What a series is called: localizers, field maps, other contrasts, and T1s that only resemble them."""

import csv
from pathlib import Path

import pytest

from gadoscope.errors import RefusedError
from gadoscope.evidence.sequence import check_sequence

UNTIMED = {"Modality": "MR", "BodyPartExamined": "BRAIN"}
TIMED = {**UNTIMED, "ScanningSequence": "SE", "RepetitionTime": 500.0, "EchoTime": 12.0, "FlipAngle": 90.0}
DESCRIPTIONS = Path("cases", "descriptions.csv")
LOWEST_PRECISION = 0.95
LOWEST_RECALL = 0.98
T1_LABELS = ("T1", "T1c", "pre", "post")
OTHER_LABELS = ("FLAIR", "T2", "other")


def find_refusal(description: str, **others: object) -> str:
    """Return why a series with this description is refused; empty if it is not."""
    try:
        check_sequence({**UNTIMED, "SeriesDescription": description, **others})
    except RefusedError as refusal:
        return refusal.reason
    return ""


LOCALIZERS = [
    *("LOC", "3-plane", "3 pl loc", "3Plane Loc", "3-PLANE LOC", "scano", "pilot", "SmartBrain", "plan scan"),
    *(
        "AAScout",
        "AAHead_Scout_64ch",
        "Survey_32ch",
        "Surview",
        "Loc T1",
        "TRI-PILOT",
        "localiser",
        "Scanogram",
    ),
    *("Localisateur", "LOCALIZADOR", "Lokalizer", "定位像", "Fastview", "t2_loc_sag", "PlanScan", "3PLLOC"),
    *("PLAN", "TOPO", "locator", "AutoAlign Head LS", "Positionierung"),
]
PREPARING = [
    *("gre_field_mapping", "B0 NS", "B0map", "fieldmap_magnitude", "B1map", "tfl_b1map", "Shim", "ref scan"),
    *(
        "Senseref",
        "CoilSurvey",
        "Prescan",
        "ASSET calibration",
        "Cal Head 24",
        "BodyCoilRef",
        "Coil Sens Map",
    ),
    *("Ref: SENSE", "Ref_SENSE", "HOS", "AFI", "actual flip angle", "flip angle map", "BIAS_BC", "BIAS_32CH"),
    *("COCA", "Adj_B0"),
]


@pytest.mark.parametrize("description", LOCALIZERS)
def test_a_localizer_is_one_under_any_of_its_names(description: str) -> None:
    assert find_refusal(description) == "localizer"


@pytest.mark.parametrize("description", PREPARING)
def test_scans_that_prepare_others_are_field_maps(description: str) -> None:
    assert find_refusal(description) == "field_map"


@pytest.mark.parametrize(
    "description",
    [
        *("T1 lock test", "SAG T1 local", "Pilot_Study_MPRAGE", "PILOT T1", "pilot study 12"),
        *("T1 localizer for surgery", "MPRAGE for localization", "T1 MPRAGE prescan norm", "T1 B1 corrected"),
        *("AX T1 FLAIR", "COR T1 FS 3 plane", "Block T1", "DCE perfusion", "ax t1 cal", "PD_patient_T1"),
        *("AXIAL T1 PRE SPECTROSCOPY", "T1 shim", "SAG 3D BRAVO +C", "Head routine", "t1_fl3d_tra", "T1-T12"),
    ],
)
def test_a_t1_whose_name_only_resembles_another_is_answered_without_a_word(description: str) -> None:
    facts = {**UNTIMED, "SeriesDescription": description}
    assert not [warning for warning in check_sequence(facts) if "names" in warning]


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("AX T2 FLAIR", "flair"),
        ("EFLAIRlong", "flair"),
        ("t2_tse_tra", "t2_weighted"),
        ("AX GRE T2*", "t2_weighted"),
        ("SWI_Images", "t2_weighted"),
        ("COR STIR", "stir"),
        ("AX PD", "proton_density"),
        ("3D TOF", "angiography"),
        ("MRV head", "angiography"),
        ("ep2d_diff_mddw_20", "diffusion"),
        ("ADC (10^-6 mm2/s)", "diffusion"),
        ("ep2d_bold_rest", "functional"),
        ("AX PERFUSION", "perfusion"),
        ("rBV", "perfusion"),
        ("trufi_tra", "t2_weighted"),
        ("bSSFP", "t2_weighted"),
        ("BFFE", "t2_weighted"),
        ("3D DRIVE", "t2_weighted"),
        ("Dual Echo", "proton_density"),
        ("DIR", "flair"),
        ("double inversion recovery", "flair"),
        ("Fractional Aniso.", "diffusion"),
        ("Average DC", "diffusion"),
        ("FA", "diffusion"),
        ("ME-GRE", "t2_weighted"),
        ("QFLOW", "angiography"),
        ("PCA", "angiography"),
        ("MEDIC", "t2_weighted"),
    ],
)
def test_another_contrast_in_the_name_refuses_where_the_times_are_gone(description: str, reason: str) -> None:
    assert find_refusal(description) == reason


def test_a_name_against_the_times_of_a_t1_is_a_warning() -> None:
    (warning,) = check_sequence({**TIMED, "SeriesDescription": "AX FLAIR"})
    assert warning == 'SeriesDescription names "FLAIR", a FLAIR image, but its times are those of a T1'


def test_what_times_cannot_tell_from_a_t1_refuses_with_times_too() -> None:
    assert find_refusal("3D TOF", **TIMED) == "angiography"


def test_a_t1_beside_an_angiogram_in_one_name_is_a_warning() -> None:
    (warning,) = check_sequence({**TIMED, "SeriesDescription": "T1 TOF"})
    assert warning == 'SeriesDescription names "TOF", an angiogram, beside T1'


@pytest.mark.parametrize("name", ["T1 MAP", "t1_map", "T1map sag"])
def test_a_map_is_refused_and_what_it_was_computed_from_is_not(name: str) -> None:
    assert find_refusal(name) == "parametric_map"
    assert find_refusal(name, ImageType=["DERIVED", "PRIMARY", "M"]) == "parametric_map"
    warnings = check_sequence({**TIMED, "SeriesDescription": name, "ImageType": ["ORIGINAL", "PRIMARY", "M"]})
    assert "a parametric map" in warnings[0]


@pytest.mark.parametrize(
    "name", ["T1 mapping MOLLI", "t1_mp2rage_T1_Images", "ShMOLLI", "MyoMaps", "qT1 axial"]
)
def test_a_scan_whose_images_are_of_a_map_is_refused_though_it_is_acquired(name: str) -> None:
    assert find_refusal(name, ImageType=["ORIGINAL", "PRIMARY", "M"]) == "parametric_map"


@pytest.mark.parametrize("name", ["AX T1 SUB", "sub", "POST-PRE SUB"])
def test_a_subtraction_is_one_where_its_name_ends_so(name: str) -> None:
    assert find_refusal(name, **TIMED) == "subtraction"


@pytest.mark.parametrize(
    "name", ["T1 plan", "Gamma plan", "T1 planning", "sub-01 T1", "T1 DIR FS", "sub acute T1"]
)
def test_a_t1_to_plan_by_is_no_localizer_and_a_subject_no_subtraction(name: str) -> None:
    assert not find_refusal(name, **TIMED)


def test_the_refusal_quotes_the_words_that_decided_and_no_others() -> None:
    with pytest.raises(RefusedError) as refusal:
        check_sequence({**TIMED, "SeriesDescription": "Mustermann_gre_field_mapping Erika"})
    assert refusal.value.sentence == (
        'SeriesDescription names "gre_field_mapping", a field map or another scan that prepares others.'
    )


@pytest.mark.parametrize("glued", ["MUSTERMANNFLAIR", "DIFFUSIONMUSTERMANN", "SURVEYMUSTERMANN"])
def test_no_name_that_is_joined_to_a_word_is_quoted_with_it(glued: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_sequence({**UNTIMED, "SeriesDescription": glued})
    assert "MUSTERMANN" not in refusal.value.sentence.upper()


def test_the_protocol_speaks_where_the_description_is_silent() -> None:
    assert find_refusal("Sagittal", ProtocolName="AAHScout") == "localizer"
    assert find_refusal("", ProtocolName="TOF") == "angiography"
    assert not find_refusal("AX T1", ProtocolName="localizer")
    assert not find_refusal("", ProtocolName="Brain MRA", Manufacturer="GE MEDICAL SYSTEMS"), "the study's"


def test_the_study_says_nothing_of_one_series() -> None:
    assert not find_refusal("AX T1", StudyDescription="localizer for surgery")


def test_of_real_descriptions_those_of_another_contrast_are_found_and_t1s_are_let_pass(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (shared / DESCRIPTIONS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # "T1 FLAIR" is labelled FLAIR by the segmentation project that the labels come from; it is a T1.
    others = [
        row for row in rows if row["label"] in OTHER_LABELS and "t1" not in row["series_description"].lower()
    ]
    t1s = [row for row in rows if row["label"] in T1_LABELS]
    found = [row for row in others if find_refusal(row["series_description"])]
    wrong = [row["series_description"] for row in t1s if find_refusal(row["series_description"])]
    n_refused = len(found) + len(wrong)
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the point
            f"\nnames another contrast: precision {len(found)}/{n_refused} = {len(found) / n_refused:.3f}  "
            f"recall {len(found)}/{len(others)} = {len(found) / len(others):.3f}"
        )
    # Each calls itself a localizer or a map, and none can be told from one by its name.
    assert all(
        any(word in name.lower() for word in ("localizer", "scout", " loc", "t1 map")) for name in wrong
    ), wrong
    assert len(found) / n_refused >= LOWEST_PRECISION
    assert len(found) / len(others) >= LOWEST_RECALL
    assert not [
        row["series_description"]
        for row in t1s
        if row["series_description"] not in wrong
        and any(
            " names " in w
            for w in check_sequence({**UNTIMED, "SeriesDescription": row["series_description"]})
        )
    ]

"""The first gate: what tags refuse, what they pass, and with which warning."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from gadoscope.errors import RefusedError
from gadoscope.evidence import sequence_words
from gadoscope.evidence.sequence import check_sequence
from tests.support.unhurried import ANY_TEXT, UNHURRIED

T1 = {
    "Modality": "MR",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "BodyPartExamined": "BRAIN",
    "ScanningSequence": "SE",
    "RepetitionTime": 500.0,
    "EchoTime": 12.0,
    "FlipAngle": 90.0,
}
GRADIENT = {**T1, "ScanningSequence": "GR", "RepetitionTime": 8.2, "EchoTime": 3.8, "FlipAngle": 8.0}
INVERTED = {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 2200.0}


@pytest.mark.parametrize(
    "facts",
    [
        T1,
        {**T1, "RepetitionTime": "1100", "EchoTime": "20"},  # turbo spin echo at 3 T, as decimal strings
        GRADIENT,  # a TFE without a word on its inversion
        {**GRADIENT, "RepetitionTime": 2300.0, "EchoTime": 2.3, "InversionTime": 900.0},  # MPRAGE
        {**GRADIENT, "RepetitionTime": 2300.0, "EchoTime": 2.3},  # MPRAGE without its inversion time
        {**GRADIENT, "InversionTime": 300.0, "FlipAngle": 12.0},  # IR-FSPGR
        {**T1, **INVERTED, "InversionTime": 860.0, "EchoTime": 24.0},  # T1-FLAIR
        {**T1, "AcquisitionContrast": "T1", "ImageType": ["DERIVED", "PRIMARY", "MPR", "NORM"]},
    ],
)
def test_t1_brain_series_of_every_kind_pass_without_a_warning(facts: dict[str, object]) -> None:
    assert check_sequence(facts) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Modality": "CT"}, "not_mr"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.2"}, "spectroscopy"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary_capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"SeriesDescription": "AAHead_Scout"}, "localizer"),
        ({"ImageType": ["DERIVED", "PRIMARY", "M", "SUB"]}, "subtraction"),
        ({"SeriesDescription": "T1 SUBTRACTION"}, "subtraction"),
        ({"ImageType": ["DERIVED", "PRIMARY", "PROJECTION IMAGE", "MIP"]}, "projection"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "phase_image"),
        ({"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}, "diffusion"),
        ({"DiffusionBValue": 1000.0}, "diffusion"),
        ({"ImageType": ["DERIVED", "PRIMARY", "PERFUSION", "TTP"]}, "perfusion"),
        ({"ImageType": ["DERIVED", "PRIMARY", "T1 MAP"]}, "parametric_map"),
        ({"BodyPartExamined": "LSPINE"}, "other_body_part"),
        ({"ScanningSequence": "EP"}, "echo_planar"),
        ({"ScanningSequence": "GR", "SequenceVariant": ["SP", "TOF"]}, "angiography"),
        ({"AcquisitionContrast": "T2"}, "t2_weighted"),
        ({"RepetitionTime": 4000.0, "EchoTime": 95.0}, "t2_weighted"),
        ({"ScanningSequence": "GR", "EchoTime": 25.0}, "t2_weighted"),
        ({"RepetitionTime": 2500.0, "EchoTime": 15.0}, "proton_density"),
        ({**GRADIENT, "RepetitionTime": 25.0, "FlipAngle": 5.0}, "proton_density"),
        ({**GRADIENT, "InversionTime": 2500.0}, "proton_density"),
        ({**INVERTED, "RepetitionTime": 9000.0, "InversionTime": 2500.0, "EchoTime": 120.0}, "flair"),
        ({**INVERTED, "RepetitionTime": 9000.0, "EchoTime": 120.0}, "flair"),
        ({**INVERTED, "InversionTime": 160.0, "EchoTime": 30.0}, "stir"),
    ],
)
def test_what_is_no_t1_brain_series_is_refused_with_its_reason(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_sequence({**T1, **change})
    assert refusal.value.reason == reason
    assert refusal.value.sentence.endswith(".")


def test_the_refusal_quotes_the_tag_and_the_limit() -> None:
    with pytest.raises(RefusedError, match=r'EchoTime="95" is longer than T1 weighting takes \(50 ms'):
        check_sequence({**T1, "EchoTime": 95.0})


def test_missing_tags_pass_with_a_warning_for_each_group() -> None:
    warnings = check_sequence({})
    assert "Modality is missing" in warnings[0]
    assert "BodyPartExamined is missing" in warnings[1]
    assert "ScanningSequence, EchoTime, RepetitionTime missing" in warnings[2]


def test_a_wrong_body_part_yields_to_a_description_of_the_head() -> None:
    facts = {**T1, "BodyPartExamined": "SPINE", "StudyDescription": "MR Brain"}
    assert check_sequence(facts) == ('BodyPartExamined="SPINE", but the description speaks of the head',)


@pytest.mark.parametrize(
    "texts",
    [
        {"StudyDescription": "MRI KNEE LEFT", "SeriesDescription": "SAG T1"},
        {"SeriesDescription": "t1_tse_sag_LWS"},
        {"ProtocolName": "Schulter nativ"},
        {"SeriesDescription": "AX T1 ABDOMEN"},
    ],
)
def test_another_body_part_in_a_description_counts_where_the_tag_is_missing(texts: dict[str, object]) -> None:
    untagged = {keyword: value for keyword, value in T1.items() if keyword != "BodyPartExamined"}
    with pytest.raises(RefusedError, match="only heads are answered"):
        check_sequence({**untagged, **texts})
    check_sequence({**untagged, **texts, "BodyPartExamined": "HEAD"})
    check_sequence({**untagged, **texts, "StudyDescription": "Brain and spine"})


def test_a_word_of_two_meanings_names_no_body_part() -> None:
    untagged = {keyword: value for keyword, value in T1.items() if keyword != "BodyPartExamined"}
    for text in ("T1 HIP", "T1 right hand tapping", "T1 Hart", "T1 neck and spine"):
        check_sequence({**untagged, "SeriesDescription": text})


def test_a_derived_image_of_unknown_making_passes_with_a_warning() -> None:
    facts = {**T1, "ImageType": ["DERIVED", "SECONDARY"]}
    assert check_sequence(facts) == ('ImageType="DERIVED\\SECONDARY": derived, how is not said',)


def test_sop_classes_are_the_standard_s() -> None:
    classes = [*sequence_words.MR_SOP_CLASSES, *(uid for uid, _ in sequence_words.SOP_CLASS_REASONS.values())]
    assert all(UID(uid).name.endswith("Storage") for uid in classes)


VALUES = ANY_TEXT | st.floats() | st.lists(ANY_TEXT, max_size=3) | st.none()


@UNHURRIED
@given(st.dictionaries(st.sampled_from([*T1, "InversionTime", "SOPClassUID", "AcquisitionContrast"]), VALUES))
def test_no_tags_however_damaged_end_in_anything_but_warnings_or_a_refusal(facts: dict[str, object]) -> None:
    with contextlib.suppress(RefusedError):
        assert all(check_sequence(facts))


@pytest.mark.parametrize(
    "part",
    [
        *(
            "LOW_EXM",
            "LOWEREXTREMITY",
            "LOWERLIMB",
            "UPPERLIMB",
            "CTSPINE",
            "TLSPINE",
            "SSPINE",
            "RKNEE",
            "KNEES",
        ),
        *("LENDENWIRBELSAEULE", "KOLANO", "SACROILIAC", "PATELLA", "ACHILLES", "BRACHIAL PLEXUS", "PHANTOM"),
        *(
            "STIFLE",
            "CARPUS",
            "TARSUS",
            "FETLOCK",
            "HOOF",
            "TAIL",
            "PAW",
            "RIB",
            "SCAPULA",
            "CLAVICLE",
            "BONE",
        ),
    ],
)
def test_another_part_of_the_body_is_one_however_it_is_called(part: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_sequence({**T1, "BodyPartExamined": part})
    assert refusal.value.reason == "other_body_part"


@pytest.mark.parametrize("text", ["T1 KNEES", "COR T1 THIGHS", "COR T1 HIPS"])
def test_several_knees_in_a_description_are_knees_where_the_part_is_missing(text: str) -> None:
    untagged = {keyword: value for keyword, value in T1.items() if keyword != "BodyPartExamined"}
    with pytest.raises(RefusedError) as refusal:
        check_sequence({**untagged, "SeriesDescription": text})
    assert refusal.value.reason == "other_body_part"


@pytest.mark.parametrize("coil", ["HandWrist_16", "TxRx_Knee_15Ch_1", "ShoulderLarge16", "8CH FOOT"])
def test_the_coil_of_a_joint_refuses_where_nothing_names_the_head(coil: str) -> None:
    untagged = {keyword: value for keyword, value in T1.items() if keyword != "BodyPartExamined"}
    with pytest.raises(RefusedError, match="ReceiveCoilName names") as refusal:
        check_sequence({**untagged, "ReceiveCoilName": coil})
    assert refusal.value.reason == "other_body_part"
    # A newborn's head fits into the coil of a knee.
    check_sequence({**untagged, "ReceiveCoilName": coil, "SeriesDescription": "T1 BRAIN"})
    check_sequence({**T1, "ReceiveCoilName": coil})


@pytest.mark.parametrize("coil", ["HeadNeck_64", "8HRBRAIN", "SENSE-NV-16", "HE1-4;NE1,2;SP1", "BODY"])
def test_the_coil_of_a_head_says_nothing(coil: str) -> None:
    untagged = {keyword: value for keyword, value in T1.items() if keyword != "BodyPartExamined"}
    check_sequence({**untagged, "ReceiveCoilName": coil})

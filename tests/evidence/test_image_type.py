"""ImageType: the standard's values and vendors' words, however they are joined."""

import pytest

from gadoscope.errors import RefusedError
from gadoscope.evidence.sequence import check_sequence

T1 = {
    "Modality": "MR",
    "BodyPartExamined": "BRAIN",
    "ScanningSequence": "GR",
    "RepetitionTime": 5.0,
    "EchoTime": 2.0,
    "FlipAngle": 12.0,
}


def find_refusal(*values: str, **others: object) -> str:
    """Return why a series whose ImageType ends with these values is refused; empty if it is not."""
    try:
        check_sequence({**T1, "ImageType": ["ORIGINAL", "PRIMARY", *values], **others})
    except RefusedError as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("joint", ["_", " ", "-", ""])
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("T1", "MAP"), "parametric_map"),
        (("CALC", "BVALUE"), "diffusion"),
        (("CALCULATED", "BVALUE"), "diffusion"),
        (("FRACTIONAL", "ANISOTROPY"), "diffusion"),
        (("MEAN", "DIFFUSIVITY"), "diffusion"),
        (("Field", "Map"), "field_map"),
        (("FIELD", "MAPHZ"), "field_map"),
        (("PHASE", "MAP"), "phase_image"),
        (("Min", "IP"), "projection"),
        (("PROTON", "DENSITY"), "proton_density"),
        (("FLUID", "ATTENUATED"), "flair"),
    ],
)
def test_words_mean_the_same_however_they_are_joined(joint: str, words: tuple[str, ...], reason: str) -> None:
    assert find_refusal(joint.join(words)) == reason


@pytest.mark.parametrize("value", ["FIELDMAPHZ", "FIELD_MAP_HZ", "T1MAP", "CALC_BVALUE", "MinIP"])
def test_the_reason_quotes_the_value_that_decided(value: str) -> None:
    with pytest.raises(RefusedError, match=f'PRIMARY.{value}"'):
        check_sequence({**T1, "ImageType": ["ORIGINAL", "PRIMARY", value]})


@pytest.mark.parametrize(
    ("value", "reason"),
    [("SWI", "t2_weighted"), ("TMIP", "projection"), ("TTEST", "functional"), ("QMAP", "parametric_map")],
)
def test_a_vendor_s_word_says_what_was_computed(value: str, reason: str) -> None:
    assert find_refusal("M", value) == reason


@pytest.mark.parametrize("joint", ["_", " ", "-"])
@pytest.mark.parametrize(
    "which", ["IN", "OUT", "OPP", "OPPOSED", "SINGLE", "MULTI", "DELAYED", "ARTERIAL", "EQUILIBRIUM"]
)
def test_a_phase_of_fat_or_of_time_is_no_phase_image(which: str, joint: str) -> None:
    assert not find_refusal("DIXON", f"{which}{joint}PHASE")


@pytest.mark.parametrize("value", ["P", "PHASE", "Phase Map", "P_FFE", "I", "I_SE", "IMAGINARY"])
def test_a_phase_image_is_still_one(value: str) -> None:
    assert find_refusal(value) == "phase_image"


def test_values_that_a_converter_joined_are_taken_apart() -> None:
    for joined, reason in (("ORIGINAL_PRIMARY_P_ND", "phase_image"), ("ORIGINAL_PRIMARY_M_ND", "")):
        try:
            check_sequence({**T1, "ImageType": joined})
            found = ""
        except RefusedError as refusal:
            found = refusal.reason
        assert found == reason


@pytest.mark.parametrize(
    "unit",
    [
        "Hz",
        "rad",
        "rad/s",
        "s",
        "ms",
        "ppm",
        "T",
        "mm^2/s",
        "1/s",
        "milliradial",
        "Hertz",
        "%",
        "nT",
        "[Hz]",
        "percent",
    ],
)
def test_what_has_a_unit_is_a_map(unit: str) -> None:
    assert find_refusal(Units=unit) == "parametric_map"
    assert find_refusal(RescaleType=unit) == "parametric_map"


@pytest.mark.parametrize("unit", ["", "arbitrary", "a.u.", "n/a", "US", "normalized", "none", "HU"])
def test_a_unit_that_says_none_passes(unit: str) -> None:
    assert not find_refusal(Units=unit, RescaleType=unit)

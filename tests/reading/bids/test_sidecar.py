"""A sidecar's values become what a DICOM header would say: keywords, units, separate values."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gadoscope.errors import RefusedError
from gadoscope.evidence.contrast_module import read_timing
from gadoscope.evidence.facts import find_words
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.sequence import check_sequence
from gadoscope.evidence.state import HeaderState
from gadoscope.reading.bids.sidecar import facts_from_sidecar, read_json_object
from tests.support.unhurried import ANY_TEXT

DCM2NIIX = {
    "Modality": "MR",
    "MagneticFieldStrength": 3,
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Prisma",
    "BodyPartExamined": "BRAIN",
    "PatientPosition": "HFS",
    "ProcedureStepDescription": "MRI BRAIN W WO CONTRAST",
    "SeriesDescription": "t1_mprage_sag_p2_iso_post",
    "ProtocolName": "t1_mprage_sag_p2_iso",
    "ScanningSequence": "GR_IR",
    "SequenceVariant": "SK_SP_MP",
    "ScanOptions": "IR",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
    "AcquisitionTime": "10:33:51.132500",
    "SliceThickness": 1,
    "EchoTime": 0.00298,
    "RepetitionTime": 2.3,
    "InversionTime": 0.9,
    "FlipAngle": 9,
    "PartialFourier": 1,
    "ShimSetting": [-3789, -8128, 2234],
    "ConversionSoftware": "dcm2niix",
}
"""Keys and forms as dcm2niix writes them for a Siemens MPRAGE."""


def facts_from(**values: Any) -> dict[str, object]:
    return facts_from_sidecar(values, [])


def test_a_sidecar_of_dcm2niix_reads_as_the_dicom_header_it_came_from() -> None:
    facts = facts_from(**DCM2NIIX)
    assert (facts["EchoTime"], facts["RepetitionTime"], facts["InversionTime"]) == (2.98, 2300.0, 900.0)
    assert find_words(facts, "ScanningSequence") == ("GR", "IR")
    assert find_words(facts, "SequenceVariant") == ("SK", "SP", "MP")
    assert facts["ManufacturerModelName"] == "Prisma"
    assert check_sequence(facts) == ()
    assert read_evidence(facts).state is HeaderState.ADMINISTERED
    assert read_evidence(facts).quote == 'SeriesDescription="... post"'


def test_the_clock_of_dcm2niix_is_understood() -> None:
    before = facts_from(AcquisitionTime="10:33:51.13", ContrastBolusStartTime="11:00:00")
    after = facts_from(AcquisitionDateTime="2019-03-01T11:20:51.130000", ContrastBolusStartTime="110000")
    assert read_timing(before).state is HeaderState.NOT_ADMINISTERED
    assert read_timing(after).state is HeaderState.ADMINISTERED


@pytest.mark.parametrize(
    ("given_values", "keyword", "value"),
    [
        ({"BodyPart": "HEAD"}, "BodyPartExamined", "HEAD"),
        ({"BodyPart": "HEAD", "BodyPartExamined": "BRAIN"}, "BodyPartExamined", "BRAIN"),
        ({"RepetitionTimeExcitation": 0.0077}, "RepetitionTime", 7.7),
        ({"RepetitionTimePreparation": 2.3, "RepetitionTimeExcitation": 0.0077}, "RepetitionTime", 2300.0),
        ({"EchoTime": "0.0029"}, "EchoTime", 2.9),
        ({"EchoTime": [0.002, 0.004]}, "EchoTime", [2.0, 4.0]),
        ({"AcquisitionDuration": 300}, "AcquisitionDuration", 300),
        ({"FlipAngle": 9}, "FlipAngle", 9),
        ({"ContrastBolusIngredient": "GADOLINIUM"}, "ContrastBolusIngredient", "GADOLINIUM"),
    ],
)
def test_keys_and_units_become_dicoms(given_values: dict[str, Any], keyword: str, value: object) -> None:
    assert facts_from(**given_values)[keyword] == value


@pytest.mark.parametrize(
    ("state", "ingredient"),
    [
        (HeaderState.ADMINISTERED, "GADOLINIUM"),
        (HeaderState.NOT_ADMINISTERED, "NONE"),
        (HeaderState.SILENT, "UNKNOWN"),
        (HeaderState.SILENT, ""),
    ],
)
def test_each_ingredient_of_bids_is_understood(state: HeaderState, ingredient: str) -> None:
    assert read_evidence(facts_from(ContrastBolusIngredient=ingredient)).state is state


def test_times_that_can_only_be_milliseconds_are_taken_so_with_a_warning() -> None:
    for values in ({"EchoTime": 2.98, "RepetitionTime": 7.0}, {"RepetitionTime": 2300}):
        notes: list[str] = []
        facts = facts_from_sidecar(dict(values), notes)
        assert facts == values
        assert notes == ["a sidecar's times can only be milliseconds, although BIDS has seconds: taken so"]


def test_seconds_are_seconds_also_where_they_make_it_no_t1() -> None:
    with pytest.raises(RefusedError, match="t2_weighted"):
        check_sequence(facts_from(EchoTime=0.1, RepetitionTime=5.0, ScanningSequence="SE"))


def test_tables_and_nested_objects_are_left_out() -> None:
    facts = facts_from(SliceTiming=[0.1] * 200, nested={"a": 1}, text="x" * 5000, flag=True, nothing=None)
    assert facts == {}


def test_values_that_could_not_be_written_again_are_made_harmless() -> None:
    facts = facts_from(SeriesDescription="post \ud800", EchoTime=float("nan"), FlipAngle=10**400)
    assert facts == {"SeriesDescription": "post ?"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine builds tables slowly
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | ANY_TEXT, st.lists))
def test_any_value_of_any_key_is_read_without_failing(value: object) -> None:
    keys = ("EchoTime", "RepetitionTime", "ScanningSequence", "AcquisitionDateTime", "BodyPart", "ImageType")
    facts = facts_from(**dict.fromkeys(keys, value))
    json.dumps(facts).encode("utf-8")
    read_evidence(facts)


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"EchoTime": 0.003}')
    notes: list[str] = []
    assert read_json_object(tmp_path / "a.json", notes) == {"EchoTime": 0.003}
    assert notes == []

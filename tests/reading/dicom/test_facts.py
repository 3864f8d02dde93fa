"""The words of a header reach those who weigh them, from classic and multi-frame objects alike."""

import ast
import io
from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag

import gadoscope.evidence
from gadoscope.errors import InputError
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.sequence import check_sequence
from gadoscope.evidence.state import PATIENT_KEYWORDS, HeaderState
from gadoscope.labels import Phase
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.reading.dicom.attributes import KEYWORDS
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.series import Facts
from tests.support.dicom_files import classic_series, dynamic_series
from tests.support.dicom_multiframe import enhanced, legacy_converted

# Parts of words, BIDS' own, inside sequences only, or put together by `read_facts` itself.
NOT_TOP_LEVEL = {
    "",
    "DateTime",
    "ProcedureStepDescription",
    "CodeMeaning",
    "CodeValue",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
}


def facts_of(dataset: Dataset) -> Facts:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return read_facts(buffer)


def test_every_keyword_that_evidence_reads_is_taken_from_the_header() -> None:
    said = set()
    for path in Path(gadoscope.evidence.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
    keywords = {word for word in said if tag_for_keyword(word) is not None}
    assert len(keywords) > 40
    assert keywords - NOT_TOP_LEVEL <= KEYWORDS


def test_values_are_plain_and_those_of_the_header() -> None:
    dataset = classic_series(Phase.POST_CONTRAST, mode=HeaderMode.RIGHT)[0]
    facts = facts_of(dataset)
    assert facts["SeriesDescription"] == dataset.SeriesDescription
    assert facts["EchoTime"] == float(dataset.EchoTime)
    assert facts["ImageType"] == ["ORIGINAL", "PRIMARY", "OTHER"]
    assert facts["ContrastBolusAgent"] == dataset.ContrastBolusAgent
    assert {type(value) for value in facts.values()} <= {str, int, float, list}


def test_nothing_but_the_keywords_leaves_the_file() -> None:
    dataset = classic_series()[0]
    dataset.PatientComments, dataset.PatientAddress = "a comment", "an address"
    dataset.InstitutionName = dataset.ReferringPhysicianName = "somebody"
    facts = facts_of(dataset)
    assert facts.keys() <= KEYWORDS
    assert [key for key in facts if key.startswith(("Patient", "Other"))] == [
        "PatientID",
        "PatientName",
        "PatientPosition",
    ]
    assert {"PatientID", "PatientName"} <= set(PATIENT_KEYWORDS)


@pytest.mark.parametrize("character_set", ["ISO_IR 100", "ISO_IR 192"])
def test_umlauts_are_read_in_the_character_set_of_the_file(character_set: str) -> None:
    dataset = classic_series()[0]
    dataset.SpecificCharacterSet = character_set
    dataset.SeriesDescription = "Schädel T1 nach KM"
    assert facts_of(dataset)["SeriesDescription"] == "Schädel T1 nach KM"


@pytest.mark.parametrize("mode", [HeaderMode.RIGHT, HeaderMode.MISSING])
@pytest.mark.parametrize("phase", [Phase.PRE_CONTRAST, Phase.POST_CONTRAST])
def test_header_evidence_is_the_same_from_classic_enhanced_and_legacy_converted(
    phase: Phase, mode: HeaderMode
) -> None:
    classic = classic_series(phase, mode=mode)
    facts = facts_of(classic[0])
    passed, state = check_sequence(facts), read_evidence(facts).state
    for other in (enhanced(classic), legacy_converted(classic)):
        assert read_evidence(facts_of(other)).state is state
        assert check_sequence(facts_of(other)) == passed


def test_timing_in_functional_groups_stands_under_the_classic_keywords() -> None:
    classic = classic_series()
    facts, multi = facts_of(classic[0]), facts_of(enhanced(classic))
    assert multi["EffectiveEchoTime"] == pytest.approx(facts["EchoTime"])
    for keyword in ("RepetitionTime", "FlipAngle", "SliceThickness"):
        assert multi[keyword] == facts[keyword]
    assert multi["AcquisitionDateTime"] == f"{classic[0].AcquisitionDate}{classic[0].AcquisitionTime}"
    assert multi["AcquisitionDuration"] == 240.0


def test_what_the_frames_say_of_contrast_is_collected_once_each() -> None:
    series = dynamic_series(4, 2)
    phases = ["PRE_CONTRAST"] * 6 + ["IMMEDIATE"] * 6
    facts = facts_of(enhanced(series, agent_phase=phases))
    usages = facts["ContrastBolusUsageSequence"]
    assert isinstance(usages, list)
    assert [usage["ContrastBolusAgentPhase"] for usage in usages] == ["PRE_CONTRAST", "IMMEDIATE"]
    # Before and after in one object: as a whole it says neither.
    assert read_evidence(facts).state is HeaderState.SILENT
    assert (
        read_evidence({**facts, "ContrastBolusUsageSequence": usages[1:]}).state is HeaderState.ADMINISTERED
    )


def test_siemens_own_protocol_name_is_found_in_its_text() -> None:
    dataset = classic_series()[0]
    del dataset.ProtocolName
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    text = b'\0SV10\0### ASCCONV BEGIN ###\ntProtocolName = "t1+AF8-mpr+AF8-post"\n### ASCCONV END ###\0'
    block.add_new(0x20, "OB", text + bytes(len(text) % 2))
    assert facts_of(dataset)["tProtocolName"] == "t1_mpr_post"


def test_a_value_that_cannot_be_read_hides_no_other() -> None:
    dataset = classic_series()[0]
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    echo = str(dataset.EchoTime).encode()
    facts = read_facts(io.BytesIO(buffer.getvalue().replace(echo, b"x" * len(echo))))
    assert not isinstance(facts["EchoTime"], float)
    assert facts["RepetitionTime"] == float(dataset.RepetitionTime)


def test_damage_is_an_input_error() -> None:
    with pytest.raises(InputError, match="not DICOM"):
        read_facts(io.BytesIO(bytes(1000)))


def test_every_keyword_is_one_of_dicom() -> None:
    unknown = {keyword for keyword in KEYWORDS if tag_for_keyword(keyword) is None}
    assert not unknown
    assert not [keyword for keyword in KEYWORDS if Tag(keyword).is_private]

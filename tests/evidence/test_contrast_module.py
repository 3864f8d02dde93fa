"""The Contrast/Bolus attributes, field by field."""

from collections.abc import Mapping

import pytest
from pydicom.datadict import tag_for_keyword

from gadoscope.evidence import contrast_module
from gadoscope.evidence.agent import read_agent_value
from gadoscope.evidence.contrast_module import (
    Usage,
    iter_usages,
    read_agent,
    read_timing,
    read_usage,
)
from gadoscope.evidence.description import read_description
from gadoscope.evidence.file_name import CE_ENTITY
from gadoscope.evidence.state import HeaderState
from gadoscope.labels import QuoteMode

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT


def frames(*items: Mapping[str, object]) -> dict[str, object]:
    return {"PerFrameFunctionalGroupsSequence": [{"ContrastBolusUsageSequence": [item]} for item in items]}


@pytest.mark.parametrize("text", ["NONE", "No", "none given", "N", "ohne", "ohne KM", "W/O", "sans"])
def test_a_denied_agent_is_a_negation(text: str) -> None:
    assert read_agent_value(text).state is PRE


@pytest.mark.parametrize(
    "text", ["", "  ", "-", "0", "0.0 ml", "Non renseigné", "N/A", "?", "UNKNOWN", "Anonymized"]
)
def test_a_blank_or_a_placeholder_is_silent_and_no_negation(text: str) -> None:
    assert read_agent_value(text).state is SILENT


@pytest.mark.parametrize("text", ["Gadovist", "GADOLINIUM", "10 ml Dotarem", "CONTRAST", "Gd-DTPA"])
def test_a_name_of_the_agent_or_of_contrast_affirms(text: str) -> None:
    assert read_agent_value(text).state is POST


def test_an_agent_may_stand_in_a_code_sequence_or_a_bids_entity() -> None:
    coded = {"ContrastBolusAgentSequence": [{"CodeValue": "C-B03CC", "CodeMeaning": "Gadoteridol"}]}
    assert read_agent(coded).quote == 'ContrastBolusAgentSequence: CodeMeaning="Gadoteridol"'
    assert read_agent({"ce": "gadolinium"}).state is POST
    assert read_agent({"ce": "none"}).state is PRE
    assert read_agent({"ContrastBolusIngredient": "UNKNOWN"}).state is SILENT


def test_an_agent_beside_its_denial_is_silent_with_both_quoted() -> None:
    said = read_agent({"ContrastBolusAgent": "Gadovist", "ContrastBolusIngredient": "NONE"})
    assert said.state is SILENT
    assert said.quote == 'ContrastBolusAgent="Gadovist", ContrastBolusIngredient="NONE"'


def test_a_volume_or_a_dose_alone_says_nothing() -> None:
    facts = {
        "ContrastBolusVolume": 7.5,
        "ContrastBolusTotalDose": 7.5,
        "ContrastBolusIngredientConcentration": 1,
    }
    assert read_agent(facts).quote == read_usage(facts).quote == ""


def test_detected_is_another_s_word_on_the_pixels_and_no_evidence() -> None:
    facts = frames({"ContrastBolusAgentDetected": "YES", "ContrastBolusAgentNumber": 1})
    assert read_usage(facts).state is SILENT
    assert list(iter_usages(facts)) == [Usage(agent_administered=None, agent_phase=None)]


def test_the_phase_of_the_frames_outranks_their_flag() -> None:
    item = {"ContrastBolusAgentAdministered": "YES", "ContrastBolusAgentPhase": "PRE_CONTRAST"}
    assert read_usage(frames(item)).state is PRE
    assert read_usage(frames(item)).quote == 'ContrastBolusAgentPhase="PRE_CONTRAST"'
    assert read_usage(frames({"ContrastBolusAgentAdministered": "YES"})).state is POST


def test_a_shared_functional_group_speaks_for_all_frames() -> None:
    shared = {"ContrastBolusUsageSequence": {"ContrastBolusAgentPhase": "POST_CONTRAST"}}
    assert read_usage({"SharedFunctionalGroupsSequence": [shared]}).state is POST


def test_frames_before_and_after_in_one_series_are_silent() -> None:
    before, after = {"ContrastBolusAgentPhase": "PRE_CONTRAST"}, {"ContrastBolusAgentPhase": "DELAYED"}
    said = read_usage(frames(before, before, after))
    assert said.state is SILENT
    assert said.quote == 'ContrastBolusAgentPhase="PRE_CONTRAST", ContrastBolusAgentPhase="DELAYED"'


@pytest.mark.parametrize(
    ("began", "duration", "state"),
    [
        ("091500", None, POST),  # after the injection
        ("091001.000000", None, POST),  # a second after it
        ("091000.000000", None, SILENT),  # at its second: one hour was copied into both
        ("091000.900000", None, SILENT),
        ("085000", None, PRE),  # twenty minutes before
        ("090500", None, SILENT),  # the injection may fall into it
        ("090500", 240.0, PRE),  # it was over by then
        ("010000", None, SILENT),  # hours apart: another day, or a wrong clock
        ("noon", None, SILENT),
    ],
)
def test_the_hour_of_the_injection_tells_before_from_after(
    began: str, duration: float | None, state: HeaderState
) -> None:
    facts = {"ContrastBolusStartTime": "091000", "AcquisitionTime": began, "AcquisitionDuration": duration}
    assert read_timing(facts).state is state


def test_a_dynamic_series_has_no_single_hour() -> None:
    facts = {"ContrastBolusStartTime": "091000", "AcquisitionTime": "091500", "NumberOfTemporalPositions": 40}
    assert read_timing(facts).state is SILENT


@pytest.mark.parametrize("clock", ["000000", "000000.000000", "120000", "235959"])
def test_hours_that_are_all_one_constant_tell_nothing(clock: str) -> None:
    facts = {
        "ContrastBolusStartTime": clock,
        "AcquisitionTime": clock,
        "AcquisitionDateTime": "20200101" + clock,
    }
    assert read_timing(facts).state is SILENT


def test_midnight_to_the_second_is_a_removed_hour() -> None:
    assert read_timing({"ContrastBolusStartTime": "000000", "AcquisitionTime": "031500"}).state is SILENT
    assert read_timing({"ContrastBolusStartTime": "003000", "AcquisitionTime": "000000"}).state is SILENT
    assert read_timing({"ContrastBolusStartTime": "000000.5", "AcquisitionTime": "001500"}).state is POST


def test_a_quote_is_one_short_line_without_the_patient_s_name() -> None:
    facts = {"SeriesDescription": 'T1 "KM"\n Muster\x00 ' + "x" * 100, "PatientName": "Muster^Erika"}
    said = read_description(facts)
    assert said.quote == 'SeriesDescription="... KM ..."'
    full = said.render(QuoteMode.FULL)
    assert "muster" not in full.lower()
    assert full.startswith("SeriesDescription=\"T1 'KM' ... xxx")
    assert len(full) <= len('SeriesDescription=""') + 64


def test_every_keyword_that_is_read_is_dicom_s() -> None:
    module = contrast_module
    for keyword in (*module.AGENT_TEXTS, *module.AGENT_SEQUENCES, module.USAGE, *module.FUNCTIONAL_GROUPS):
        assert keyword == CE_ENTITY or tag_for_keyword(keyword) is not None, keyword

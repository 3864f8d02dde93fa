"""One answer from all that a header says, from the rest of its study, and beside the pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadoscope.evidence.reconcile import Agreement, HeaderState, compare, read_evidence
from gadoscope.evidence.tokens import parse_words
from gadoscope.labels import Phase
from tests.support.unhurried import ANY_TEXT, UNHURRIED

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT
AGENT = {"ContrastBolusAgent": "Gadovist"}


def series(clock: str, text: str = "T1 sag", **more: object) -> dict[str, object]:
    return {"SeriesInstanceUID": f"1.2.{clock}", "SeriesDescription": text, "AcquisitionTime": clock, **more}


def test_a_missing_tag_is_silent_and_never_no_contrast() -> None:
    assert read_evidence({}).state is SILENT
    assert read_evidence({"ContrastBolusAgent": "", "SeriesDescription": "t1_mpr_sag"}).quote == ""


def test_the_quote_names_the_attribute_and_its_value() -> None:
    assert read_evidence({"SeriesDescription": "t1 +c"}).quote == 'SeriesDescription="... +c"'


def test_an_agent_filled_in_on_the_pre_series_yields_to_the_description() -> None:
    said = read_evidence({**AGENT, "SeriesDescription": "T1 nativ"})
    assert (said.state, said.quote) == (PRE, 'SeriesDescription="... nativ"')


def test_an_agent_alone_is_believed_where_nothing_else_is_known() -> None:
    assert read_evidence(AGENT).state is POST
    assert read_evidence(AGENT).quote == 'ContrastBolusAgent="Gadovist"'


def test_an_agent_on_every_series_of_the_study_says_nothing() -> None:
    study = [series("090000", **AGENT), series("091500", **AGENT), series("092000", "T2 tra", **AGENT)]
    said = read_evidence(study[0], study)
    assert said.state is SILENT
    assert said.quote == 'ContrastBolusAgent="Gadovist" on every series of the study'


def test_an_agent_on_some_series_of_the_study_says_something() -> None:
    study = [series("090000"), series("091500", **AGENT)]
    assert read_evidence(study[1], study).state is POST
    assert read_evidence(study[0], study).state is SILENT


def test_what_comes_before_a_pre_series_is_pre_though_an_agent_is_filled_in() -> None:
    study = [series("090000", **AGENT), series("090500", "T1 tra nativ", **AGENT), series("091500", **AGENT)]
    said = read_evidence(study[0], study)
    assert (said.state, said.quote) == (PRE, 'SeriesDescription="... nativ" of a later series')


def test_what_comes_after_a_post_series_is_post_though_it_says_nothing() -> None:
    study = [series("091500", "T1 tra KM"), series("092000")]
    said = read_evidence(study[1], study)
    assert (said.state, said.quote) == (POST, 'SeriesDescription="... KM" of an earlier series')


def test_what_lies_between_pre_and_post_stays_silent() -> None:
    study = [series("090000", "T1 nativ"), series("090500"), series("091500", "T1 KM")]
    assert read_evidence(study[1], study).state is SILENT


def test_a_study_in_impossible_order_is_silent_with_both_quoted() -> None:
    study = [series("090000", "T1 KM"), series("090500"), series("091500", "T1 nativ")]
    said = read_evidence(study[1], study)
    assert said.state is SILENT
    assert "earlier" in said.quote
    assert "later" in said.quote


def test_a_series_of_another_day_is_no_evidence() -> None:
    earlier = series("091500", "T1 KM", AcquisitionDate="20200101")
    later = series("092000", AcquisitionDate="20200102")
    assert read_evidence(later, [earlier, later]).state is SILENT


def test_a_denied_agent_after_a_post_series_is_silent() -> None:
    study = [series("090000", "T1 KM"), series("091500", ContrastBolusAgent="NONE")]
    assert read_evidence(study[1], study).state is SILENT
    assert read_evidence(study[1]).state is PRE


def test_description_and_frames_that_contradict_each_other_are_silent() -> None:
    said = read_evidence({"SeriesDescription": "T1 KM", "ContrastBolusAgentPhase": "PRE_CONTRAST"})
    assert said.state is SILENT
    assert "PRE_CONTRAST" in said.quote
    assert "KM" in said.quote


def test_the_examination_is_asked_last() -> None:
    study_text = {"StudyDescription": "MRI BRAIN WITHOUT CONTRAST"}
    assert read_evidence(study_text).state is PRE
    assert read_evidence({**study_text, **AGENT}).state is POST


@pytest.mark.parametrize(
    ("state", "phase", "agreement"),
    [
        (POST, Phase.POST_CONTRAST, Agreement.AGREE),
        (PRE, Phase.PRE_CONTRAST, Agreement.AGREE),
        (POST, Phase.PRE_CONTRAST, Agreement.CONFLICT),
        (PRE, Phase.POST_CONTRAST, Agreement.CONFLICT),
        (SILENT, Phase.POST_CONTRAST, Agreement.SILENT),
        (POST, Phase.INDETERMINATE, Agreement.SILENT),
        (PRE, None, Agreement.SILENT),
    ],
)
def test_header_and_pixels_agree_conflict_or_one_is_silent(
    state: HeaderState, phase: Phase | None, agreement: Agreement
) -> None:
    assert compare(state, phase) is agreement


KEYWORDS = sorted(
    parse_words(
        "SeriesDescription ProtocolName StudyDescription ContrastBolusAgent ContrastBolusStartTime"
        " AcquisitionTime AcquisitionDateTime AcquisitionDuration ContrastBolusUsageSequence"
        " SharedFunctionalGroupsSequence ContrastBolusAgentSequence NumberOfTemporalPositions PatientName"
    )
)
VALUES = st.recursive(
    ANY_TEXT | st.floats() | st.integers() | st.none() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ContrastBolusUsageSequence", "CodeMeaning"]), inner, max_size=2)
    ),
    max_leaves=5,
)
FACTS = st.dictionaries(st.sampled_from(KEYWORDS), VALUES, max_size=6)


@UNHURRIED
@given(FACTS, st.lists(FACTS, max_size=2))
def test_no_header_however_damaged_makes_the_reading_fail(
    facts: dict[str, object], study: list[dict[str, object]]
) -> None:
    said = read_evidence(facts, [*study, facts])
    assert said.state is SILENT or said.quote

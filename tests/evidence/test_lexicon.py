"""Whole tokens, word order, negatives first: the rules by which a description is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadoscope.evidence.description import read_description, read_study_description
from gadoscope.evidence.lexicon import Kind, load_lexicon, read_text
from gadoscope.evidence.state import HeaderState
from gadoscope.evidence.tokens import compose, parse_tokens, strip_accents
from tests.support.lexicon_table import read_table
from tests.support.unhurried import ANY_TEXT, UNHURRIED

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT
PLAIN = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)


@UNHURRIED
@given(ANY_TEXT)
def test_no_text_of_any_script_makes_the_reading_fail(text: str) -> None:
    assert read_text(text).state in HeaderState


@UNHURRIED
@given(st.sampled_from(sorted(load_lexicon().words)), PLAIN, st.sampled_from(["", "t1 "]))
def test_a_word_inside_a_longer_word_says_nothing(word: str, letters: str, before: str) -> None:
    longer = word + letters
    expected = SILENT if longer not in load_lexicon().words else read_text(longer).state
    assert read_text(f"{before}{longer}").state is expected


@UNHURRIED
@given(st.sampled_from(sorted(load_lexicon().words)), st.sampled_from(" _-.,;:()[]*#|"))
def test_a_word_between_signs_says_what_it_says_alone(word: str, sign: str) -> None:
    assert read_text(f"t1{sign} {word} {sign}3d").state is read_text(word).state


@pytest.mark.parametrize("kind", list(Kind))
def test_every_phrase_of_the_lexicon_is_found_as_its_own_kind(kind: Kind) -> None:
    for phrases in read_table()[kind].values():
        for phrase in phrases:
            found = set(load_lexicon().find_phrases(f"zz {phrase}"))
            assert kind in found or found & set(list(Kind)[: list(Kind).index(kind)]), phrase
            if kind in (Kind.NEGATIVE, Kind.POSITIVE):
                assert read_text(phrase).state is (PRE if kind is Kind.NEGATIVE else POST), phrase


def test_no_phrase_stands_in_two_kinds() -> None:
    seen: dict[str, Kind] = {}
    for kind, languages in read_table().items():
        for phrase in (phrase for phrases in languages.values() for phrase in phrases):
            assert seen.setdefault(phrase, kind) is kind, phrase


def test_text_is_cut_at_signs_digits_and_capitals_and_keeps_plus_and_minus() -> None:
    def words(text: str) -> list[str]:
        return [token.text for token in parse_tokens(text, load_lexicon().words.__contains__)]

    assert words("t1_mpr_tra_p2_iso_KM") == ["t1", "mpr", "tra", "p", "2", "iso", "km"]
    assert words("preGd") == ["pre", "gd"]
    assert words("MPRAGEpost") == ["mprage", "post"]
    assert words("SAGGd") == ["sag", "gd"]
    assert words("T1W+C") == ["t1", "+", "c"]
    assert words("T1 -C / C-") == ["t1", "-", "c", "/", "c", "-"]
    assert words("T1-C") == ["t1", "c"]
    assert words("injecté før") == ["injecte", "for"]
    assert words("T1W3DGAD 2.5mm") == ["t1", "w", "3d", "gad", "2.5", "mm"]
    assert words("T1增强") == ["t1", "增", "强"]


def test_a_token_knows_its_place_in_the_text_whatever_letters_it_has() -> None:
    for text in ("T1 æøn pré-Gd", "조영 전 T1", "T1 Pre\u0301 KM ß", "\uff2b\uff2d"):
        composed = compose(text)
        for token in parse_tokens(text, load_lexicon().words.__contains__):
            assert strip_accents(composed[token.start : token.end]).casefold() == token.text


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("t1 pre gd", PRE),
        ("t1 gd pre", PRE),
        ("t1 post gd", POST),
        ("t1 pre post gd", SILENT),
        ("before contrast", PRE),
        ("after contrast", POST),
        ("before and after contrast", SILENT),
        ("ohne KM", PRE),
        ("ohne und mit KM", SILENT),
        ("sans inj", PRE),
        ("inj", POST),
    ],
)
def test_the_order_of_words_decides(text: str, state: HeaderState) -> None:
    assert read_text(text).state is state


@pytest.mark.parametrize(
    "text",
    [
        "T1 post op",
        "T1 post-processed",
        "POSTERO LATERAL",
        "GDWI",
        "phase contrast",
        "MT contrast",
        "high contrast",
        "T1 post fossa",
        "T1 w/o FS",
        "T1 without fat sat",
        "pre-op T1",
        "C+T spine T1",
        "T1 C spine",
        "T1-C",
        "T/S/C RF FAST PILOT",
        "DCE",
        "Ax T1 3d NEURONAVEGADOR",
    ],
)
def test_what_only_looks_like_contrast_or_is_both_is_silent(text: str) -> None:
    assert read_text(text).state is SILENT


def test_no_phrase_reaches_across_a_colon() -> None:
    assert read_text("AX T1 POST: Processed_CaPTk").state is POST
    assert read_text("AX T1 post processed").state is SILENT


def test_an_operation_does_not_hide_the_agent_that_is_named_beside_it() -> None:
    assert read_text("T1 post op +C").state is POST
    assert read_text("T1 pre contrast post op").state is PRE


def test_series_texts_that_contradict_each_other_are_silent_and_both_are_quoted() -> None:
    said = read_description({"SeriesDescription": "T1 nativ", "ProtocolName": "t1_mpr_KM"})
    assert said.state is SILENT
    assert said.quote == 'SeriesDescription="... nativ", ProtocolName="... KM"'


def test_ge_s_protocol_name_is_the_examination_s_and_no_word_on_the_series() -> None:
    facts = {"SeriesDescription": "Ax T1", "ProtocolName": "BRAIN GAD", "Manufacturer": "GE MEDICAL SYSTEMS"}
    assert read_description(facts).state is SILENT
    assert read_description({**facts, "Manufacturer": "SIEMENS"}).state is POST


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("MRI BRAIN W/O CONTRAST", PRE),
        ("MRI BRAIN WITH CONTRAST", SILENT),
        ("MRI BRAIN W WO CONTRAST", SILENT),
    ],
)
def test_the_examination_s_text_can_deny_an_agent_and_never_affirm_one(text: str, state: HeaderState) -> None:
    assert read_study_description({"StudyDescription": text}).state is state

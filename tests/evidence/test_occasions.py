"""What "pre" and "post" are about: surgery, a shunt, months; and what of it still is contrast."""
# ruff: noqa: RUF001 - the signs of Japanese are meant

import pytest

from gadoscope.evidence.description import read_description
from gadoscope.evidence.lexicon import load_lexicon, read_text
from gadoscope.evidence.state import HeaderState

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT

OTHER_OCCASIONS = """\
AX T1 3 MONTHS POST|SAG T1 POST SHUNT|T1 6 WKS POST|2 yr post|T1 6m post|T1 POST 3 MONTHS|POST 6 WK T1
10d post|24h post|T1 POST SURGERY|post tumor resection|T1 POST LEFT CRANIOTOMY|SHUNT POST T1
CRANIOTOMY POST|post-stroke|post natal|post-mortem T1|AX T1 POST COIL|post embolization|T1 POST RT
post XRT|POST RADIOTHERAPY|POST CHEMO|post biopsy|post ictal|T1 POST DBS|T1 POST SEIZURE|T1 day 3 post
POST DAY 10|month 6 post|post-traumatic|POST TX|POST TREATMENT|post thérapie|post opératoire
post chirurgie|post radioterapia|POST VP SHUNT|POST GAMMA KNIFE|six months post|POST LP|post-partum
3 Monate post OP|6 mois post|post transplant|pre surgery|T1 PRE SHUNT|pre-op T1|T1 PRE BIOPSY
T1 POST EVD|post-exercise|T1 post tPA|T1 post 2nd surgery|T1 J10 post|T1 post pacemaker|T1 post cycle 3
T1 post chemio|T1 post Radiatio|T1 post RTE|T1 visit 2 post|T1 post visit|T1 post CAR-T
T1 post intubation|T1 Mr. Post|Dr. Post T1|T1 Frau Kontrast|Herr Gad T1|T1 CE_FAST|GM contrast T1
T1 post laminectomy|T1 post Kraniotomie|T1 post craneotomía|T1 post-trombectomia|T1 post brachytherapy
T1 post infusion|T1 post cervical fusion|T1 post lumbar fusion|T1 post ACDF|T1 post Spondylodese
T1 post disc replacement|T1 post screw removal|T1 post arthrodèse|T1 post fusione|T1 pós fusão
T1 fusion post|T1 post iv infusion|T1 post saline infusion|T1 post aducanumab infusion
T1 post steroid injection|T1 pre infusion|T1 post injection of botox|T1 après injection de botox
T1 post infusion of steroids|T1 post mannitol|T1 post dexamethasone|T1 post Impfung|T1 post Fraktur
T1 post ponction|T1 post caída|T1 post caduta|T1 post queda|T1 post hersenschudding|T1 post kirurgi
T1 post reanimation|T1 post aneurysm rupture|T1 post whiplash|T1 status post|T1 post Shuntanlage
T1 post d7|T1 post D+7|T1 POST 6/12|T1 post 3 cycles|T1 post Insult|T1 post crise"""

CONTRAST_ALL_THE_SAME = """\
AX T1 5 MIN POST|AX T1 10 MINS POST|T1 POST GAD 3 MONTHS|POST SHUNT +C|3 MONTHS POST GAD|POST OP T1 POST
T1 3D POST|STROKE     POST AX T1|SEIZURE POST AX T1|AX T1 POST STEALTH|T1 POST PITUITARY|T1 POST FS
T1 post infusion of gadolinium|T1 post infusion of contrast|T1 post Gd infusion
T1 post contrast infusion|T1 post Infusion von Gadovist|T1 post infusion de gadolinium
T1 post iv infusion of Dotarem|T1 post cervical fusion +C|T1 POST FAT SUPPRESSION|T1 POST PERFUSION
T1 POST MOTION|T1 POST HYPOPHYSIS|T1 POST LESION|T1 post Injektion|T1 post injection of gadolinium
T1 POST SMITH|T1 POST DOUBLE DOSE|T1 POST NEURONAVIGATION|T1 POST STATION 2|T1 POST IAC|POST COR T1
MR POST GD|T1 Mr. Post +C|POST 5MIN|10 min post|T1 postcontrast 3 months f/u"""


def split(table: str) -> list[str]:
    return table.replace("\n", "|").split("|")


@pytest.mark.parametrize("text", ["COR T1 +", "AX T1+", "AX T1 WITH", "T1 FS w/", "T1增強", "T1 増強後"])
def test_a_name_of_t1_words_that_ends_with_a_plus_or_with_names_contrast(text: str) -> None:
    assert read_text(text).state is POST


@pytest.mark.parametrize("text", ["T1 + T2", "T2 +", "AX +", "T1 knee +"])
def test_a_plus_of_another_meaning_is_silent(text: str) -> None:
    assert read_text(text).state is SILENT


@pytest.mark.parametrize(
    "text",
    [
        "T1 Gd(-)",
        "T1 造影(-)",
        "T1 造影（－）",
        "T1 CE (-)",
        "T1 post contrast(-)",
        "T1 v. KM",
        "T1 造影剤なし",
    ],
)
def test_a_minus_in_parentheses_denies_what_stands_before_it(text: str) -> None:
    assert read_text(text).state is PRE


@pytest.mark.parametrize("text", split(OTHER_OCCASIONS))
def test_before_and_after_something_else_is_silent(text: str) -> None:
    assert read_text(text).state is SILENT


@pytest.mark.parametrize("text", split(CONTRAST_ALL_THE_SAME))
def test_after_the_injection_is_read_beside_other_occasions(text: str) -> None:
    assert read_text(text).state is POST


@pytest.mark.parametrize("word", sorted(load_lexicon().occasions.operations))
def test_every_operation_and_device_counts_after_post_and_before_it(word: str) -> None:
    assert read_text(f"AX T1 POST {word.upper()}").state is SILENT
    assert read_text(f"AX T1 {word} post").state is SILENT
    assert read_text(f"AX T1 {word} post +C").state is POST


@pytest.mark.parametrize("text", ["GD0", "T1 Gd0", "t1_gd0_tra", "T1 Gd 0", "KM0", "T1 gado 0.0"])
def test_a_dose_of_zero_names_no_agent(text: str) -> None:
    assert read_text(text).state is SILENT


def test_a_dose_and_the_number_of_a_slice_are_not_zero() -> None:
    for text in ("T1 GD 0.1", "T1 Gd1", "T1_Gd_000"):
        assert read_text(text).state is POST


@pytest.mark.parametrize(
    "text",
    [
        "AX T1 C",
        "ax t1 c fs",
        "C T1 AX",
        "C AX T1",
        "SAG T1 3D C",
        "AX T1 FSE HC",
        "T1WI_SPIR_C",
        "T1 MPRAGE C",
    ],
)
def test_a_lone_c_among_the_words_of_a_t1_sequence_is_contrast(text: str) -> None:
    assert read_text(text).state is POST


@pytest.mark.parametrize(
    "text", ["T1-C", "T1 C SPINE", "T1 C1-C2", "SAG T1 C/T", "AX T2 C", "T1 HC", "COR T2 HC", "C", "T1 C ARM"]
)
def test_a_lone_c_of_another_meaning_is_silent(text: str) -> None:
    assert read_text(text).state is SILENT


def test_an_examination_with_both_yields_to_what_is_said_of_the_series() -> None:
    assert read_text("BRAIN WWO T1 POST").state is POST
    assert read_text("BRAIN W/WO CONTRAST T1 PRE").state is PRE
    for text in ("BRAIN WWO", "BRAIN WOW AX T1", "BRAIN W/WO GAD", "MRI WITH AND WITHOUT IV CONTRAST"):
        assert read_text(text).state is SILENT
    beside = {"SeriesDescription": "AX T1 POST", "ProtocolName": "BRAIN WWO"}
    assert read_description(beside).quote == 'SeriesDescription="... POST"'
    assert read_description({**beside, "SeriesDescription": "AX T1"}).quote == 'ProtocolName="... WWO"'


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("T1增强", POST),
        ("T1平扫", PRE),
        ("T1 造影後", POST),
        ("造影前 T1", PRE),
        ("T1 조영 후", POST),
        ("T1 조영 전", PRE),
    ],
)
def test_words_of_scripts_without_spaces_are_found_inside_of_a_line(text: str, state: HeaderState) -> None:
    assert read_text(text).state is state

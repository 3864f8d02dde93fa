"""The agent field: what names an agent, what denies one, and all the rest, which says nothing."""

# ruff: noqa: RUF001 - Greek, Turkish and Cyrillic letters are meant

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gadoscope.evidence.agent import count_slips, read_agent_value
from gadoscope.evidence.contrast_module import read_agent
from gadoscope.evidence.state import HeaderState
from tests.support.unhurried import UNHURRIED

POST, PRE, SILENT = HeaderState.ADMINISTERED, HeaderState.NOT_ADMINISTERED, HeaderState.SILENT

# Not a slip of ours: these are the scripts that users write in.
DENIALS = """\
NONE|No|none given|N|nil|Contrast: NONE|Contrast not administered|not administered|patient refused
not used|Patient declined contrast|No Gadovist|Gadovist: none|Gadovist not given|No IV contrast
without contrast|(none)|nocontrast|NoGd|NoContrast|non-contrast|unenhanced|precontrast|contraindicated
Contrast - no|pt refused contrast|ohne KM|kein KM|KM: keine|Kontrastmittel: nein|nicht gegeben|abgelehnt
sans|aucun|pas d'injection|refus du patient|nessuno|senza mdc|ninguno|sin contraste|nenhum
não administrado|geen|niet toegediend|ingen|inget|inte givet|ikke gitt|uden kontrast|なし|造影剤なし
造影なし|非造影|未使用|使用せず|無|无|未使用造影剂|没有|平扫|拒绝|없음|조영제 없음|미사용|нет
без контраста|контраст не вводился|не вводилось|отказ пациента|brak|bez kontrastu|nie podano|žádný
nepodáno|bez kontrastní látky|yok|kontrastsız|hayır|verilmedi|κανένα|χωρίς σκιαγραφικό|όχι
δεν χορηγήθηκε|ei|ei mitään|ilman varjoainetta|ei annettu|造影剤(-)|KM (-)|造影（－）|Gd (-)|IV contrast: N
contrast=N|gad n|contrast (N)|patient didn't want contrast|KM-Allergie|Gadolinium Allergie|gadolinyumsuz
Gadovist не вводился"""

NO_ANSWERS = """\
-|0|0.0 mL|0.0 ml|10 ml|7.5 cc|10 ml IV bolus|3 ml/s|20 ml at 2 ml/s|0.1 mmol/kg|15|N/A|?|UNKNOWN
Non renseigné|NaCl 0.9%|NaCl 0,9 %|saline 20 ml|NaCl given|Kochsalz|Sérum physiologique
soluzione fisiologica|生理食塩水|Buscopan|Buscopan 20mg|glucagon|Glucagon 1 mg IV|ブスコパン|Lasix
Sedation propofol|oral contrast|water|水|Omnipaque 350|IODINE|BARIUM|CARBON DIOXIDE|XENON|Feraheme
Contrast: unknown|Contrast:|Contrast?|Contrast: 0 ml|Gadovist 0 ml|0 ml Gadovist|Gadovist?
Gadovist planned|Gadovist if needed|GD0|not known|not specified|keine Angabe|Smith|Dr. Li|Gadomski
XYZ 12|agent|w/wo|pre and post|Gadavist wasted|Gadavist discarded|Gadovist verworfen|contrast -|KM: -
Gadavist 10 mL vial, 0 mL given|GADOVIST 1,0mmol/ml; 0,0|Saline instead of Gadavist|contrast (saline)
CT contrast|previous contrast|prior Gadavist 2 days ago|contrast consent signed|Gadavist to be given
Mr. Gad|Frau Kontrast|Dr. Gad"""

AGENTS = """\
Gadovist|GADOLINIUM|10 ml Dotarem|CONTRAST|Gd-DTPA|Gadavist 7.5ml|10 ml Gadovist + 20 ml NaCl|MultiHance
ProHance|Clariscan|Magnevist|Omniscan|Gadobutrol 1.0 mmol/ml|gadoterate meglumine|Gadoteric acid
Primovist|EOB|Elucirem|Vueway|GBCA|Gd-BOPTA|DOTA|V08CA09|Magnescope|Gadolinium-based contrast agent
Gadovist, no reaction|Contrast, saline flush|Gadovist ohne Komplikationen|Gadovist lot no. 1234
Gadavist 10 mL, 0 mL wasted|Gadovist for Mr Li|+C|contraste|mdc|PDC|yes|Y|Yes, given|contrast given
with contrast|KM gegeben|ja|oui|sí|sim|да|tak|ano|evet|ναι|kyllä|はい|有|ガドビスト|造影剤あり|钆布醇
가도비스트|гадовист|kontrastlı|σκιαγραφικό|varjoaine|withcontrast|postgad
OptiMARK|OmniScan|MagneVist|AblaVar|MdC ev
GADOVIST™|IV contrast: Y|Gadavist 7 ml, 3 ml wasted|Gadavist 7 mL per protocol|Gadovist, no prior reactions
造影剤(+)|Gadovist for Mr. Gad"""

MISSPELT = "Gadovsit|Magnivist|Dotarum|Ominscan|gadolinuim|Gadolineum|Multihanse"


def split(table: str) -> list[str]:
    return table.replace("\n", "|").split("|")


@pytest.mark.parametrize("text", split(DENIALS))
def test_a_denial_in_any_language_and_at_any_place_denies(text: str) -> None:
    assert read_agent_value(text).state is PRE


@pytest.mark.parametrize("text", ["", "  ", *split(NO_ANSWERS)])
def test_volumes_other_drugs_and_what_nobody_understands_say_nothing(text: str) -> None:
    assert read_agent_value(text).state is SILENT


@pytest.mark.parametrize("text", split(AGENTS))
def test_an_agent_by_any_name_and_a_yes_affirm(text: str) -> None:
    assert read_agent_value(text).state is POST


@pytest.mark.parametrize("text", split(MISSPELT))
def test_a_slip_of_the_finger_is_forgiven_and_quoted_as_it_should_be_spelt(text: str) -> None:
    said = read_agent({"ContrastBolusAgent": f"{text} 10 ml"})
    assert said.state is POST
    assert text not in said.quote
    assert said.quote.endswith('(misspelt)"')


def test_a_code_names_the_agent_where_its_meaning_is_missing() -> None:
    coded = {"ContrastBolusAgentSequence": [{"CodeValue": "C-B0415"}]}
    assert read_agent(coded).quote == 'ContrastBolusAgentSequence: CodeValue="C-B0415"'


def test_the_agent_alone_is_quoted_and_not_for_whom_it_was() -> None:
    assert (
        read_agent({"ContrastBolusAgent": "Gadovist for Mr Li"}).quote == 'ContrastBolusAgent="Gadovist ..."'
    )
    refused = read_agent({"ContrastBolusAgent": "Frau Wu: KM abgelehnt, 12.03.1957"})
    assert refused.quote == 'ContrastBolusAgent="... KM abgelehnt ..."'


@UNHURRIED
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=20), st.integers(0, 5000))
def test_a_text_without_a_word_of_the_table_never_affirms(text: str, number: int) -> None:
    said = read_agent_value(f"zz{text.replace(' ', ' zz')} {number} ml")
    assert said.state is SILENT or said.misspelt


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("", "", 0),
        ("gadovist", "gadovist", 0),
        ("gadovsit", "gadovist", 1),
        ("gadvist", "gadovist", 1),
        ("ca", "abc", 3),
    ],
)
def test_slips_are_counted_as_optimal_string_alignment_counts_them(one: str, other: str, slips: int) -> None:
    assert count_slips(one, other) == count_slips(other, one) == slips

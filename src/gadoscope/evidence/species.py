"""Whether the header is a human's: the models have seen people alone.

An animal's header says so in tags of its own (species, breed, strain, QUADRUPED), which a person's leaves
empty. Where they are empty a veterinary word in what the examination is called is a reason to doubt.

References
----------
DICOM PS3.3 C.7.1.1 (Patient), C.7.1.4 (Patient Group), C.7.6.1.1.1 (Anatomical Orientation Type); PS3.16
CID 7454 (Animal Taxonomic Rank Values); SNOMED CT 337915000, SRT L-85B00: homo sapiens
"""

import re
from collections.abc import Iterable

from gadoscope.errors import RefusedError
from gadoscope.evidence.facts import Facts, find_text, find_words, iter_items
from gadoscope.evidence.tokens import parse_tokens, parse_words, strip_accents

HUMAN_WORDS = parse_words(
    "homo sapiens human humans mensch humain humaine humano humana umano umana humaan menneske manniska"
    " czlowiek clovek insan person ihminen"
)
HUMAN_CODES = frozenset(("337915000", "L-85B00"))
DENIALS = parse_words("non not kein nicht inhuman subhuman")
"""Before a word for man: "non-human primate"."""
NOTHING_SAID = parse_words("unknown none na n a unspecified other anonymous anonymized removed unk null no")
# Known well enough to be quoted; another word in a free text may be a name.
ANIMAL_WORDS = parse_words(
    "rattus norvegicus rat rats mus musculus mouse mice murine rodent rodentia canis lupus familiaris canine"
    " dog dogs felis catus silvestris feline cat cats equus caballus equine horse macaca mulatta fascicularis"
    " macaque macaques rhesus monkey callithrix jacchus marmoset papio baboon chlorocebus primate sus scrofa"
    " domesticus porcine swine pig piglet minipig ovis aries ovine sheep lamb bos taurus bovine cow capra"
    " hircus goat oryctolagus cuniculus rabbit mustela putorius ferret cavia porcellus guinea hamster gerbil"
    " danio rerio zebrafish gallus avian bird tupaia mesocricetus octodon vole bat"
)
# Of one meaning also where people write of people: no "cat", no "dog", no "bat", no "Lamb".
VETERINARY_WORDS = parse_words(
    "rattus norvegicus mus musculus mouse murine canis canine felis feline equus equine macaca mulatta"
    " macaque macaques rhesus marmoset callithrix baboon"
    " porcine swine piglet minipig ovine bovine rabbit ferret"
    " veterinary veterinaire tierklinik"
)
SPECIES = ("PatientSpeciesDescription", "PatientSpeciesCodeSequence")
BREED = ("PatientBreedDescription", "PatientBreedCodeSequence")
STRAIN = ("StrainDescription", "StrainCodeSequence")
WORD = re.compile(r"[^\W\d_]+")
_NAMES = ("SeriesDescription", "ProtocolName", "StudyDescription", "BodyPartExamined")


def check_species(facts: Facts) -> str:
    """Return a warning where a description speaks of an animal, else "".

    Raises
    ------
    RefusedError
        ``not_human``, if a tag says so.
    """
    if _check_stated_species(facts):
        return ""
    _check_animal_tags(facts)
    for keyword in _NAMES:
        said = sorted(
            {token.text for token in parse_tokens(find_text(facts, keyword) or "")} & VETERINARY_WORDS
        )
        if said:
            return f'{keyword} names "{said[0]}": only people are answered rightly'
    return ""


def _check_stated_species(facts: Facts) -> bool:
    """Return whether a tag says human; refuse where one says another species, or QUADRUPED."""
    is_human = False
    for keyword in SPECIES:
        typed, codes = _find_words(facts, keyword)
        words = {word.casefold() for word in typed}
        if codes & HUMAN_CODES or (words & HUMAN_WORDS and not words & DENIALS):
            is_human = True
        elif codes or words - NOTHING_SAID:
            raise _refusal(f"{keyword} names {_spell(typed)}")
    if "QUADRUPED" in find_words(facts, "AnatomicalOrientationType"):
        raise _refusal('AnatomicalOrientationType="QUADRUPED" is an animal\'s')
    return is_human


def _check_animal_tags(facts: Facts) -> None:
    """Refuse where a tag is filled in that only an animal's header has."""
    for keyword in (*BREED, *STRAIN):
        typed, codes = _find_words(facts, keyword)
        if codes or {word.casefold() for word in typed} - NOTHING_SAID - HUMAN_WORDS:
            raise _refusal(f"{keyword} is filled in, as an animal's is")
    if "OWNER" in find_words(facts, "ResponsiblePersonRole"):
        raise _refusal('ResponsiblePersonRole="OWNER" is an animal\'s')


def _find_words(facts: Facts, keyword: str) -> tuple[Iterable[str], set[str]]:
    """Return the words as they were typed, and the codes of a description or a code sequence."""
    items = list(iter_items(facts, keyword))
    texts = (
        [find_text(item, "CodeMeaning") or "" for item in items]
        if items
        else [find_text(facts, keyword) or ""]
    )
    codes = {find_text(item, "CodeValue") or "" for item in items} - {""}
    typed = dict.fromkeys(word for text in texts for word in WORD.findall(strip_accents(text)))
    return typed.keys(), codes


def _spell(typed: Iterable[str]) -> str:
    known = " ".join(word for word in typed if word.casefold() in ANIMAL_WORDS)
    return f'"{known}", another species than man' if known else "another species than man"


def _refusal(said: str) -> RefusedError:
    return RefusedError("not_human", f"{said}; only people are answered.")

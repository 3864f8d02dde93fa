"""An animal's header is told from a person's, and a person's never taken for an animal's."""

import pytest

from gadoscope.errors import RefusedError
from gadoscope.evidence.species import check_species


@pytest.mark.parametrize(
    "facts",
    [
        {"PatientSpeciesDescription": "Rattus norvegicus"},
        {"PatientSpeciesDescription": "Panthera leo"},
        {"PatientSpeciesDescription": "CANINE"},
        {"PatientSpeciesDescription": "non-human primate"},
        {"PatientSpeciesDescription": "Not human"},
        {"PatientSpeciesCodeSequence": [{"CodeValue": "447612001", "CodeMeaning": "Mus musculus"}]},
        {"PatientBreedDescription": "Labrador Retriever"},
        {"PatientBreedCodeSequence": [{"CodeValue": "132593005", "CodeMeaning": "Beagle"}]},
        {"StrainDescription": "C57BL/6J"},
        {"AnatomicalOrientationType": "QUADRUPED"},
        {"ResponsiblePersonRole": "OWNER"},
        {"PatientSpeciesDescription": "Homo sapiens", "AnatomicalOrientationType": "QUADRUPED"},
    ],
)
def test_an_animal_s_tag_refuses(facts: dict[str, object]) -> None:
    with pytest.raises(RefusedError) as refusal:
        check_species(facts)
    assert refusal.value.reason == "not_human"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"PatientSpeciesDescription": "Homo sapiens", "PatientBreedDescription": "none"},
        {"PatientSpeciesDescription": "Human"},
        {"PatientSpeciesDescription": "UNKNOWN", "PatientBreedDescription": "N/A"},
        {"PatientSpeciesCodeSequence": [{"CodeValue": "337915000", "CodeMeaning": "homo sapiens"}]},
        {"AnatomicalOrientationType": "BIPED", "ResponsiblePersonRole": "PARENT"},
        {"StudyDescription": "MRI cat scan, Dr Lamb", "SeriesDescription": "T1 dog bite"},
    ],
)
def test_a_person_s_header_passes_without_a_word(facts: dict[str, object]) -> None:
    assert check_species(facts) == ""


def test_the_species_is_quoted_and_a_word_that_is_none_is_not() -> None:
    with pytest.raises(RefusedError, match='names "Rattus norvegicus", another species than man'):
        check_species({"PatientSpeciesDescription": "Rattus norvegicus (Mustermann)"})


def test_a_veterinary_word_in_a_description_is_a_warning() -> None:
    assert check_species({"StudyDescription": "Canine brain"}).startswith('StudyDescription names "canine"')

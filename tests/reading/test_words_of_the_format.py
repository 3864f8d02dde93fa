"""What is said of a file is said in the words of its format: no DICOM keyword of a NIfTI or a picture."""

import ast
import json
import re
from pathlib import Path

import pydicom.datadict
import pytest

import gadoscope
from gadoscope.evidence.sequence import check_sequence
from gadoscope.reading.bids.dataset import find_sidecar_facts
from tests.support.nifti_files import save, values

PACKAGE = Path(gadoscope.__file__).parent
OF_OTHER_FORMATS = ("reading/nifti", "reading/bids", "reading/images.py", "reading/image_parts.py", "imaging")
"""What reads and lays out anything but DICOM; of `imaging` all formats are laid out."""
KEYWORDS = {name for name in pydicom.datadict.keyword_dict if re.search(r"[a-z][A-Z]", name)}
"""Those of two words: Rows and Modality are words of every day, too."""
DICOM_WORDS = re.compile(r"\b(DICOM|SOP|[Tt]ags?|instances?|attributes?)\b")
SIDECAR = {"EchoTime": 0.003, "RepetitionTime": 0.5, "ScanningSequence": "GR"}


def list_sentences(module: Path) -> list[str]:
    """Return the texts of a module that are sentences; documentation is none."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    documented = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
        and " " in node.value.strip()
    ]


def find_dicom_words(sentence: str) -> list[str]:
    """Return the keywords and the words of DICOM in a sentence."""
    words = re.findall(r"\w+", sentence)
    return [word for word in words if word in KEYWORDS] + DICOM_WORDS.findall(sentence)


def test_what_reads_other_formats_has_no_sentence_with_words_of_dicom() -> None:
    modules = [file for part in OF_OTHER_FORMATS for file in _list_modules(PACKAGE / part)]
    found = {
        (module.name, sentence)
        for module in modules
        for sentence in list_sentences(module)
        if find_dicom_words(sentence)
    }
    assert not found
    n_sentences = sum(len(list_sentences(module)) for module in modules)
    assert n_sentences > 100


def _list_modules(place: Path) -> list[Path]:
    return [place] if place.suffix == ".py" else sorted(place.rglob("*.py"))


def test_words_of_dicom_are_found() -> None:
    assert find_dicom_words("SliceThickness is missing") == ["SliceThickness"]
    assert find_dicom_words("this instance has no tag") == ["instance", "tag"]
    assert find_dicom_words("its header does not say how the head lies") == []


@pytest.mark.parametrize("name", ["sub-1_T1w.nii.gz", "scan.nii.gz"])
@pytest.mark.parametrize("left_out", [(), *((key,) for key in SIDECAR), tuple(SIDECAR)])
def test_what_a_sidecar_lacks_is_said_of_the_sidecar(
    tmp_path: Path, name: str, left_out: tuple[str, ...]
) -> None:
    save(tmp_path / name, values())
    said = {key: value for key, value in SIDECAR.items() if key not in left_out}
    (tmp_path / name.replace(".nii.gz", ".json")).write_text(json.dumps(said))
    facts, _ = find_sidecar_facts(tmp_path / name)
    assert facts is not None
    warnings = check_sequence(facts)
    assert warnings
    for warning in warnings:
        assert warning.startswith("its JSON sidecar lacks ")
    missing = f"its JSON sidecar lacks {', '.join(left_out)};" if len(left_out) == 1 else ""
    assert any(warning.startswith(missing) for warning in warnings)


def test_of_an_image_without_a_sidecar_no_keyword_is_named(tmp_path: Path) -> None:
    save(tmp_path / "sub-1_T1w.nii.gz", values())
    facts, _ = find_sidecar_facts(tmp_path / "sub-1_T1w.nii.gz")
    assert facts is not None
    assert check_sequence(facts) == (
        "it has no JSON sidecar; taken for the head",
        "it has no JSON sidecar; T1 weighting not checked in full",
    )


def test_a_header_of_dicom_is_still_spoken_of_in_its_keywords() -> None:
    assert check_sequence({})[0] == "Modality is missing; taken for MR"

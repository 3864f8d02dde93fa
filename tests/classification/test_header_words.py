"""What rows say of headers and file names, in whole runs: no false word of contrast, none of a patient."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pydicom.dataset import Dataset

from gadoscope.classification.run import iter_results
from gadoscope.cli.main import cli
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import quote
from gadoscope.labels import Phase, QuoteMode, SeriesResult
from gadoscope.phantom.forms.headers import HeaderMode
from tests.support.bundles import write_tiny_bundle
from tests.support.dicom_files import classic_series, rename_study, write_series
from tests.support.scan_runs import classify

# As they stand in the tags, and as they are typed: other spellings, other orders, other people.
TYPED = (
    *("LI WU", "Wu, Li", "MUELLER", "Müller-Lüdenscheidt", "Mueller Luedenscheidt", "Østergård", "Ng"),
    *(
        "1957-03-12",
        "12.03.1957",
        "12 MAR 57",
        "PID 77-31-942",
        "7731942",
        "ACC0012345",
        "Dr. Ueda",
        "王小明",
    ),
)

# Parts of a date are numbers of slices and folders, too.
LONGEST_COUNT = 2


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


def silent_series(n_slices: int = 3, /, **values: object) -> list[Dataset]:
    """Return a small pre-contrast series whose header says nothing of contrast but ``values``."""
    datasets = classic_series(Phase.PRE_CONTRAST, mode=HeaderMode.MISSING, n_slices=n_slices, matrix=32)
    for dataset in datasets:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
    return datasets


def rows_of(
    bundle: Path, folder: Path, values: Mapping[str, Mapping[str, object]]
) -> dict[str, SeriesResult]:
    for name, said in values.items():
        write_series(rename_study(silent_series(**said), name), folder / name)
    return {Path(row.path).parent.name: row for row in classify(bundle, folder)}


def test_no_field_time_or_description_about_something_else_says_administered(
    bundle: Path, tmp_path: Path
) -> None:
    zeroed = dict.fromkeys(("ContrastBolusStartTime", "AcquisitionTime", "SeriesTime", "StudyTime"), "000000")
    rows = rows_of(
        bundle,
        tmp_path,
        {
            "last word": {"ContrastBolusAgent": "Contrast: NONE"},
            "saline": {"ContrastBolusAgent": "NaCl 0.9%"},
            "refused": {"ContrastBolusAgent": "patient refused"},
            "volume": {"ContrastBolusAgent": "10 ml"},
            "zero": {"ContrastBolusAgent": "0.0 mL"},
            "clocks": zeroed,
            "copied": {**dict.fromkeys(zeroed, "101500")},
            "months": {"SeriesDescription": "AX T1 3 MONTHS POST"},
            "shunt": {"SeriesDescription": "SAG T1 POST SHUNT"},
            "gd0": {"SeriesDescription": "T1 Gd0"},
            "agent": {"ContrastBolusAgent": "Gadovist"},
        },
    )
    said = {name: row.header_state for name, row in rows.items()}
    assert said.pop("agent") == "administered"
    assert [said.pop(name) for name in ("last word", "refused")] == ["not administered"] * 2
    assert set(said.values()) == {"silent"}


@pytest.mark.parametrize("patient", ["Wu^Li", "Anonymous"], ids=["tags kept", "tags removed"])
def test_what_is_typed_of_a_person_reaches_no_output_however_it_is_spelt(
    patient: str, bundle: Path, tmp_path: Path
) -> None:
    for number, typed in enumerate(TYPED):
        common = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": patient, "PatientID": patient}
        texts: dict[str, dict[str, object]] = {
            "post": {"SeriesDescription": f"T1 {typed} POST GD {typed}"},
            "both": {"SeriesDescription": f"{typed} T1 nativ", "ProtocolName": f"T1 KM {typed}"},
            "agent": {"ContrastBolusAgent": f"Gadovist {typed}"},
            "name": {"SeriesDescription": f"{typed} localizer"},
        }
        if number == 0:  # whatever is typed
            texts["type"] = {"ImageType": ["DERIVED", "PRIMARY", "SUB", "LI WU"]}
        for name, values in texts.items():
            series = rename_study(silent_series(1, **common, **values), f"{number} {name}")
            write_series(series, tmp_path / "in" / f"{number}" / name)
    output = tmp_path / "table.csv"
    command = ["classify", str(tmp_path / "in"), "--model", str(bundle), "--output", str(output)]
    done = CliRunner().invoke(cli, command)
    written = output.read_bytes() + Path(f"{output}.journal").read_bytes() + done.output.encode()
    shown = written.replace(str(tmp_path).encode(), b"").decode("utf-8", "replace")
    assert shown.count("... POST GD ...") >= len(TYPED)
    assert shown.count("Gadovist ...") >= len(TYPED)
    words = set(re.findall(r"\w+", shown.casefold()))
    for part in {part for typed in TYPED for part in re.findall(r"\w+", typed)} - {
        "12",
        "03",
        "57",
        "77",
        "31",
    }:
        assert part.casefold() not in words, part


@pytest.mark.parametrize("typed", TYPED)
def test_a_quote_holds_the_words_that_decided_and_dots(typed: str) -> None:
    said = read_evidence({"SeriesDescription": f"{typed} T1 POST GD {typed}"})
    assert said.quote == 'SeriesDescription="... POST GD ..."'
    refused = f'ImageType="{quote({"ImageType": ["DERIVED", "SUB", typed]}, "ImageType")}"'
    assert typed not in refused
    assert typed not in quote({"SeriesDescription": f"{typed} localizer"}, "SeriesDescription", {"localizer"})


def test_a_word_of_the_lexicon_that_is_the_patients_name_is_hidden() -> None:
    said = read_evidence({"SeriesDescription": "T1 Blanco", "PatientName": "Blanco^Maria"})
    assert said.quote == 'SeriesDescription="..."'


def test_the_whole_text_is_quoted_by_request_only_and_a_resume_never_mixes(
    bundle: Path, tmp_path: Path
) -> None:
    write_series(silent_series(SeriesDescription="T1 POST Ueda"), tmp_path / "in")
    output = tmp_path / "table.csv"
    command = ["classify", str(tmp_path / "in"), "--model", str(bundle), "--output", str(output), "--resume"]
    words, whole = "... POST ...", "T1 POST Ueda"
    for options, shown, hidden in (
        ([], words, whole),
        (["--quote", "full"], whole, words),
        (["--quote", "words"], words, whole),
        (["--quote", "full"], whole, words),
    ):
        assert CliRunner().invoke(cli, [*command, *options]).exit_code == 0
        table = output.read_text(encoding="utf-8")
        assert shown in table
        assert hidden not in table


def test_the_help_says_that_a_full_quote_may_hold_patient_data() -> None:
    shown = " ".join(CliRunner().invoke(cli, ["classify", "--help"]).output.split())
    assert "may hold patient data" in shown


def write_image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 250, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def test_names_of_images_and_volumes_are_evidence_and_names_of_folders_are_not(
    bundle: Path, tmp_path: Path
) -> None:
    nib: Any = nibabel  # has no types
    volume = nib.Nifti1Image(np.arange(24 * 24 * 5, dtype=np.int16).reshape(24, 24, 5), np.eye(4))
    for name in ("BraTS-GLI-00000-000-t1c", "BraTS-GLI-00000-000-t1n", "sub-01_acq-postgad_T1w", "t1ce/scan"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        nib.save(volume, tmp_path / "in" / f"{name}.nii.gz")
    for name in ("T1Gd_012.png", "slice_012.png", "post/013.png"):
        write_image(tmp_path / "in" / name)
    rows = {Path(row.path).name: row for row in classify(bundle, tmp_path / "in")}
    assert {name: (row.header_state, row.header_quote) for name, row in rows.items()} == {
        "BraTS-GLI-00000-000-t1c.nii.gz": ("administered", 'file name="... t1c ..."'),
        "BraTS-GLI-00000-000-t1n.nii.gz": ("not administered", 'file name="... t1n ..."'),
        "sub-01_acq-postgad_T1w.nii.gz": ("administered", 'file name="... postgad ..."'),
        "scan.nii.gz": ("silent", ""),
        "T1Gd_012.png": ("administered", 'file name="T1Gd ..."'),
        "slice_012.png": ("silent", ""),
        "013.png": ("silent", ""),
    }
    assert rows["T1Gd_012.png"].agreement in {"agree", "conflict"}


def test_a_renamed_image_is_asked_again_where_its_name_says_something_else(
    bundle: Path, tmp_path: Path
) -> None:
    first = write_image(tmp_path / "in" / "a_t1ce.png")
    output = tmp_path / "table.csv"
    command = ["classify", str(tmp_path / "in"), "--model", str(bundle), "--output", str(output), "--resume"]
    CliRunner().invoke(cli, command)
    shutil.move(first, first.with_name("a_t1n.png"))
    CliRunner().invoke(cli, command)
    assert "t1n" in output.read_text(encoding="utf-8")
    assert "not administered" in output.read_text(encoding="utf-8")


def test_a_run_in_python_quotes_words_unless_it_is_told_otherwise(bundle: Path, tmp_path: Path) -> None:
    write_series(silent_series(SeriesDescription="T1 Ueda nativ"), tmp_path / "in")
    (words,) = iter_results([tmp_path / "in"], model=bundle, jobs=1)
    (full,) = iter_results([tmp_path / "in"], model=bundle, jobs=1, quote=QuoteMode.FULL)
    assert words.header_quote == 'SeriesDescription="... nativ"'
    assert full.header_quote == 'SeriesDescription="T1 Ueda nativ"'

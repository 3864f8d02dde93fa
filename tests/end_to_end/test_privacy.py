"""No word of a patient leaves a file: not in tables, journals, errors or logs, whatever is wrong with it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import (
    POST,
    classic_series,
    dynamic_series,
    localizer,
    rename_study,
    set_pixels,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.dicom_others import OTHERS, PATIENT_WORDS, leaked_words, plant_patient

# Replaced in the bytes of a written file by patient data of the same length: what no scanner writes.
MARKS = {"7.654321098765": "Zwolsterveldt ", "7654.32109876": "Quirijnabel 1", "19870605": "1913021x"}


def _bytes_of(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    data = file_bytes(dataset, syntax)
    for mark, word in MARKS.items():
        assert len(mark) == len(word)
        data = data.replace(mark.encode(), word.encode())
    return data


def _planted(name: str, *, in_descriptions: bool = True, **values: object) -> list[Dataset]:
    """Return a series of a study of its own, with patient data everywhere and some values set."""
    datasets = rename_study(classic_series(POST, n_slices=3, matrix=32), name)
    plant_patient(datasets, in_descriptions=in_descriptions)
    for dataset in datasets:
        for keyword, value in values.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
    return datasets


def _iter_files() -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: intact series and every way to fail, all with patient data planted."""
    series = {
        "intact": _planted("intact"),
        "wordless": _planted("wordless", in_descriptions=False),
        "enhanced": [enhanced(_planted("for enhanced"))],
        "legacy": [legacy_converted(_planted("for legacy"))],
        "dynamic": plant_patient(dynamic_series(3, 1, n_slices=2)),
        "localizer": plant_patient(localizer()),
        "no orientation": _planted("orientation", ImageOrientationPatient=None),
        "bad spacing": _planted("spacing", PixelSpacing=[0, -1]),
        "no class": _planted("class", SOPClassUID=None),
        "huge": _planted("huge", Rows=10_000, Columns=10_000),
        "not a number": _planted("number", RepetitionTime="7.654321098765", EchoTime="7654.32109876"),
        "not a date": _planted(
            "date", in_descriptions=False, PatientBirthDate="19870605", StudyDate="19870605"
        ),
        **{name: plant_patient(build()) for name, build in OTHERS.items()},
    }
    yield from _iter_nifti(series["intact"][0])
    blank = _planted("blank")
    for dataset in blank:
        set_pixels(dataset, np.zeros((32, 32), np.uint16))
    series["blank"] = blank
    for name, datasets in series.items():
        for index, dataset in enumerate(datasets):
            yield f"{name}/{index}", _bytes_of(dataset)
    for name, syntax in {"rle": RLELossless, "jpeg 2000": JPEG2000Lossless}.items():
        data = _bytes_of(_planted(name)[0], syntax)
        yield f"{name}/damaged", data[:-400] + b"\x55" * 400
    plain = _bytes_of(_planted("plain")[0])
    yield "truncated/pixels", plain[:-1000]
    yield "truncated/header", plain[:700]
    yield "no preamble/0", plain[132:]
    yield "unknown syntax/0", plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0")
    yield "description too long/0", _swallow(plain, b"\x08\x00\x3e\x10LO", b"Quirijnabel")
    yield "modality too long/0", _swallow(plain, b"\x08\x00\x60\x00CS", b"Quirijnabel")
    yield "name too long/0", _swallow(plain, b"\x10\x00\x10\x00PN", b"PIDQ7731942")
    yield "name in the class/0", plain.replace(b"1.2.840.10008.5.1.4.1.1.4\0", b"1.2.840.Zwolsterveldt van\0")
    yield "name in the syntax/0", plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.Quirijnabel\0")
    latin = _bytes_of(_planted("latin", SpecificCharacterSet="ISO_IR 100")[0])
    yield "unknown characters/0", latin.replace(b"ISO_IR 100", b"ISO_IR 999")
    yield "wrong characters/0", latin.replace(b"ISO_IR 100", b"ISO_IR 192").replace(b"^Quirij", b"^\xffuirij")
    yield "garbage/0", plain[:400] + b"\xff\xfe" * 40 + plain[400:]
    yield "wrong representation/0", plain.replace(b"PN", b"DS")
    # A description is cleared of what the header gives as the patient's; here it gives less than was typed.
    wordless = _bytes_of(_planted("wordless 2", in_descriptions=False)[0])
    yield "no longer a name/0", wordless.replace(b"\x10\x00\x10\x00PN", b"\x28\x00\x30\x00DS")


def _iter_nifti(planted: Dataset) -> Iterator[tuple[str, bytes]]:
    """Yield a volume whose sidecar holds all that was planted, as converters write it if they are let."""
    nib: Any = nibabel  # has no types
    image = nib.Nifti1Image(np.arange(20 * 20 * 4, dtype=np.int16).reshape(20, 20, 4), np.eye(4))
    image.header["descrip"] = image.header["aux_file"] = b"Zwolsterveldt"
    words = ("SeriesDescription", "ProtocolName", "StudyDescription", "ContrastBolusAgent", "ImageComments")
    said = {**PATIENT_WORDS, **{keyword: str(planted[keyword].value) for keyword in words}}
    for name, sidecar in {"sidecar": json.dumps(said), "broken sidecar": json.dumps(said)[:-1]}.items():
        yield f"{name}/head.nii", image.to_bytes()
        yield f"{name}/head.json", sidecar.encode()
    yield "truncated nifti/head.nii", image.to_bytes()[:1000]


def _swallow(data: bytes, element: bytes, last: bytes) -> bytes:
    """Return the file with a wrong length: the element's value goes on to the next ``last`` after it."""
    start = data.index(element) + len(element) + 2
    end = data.index(last, data.index(b"\x10\x00\x10\x00PN")) + len(last)
    length = (end - start + 1) // 2 * 2  # values are padded to an even length
    return data[: start - 2] + length.to_bytes(2, "little") + data[start:]


def _find_leaks(where: str, data: bytes) -> list[str]:
    lower = data.lower()
    wide = lower.replace(b"\0", b"")
    return [f"{where}: {word}" for word in leaked_words() if word.lower().encode() in lower + wide]


OPTIONS = (("--output", "table.csv", "--resume"), ("--json",))
END = "--- the end of a run, with the exit code "
PROGRAM = f"""
import sys
from gadoscope.cli.main import main

archive, bundle = sys.argv[1:]
for options in {OPTIONS}:
    sys.argv = ["gadoscope", "classify", archive, "--model", bundle, *options]
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    for stream in (sys.stdout, sys.stderr):
        print("{END}", code, file=stream, flush=True)
"""
"""Runs one command after the other: with every check of Python on, what they import takes longest."""


def _run(bundle: Path, archive: Path, temporary: Path, output: Path) -> tuple[bytes, bytes]:
    """Run the commands in a folder, and return their standard output and their standard error."""
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "default", "PYTHONDEVMODE": "1"}
    command = [sys.executable, "-c", PROGRAM, str(archive), str(bundle)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=output, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    for name, data in _iter_files():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return folder


def test_no_word_of_a_patient_is_written_anywhere(archive: Path, tmp_path: Path, tiny_bundle: Path) -> None:
    temporary, output = tmp_path / "temporary", tmp_path / "output"
    temporary.mkdir()
    output.mkdir()
    said = _run(tiny_bundle, archive, temporary, output)
    assert [len(re.findall(rb"%s [03]\n" % END.encode(), stream)) for stream in said] == [2, 2]
    assert [b"inputs" in run for run in said[1].split(END.encode())] == [True, True, False]
    leaks = _find_leaks("printed", b"".join(said))
    assert (output / "table.csv").is_file()
    for path in sorted((*output.rglob("*"), *temporary.rglob("*"))):
        leaks += _find_leaks(path.name, path.name.encode() + path.read_bytes())
    assert leaks == []
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


def test_what_was_planted_would_be_found(archive: Path) -> None:
    planted = (archive / "intact" / "0").read_bytes()
    assert len(_find_leaks("file", planted)) == len(leaked_words())

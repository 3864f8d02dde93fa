"""Odd text from files, headers, manifests and bundles, through whole commands: nothing lost or obeyed."""

import csv
import io
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from gadoscope.labels import Label, Phase, Plane, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.statistics.table import read_predictions
from tests.support.bundles import TINY_METADATA, write_tiny_bundle
from tests.support.commands import GADOSCOPE, run_command
from tests.support.curves import no_curves
from tests.support.dicom_files import classic_series, write_series
from tests.support.odd_text import ODD_TEXTS
from tests.support.quick_runs import explain_coarsely, grow_few_trees
from tests.support.slices import write_slice
from tests.support.tiny_run import make_items, write_run

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
EVALUATED = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - as meant
UID_BYTES = 40
NAMES = {
    kind: text[:80].replace("/", ":").replace("\0", "0")
    for kind, text in ODD_TEXTS.items()
    if "\ud83e" not in text  # no file system can hold it
}


def check_console(ended: CompletedProcess[str]) -> str:
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    assert not UNSAFE.search(said)
    return said


def check_sheet(text: str, columns: int) -> list[dict[str, str]]:
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        assert len(row) == columns
        assert not any(cell.startswith(EVALUATED) and not is_number(cell) for cell in row), row
        assert not any(UNSAFE.search(cell) for cell in row)
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def uid_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")[:UID_BYTES].ljust(UID_BYTES, b" ")


@pytest.fixture(scope="module")
def odd_scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of scans whose names or identifiers are odd: a PNG and a DICOM series a kind."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "png").mkdir()
    for number, name in enumerate(NAMES.values()):
        named = write_slice(folder / "png" / f"{number}.png", seed=number)
        named.rename(folder / "png" / f"{name}{number}")
    place = {
        "StudyInstanceUID": "1." + "1" * (UID_BYTES - 2),
        "SeriesInstanceUID": "1." + "2" * (UID_BYTES - 2),
    }
    for kind, text in ODD_TEXTS.items():
        series = classic_series(Phase.PRE_CONTRAST, n_slices=2, matrix=32)
        for dataset in series:
            for keyword, value in place.items():
                setattr(dataset, keyword, value)
        for path in write_series(series, folder / "dicom" / kind):
            content = path.read_bytes()
            for value in place.values():
                content = content.replace(value.encode(), uid_bytes(text))
            path.write_bytes(content)
    for kind, name in NAMES.items():  # what is left to tell the series by is the name
        (dataset,) = classic_series(Phase.PRE_CONTRAST, n_slices=1, matrix=32)
        del dataset.SeriesInstanceUID
        (path,) = write_series([dataset], folder / "alone" / kind)
        path.rename(path.with_name(f"{name}.dcm"))
    return folder


def test_every_scan_of_an_odd_name_or_identifier_has_a_row_in_every_form(
    tmp_path: Path, odd_scans: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    words = ("classify", odd_scans, "--model", tiny_bundle, "--series-alone")
    ended = run_command(*words, "--jobs", "1", "--output", output)
    check_console(ended)
    assert ended.returncode == 0
    rows = check_sheet(output.read_bytes().decode("utf-8"), 16)
    assert sum("/png/" in row["path"] for row in rows) == len(NAMES)
    assert {row["study_instance_uid"] for row in rows if "/dicom/" in row["path"]} == {""}
    assert {row["series_instance_uid"] for row in rows if "/dicom/" in row["path"]} == {""}
    silent = [row for row in rows if "/dicom/" in row["path"] and "is no UID" not in row["warnings"]]
    assert all("/NUL/" in row["path"] for row in silent)  # what holds a NUL is read as missing
    assert b"JANE" not in output.read_bytes()
    piped = run_command(*words, "--jobs", "2")
    check_console(piped)
    assert piped.stdout.encode() == output.read_bytes()
    as_json = run_command(*words, "--json")
    assert len([json.loads(line) for line in check_console(as_json).splitlines() if line[0] == "{"]) == len(
        rows
    )


def test_a_uid_that_is_one_is_written_as_it_is(tmp_path: Path, tiny_bundle: Path) -> None:
    series = classic_series(Phase.PRE_CONTRAST)
    write_series(series, tmp_path / "in")
    ended = run_command("classify", tmp_path / "in", "--model", tiny_bundle)
    (row,) = check_sheet(ended.stdout, 16)
    assert row["study_instance_uid"] == series[0].StudyInstanceUID
    assert row["series_instance_uid"] == series[0].SeriesInstanceUID
    assert "no UID" not in row["warnings"]


def test_a_bundle_of_an_odd_name_is_no_formula_and_is_not_obeyed(tmp_path: Path) -> None:
    write_slice(tmp_path / "a.png")
    for number, text in enumerate(("=cmd|calc!A0", "\x1b[31mred", "x\r=1")):
        bundle = write_tiny_bundle(tmp_path / f"{number}.onnx", replace(TINY_METADATA, name=text))
        ended = run_command("classify", tmp_path / "a.png", "--model", bundle)
        check_console(ended)
        check_sheet(ended.stdout, 16)
        check_console(run_command("doctor", "--model", bundle))


ODD_LABELS = [text[:200] for text in ODD_TEXTS.values() if not re.search("[\ud800-\udfff]", text)]


def with_odd_text(items: list[Item], text: str) -> list[Item]:
    return [
        replace(
            item, subject_id=f"{text}{item.subject_id}", source=text.strip(), extra={"vendor": text.strip()}
        )
        for item in items
    ]


@pytest.mark.parametrize("text", ODD_LABELS)
def test_a_manifest_of_odd_names_is_safe_in_a_spreadsheet_and_comes_back_as_it_was(
    tmp_path: Path, text: str
) -> None:
    name = text[:80].replace("/", ":").replace("\0", "0")
    item = Item(
        path=write_slice(tmp_path / f"{name}.png"),
        label=Label.PRE,
        subject_id=text.strip(),
        source=text.strip() or "x",
        plane=Plane.AXIAL,
        extra={"note": text.strip()},
    )
    manifest = Manifest(items=(item,), origin=tmp_path)
    write_manifest(manifest, tmp_path / "m.csv")
    check_sheet((tmp_path / "m.csv").read_bytes().decode("utf-8"), 6)
    assert read_manifest(tmp_path / "m.csv").items == manifest.items


def test_an_evaluation_and_an_audit_of_odd_manifests_leave_whole_files_and_a_quiet_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow_few_trees(monkeypatch)
    explain_coarsely(monkeypatch)
    items: list[Item] = []
    for number, text in enumerate(ODD_LABELS):
        split = (Split.TRAIN, Split.VALIDATION, Split.TEST)[number % 3]
        items += with_odd_text(make_items(tmp_path / "images", split, first=12 * number, n=2), text)
    folder = write_run(tmp_path / "run", items)
    with no_curves():
        ended = run_command("evaluate", folder, "--output", tmp_path / "report", "--cases", "2")
    assert ended.returncode == 0, ended.stderr
    check_console(ended)
    table = tmp_path / "report" / "predictions.csv"
    check_sheet(table.read_bytes().decode("utf-8"), 9)
    assert len(read_predictions(table).path) == sum(item.split is not Split.TRAIN for item in items)
    with (tmp_path / "report" / "report.html").open(encoding="utf-8", newline="") as page:
        shown = page.read()
    assert "<script>alert" not in shown
    assert not UNSAFE.search(shown)
    ended = run_command("audit", folder / "manifest.csv", "--output", tmp_path / "audit")
    assert ended.returncode == 0, ended.stderr
    check_console(ended)
    with (tmp_path / "audit" / "report.html").open(encoding="utf-8", newline="") as page:
        shown = page.read()
    assert "<script>alert" not in shown
    assert not UNSAFE.search(shown)


@pytest.mark.parametrize(
    "command",
    [
        ("classify", "{}.onnx", "--model", "{}"),
        ("classify", "{}", "--output", "{}"),
        ("audit", "{}"),
        ("evaluate", "{}", "--output", "x"),
        ("train", "{}", "--data", "{}", "--output", "x"),
        ("import-keras", "{}"),
        ("phantom", "{}", "--form", "{}"),
        ("doctor", "--model", "{}"),
        ("{}",),
    ],
)
def test_an_error_that_names_a_path_is_one_line_that_no_terminal_obeys(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    words = [word.format(tmp_path / "\x1b[31m\rError\n\x9bx\u202e\udce9") for word in command]
    ended = run_command(*words)
    assert ended.returncode in {1, 2}
    said = check_console(ended)
    assert sum("Error: " in line or line.startswith("model: ") for line in said.splitlines()) == 1


def test_a_process_of_its_own_names_it_too(tmp_path: Path) -> None:
    words = ("classify", "x\x1b[31m\udce9", "--output", str(tmp_path / "r.csv"))
    ended = subprocess.run([*GADOSCOPE, *words], capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 3
    assert "\x1b" not in ended.stderr
    check_console(ended)

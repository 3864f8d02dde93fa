"""A patient's CD: its DICOMDIR and its folder give the same answers; its viewer is no failed scan."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from gadoscope.labels import SeriesResult, Status
from tests.support.bundles import write_tiny_bundle
from tests.support.other_files import CONTENTS, NOISE
from tests.support.scan_runs import classify

VIEWER = {
    "AUTORUN.INF": b"[autorun]\r\nopen=VIEWER\\viewer.exe\r\n",
    "README.TXT": b"Open index.htm.\r\n",
    "index.htm": b"<html><body>Viewer</body></html>",
    "Thumbs.db": CONTENTS["an OLE compound file"],
    "desktop.ini": "[ViewState]\r\n".encode("utf-16-le"),
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(99),
    "__MACOSX/._DICOMDIR": CONTENTS["what a system keeps beside files"],
    "VIEWER/viewer.exe": CONTENTS["a program or library of Windows"],
    "VIEWER/qt.dll": CONTENTS["a program or library of Windows"],
    "VIEWER/app.ico": CONTENTS["an icon or cursor"],
    "VIEWER/skin.pak": NOISE,
    "VIEWER/data.bin": NOISE,
    "VIEWER/error.log": b"",
    "VIEWER/lib/viewer.jar": NOISE,
    "VIEWER/setup.msi": CONTENTS["an OLE compound file"],
    "VIEWER/arial.ttf": CONTENTS["a font"],
    "REPORT.PDF": b"%PDF-1.4\n",
    "calibration.mat": NOISE,
}


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a copy of the medium that pydicom ships: MR, CT and CR with a DICOMDIR, and a viewer."""
    directory = Path(str(get_testdata_file("DICOMDIR", download=False)))
    target = tmp_path / "disc"
    for name in ("77654033", "98892001", "98892003"):
        shutil.copytree(directory.parent / name, target / name)
    shutil.copy(directory, target / "DICOMDIR")
    for name, content in VIEWER.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target


def test_nothing_of_a_viewer_is_a_scan_that_failed(disc: Path, tiny_bundle: Path) -> None:
    rows = classify(tiny_bundle, disc)
    assert not [row for row in rows if row.status is Status.FAILED]
    others = {str(Path(row.path).relative_to(disc)): row for row in rows if row.series_instance_uid is None}
    assert others.keys() == {name for name in VIEWER if "/." not in name and not name.startswith(".")}
    assert {row.status for row in others.values()} == {Status.REFUSED}


def lower_case(disc: Path) -> None:
    for path in sorted(disc.rglob("*"), reverse=True):
        if path.relative_to(disc).parts[0].isdigit():
            path.rename(path.with_name(path.name.lower()))


def add_suffix(disc: Path, suffix: str = ".dcm") -> None:
    for path in [path for path in disc.rglob("*") if path.is_file()]:
        if path.relative_to(disc).parts[0].isdigit():
            path.rename(path.with_name(path.name + suffix))


def add_version(disc: Path) -> None:
    add_suffix(disc, ";1")


def add_odd_suffix(disc: Path) -> None:
    add_suffix(disc, ".MR1")


def add_suffix_to_lower_case(disc: Path) -> None:
    lower_case(disc)
    add_suffix(disc, ".DCM")


def move(disc: Path) -> None:
    """Sort the files into one folder, under names of another program."""
    (disc / "sorted").mkdir()
    for number, path in enumerate(sorted(path for path in disc.rglob("*") if path.is_file())):
        if path.relative_to(disc).parts[0].isdigit():
            path.rename(disc / "sorted" / f"scan{number:04d}.dcm")


CHANGES = [lower_case, add_suffix, add_version, add_odd_suffix, add_suffix_to_lower_case, move]


def answers(rows: list[SeriesResult]) -> list[tuple[object, ...]]:
    """Return what the rows of DICOM series say, but for their paths."""
    found = [row for row in rows if row.series_instance_uid is not None]
    return sorted(
        (row.series_instance_uid, row.volume_index or 0, row.n_slices, row.status, row.probability or 0)
        for row in found
    )


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """Return the answers of the medium as it is."""
    directory = Path(str(get_testdata_file("DICOMDIR", download=False)))
    found = answers(classify(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx"), directory))
    assert len(found) > 3
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_under_other_names_directory_and_folder_still_give_the_same_answers_once(
    disc: Path, tiny_bundle: Path, expected: list[tuple[object, ...]], change: Callable[[Path], None]
) -> None:
    change(disc)
    for path in (disc, disc / "DICOMDIR"):
        rows = classify(tiny_bundle, path)
        assert not [row for row in rows if row.status is Status.FAILED]
        assert answers(rows) == expected


@pytest.mark.parametrize("change", CHANGES[:3])
def test_what_is_under_no_name_is_missing_once(
    disc: Path, tiny_bundle: Path, change: Callable[[Path], None]
) -> None:
    gone = disc / "98892003" / "MR1" / "15820"
    gone.unlink()
    change(disc)
    for path in (disc, disc / "DICOMDIR"):
        failed = [row for row in classify(tiny_bundle, path) if row.status is Status.FAILED]
        assert [(row.path, row.reason.partition(":")[0]) for row in failed] == [(str(gone), "missing")]


@pytest.mark.parametrize(
    "name", ["dicomdir-files-with-suffix", "dicomdir-files-with-suffix-zip", "patient-cd-with-viewer"]
)
def test_the_media_that_were_brought_are_two_answers_and_nothing_failed(
    shared: Path, tiny_bundle: Path, name: str
) -> None:
    folder = shared / "cases" / name / "input"
    for path in (folder, folder / "DICOMDIR"):
        if path.exists():
            rows = classify(tiny_bundle, path)
            assert sum(row.series_instance_uid is not None for row in rows) == 2
            assert not [row for row in rows if row.status is Status.FAILED]

"""Every file that pydicom and nibabel ship as test data is a row, in no time, and none crashes the run."""

from pathlib import Path

import nibabel
import pydicom
import pytest

from tests.fuzz.case import check_path, find_faults
from tests.support.scan_runs import classify

PYDICOM = Path(pydicom.__file__).parent / "data"
NIBABEL = Path(nibabel.__file__).parent


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.suffix.startswith(".py"))


def test_all_of_them_together_are_one_run_in_which_each_has_a_row(tiny_bundle: Path) -> None:
    folders = (PYDICOM / "test_files", NIBABEL / "tests" / "data")
    rows = classify(tiny_bundle, *folders)
    for folder in folders:
        of_folder = [row for row in rows if row.path.startswith(str(folder))]
        assert len(of_folder) > 50
        assert [fault for row in of_folder for fault in find_faults(row, folder)] == []
    assert rows == classify(tiny_bundle, *folders, jobs=1)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [PYDICOM, NIBABEL], ids=lambda folder: folder.name)
def test_every_file_of_the_wheel_is_a_row_within_five_seconds(folder: Path, tiny_bundle: Path) -> None:
    """Its twin is the one before: what must hold of every row, in one run over most of the same files."""
    files = _files(folder)
    assert len(files) > 100
    faults = {
        str(path.relative_to(folder)): outcome.faults
        for path in files
        if (outcome := check_path(path, tiny_bundle, root=folder)).faults
    }
    assert faults == {}

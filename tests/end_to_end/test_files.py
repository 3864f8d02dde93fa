"""Every file that pydicom and nibabel ship as test data is a row, in no time, and none crashes the run."""

from pathlib import Path

import nibabel
import pydicom
import pytest

from tests.fuzz.case import check_path
from tests.support.scan_runs import classify

PYDICOM = Path(pydicom.__file__).parent / "data"
NIBABEL = Path(nibabel.__file__).parent


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.suffix.startswith(".py"))


@pytest.mark.parametrize("folder", [PYDICOM, NIBABEL], ids=lambda folder: folder.name)
def test_every_file_of_the_wheel_is_a_row_within_five_seconds(folder: Path, tiny_bundle: Path) -> None:
    files = _files(folder)
    assert len(files) > 100
    faults = {
        str(path.relative_to(folder)): outcome.faults
        for path in files
        if (outcome := check_path(path, tiny_bundle, root=folder)).faults
    }
    assert faults == {}


def test_all_of_them_together_are_one_run(tiny_bundle: Path) -> None:
    rows = classify(tiny_bundle, PYDICOM / "test_files", NIBABEL / "tests" / "data")
    assert not [row for row in rows if row.reason.startswith("internal_error")]
    again = classify(tiny_bundle, PYDICOM / "test_files", NIBABEL / "tests" / "data", jobs=1)
    assert rows == again

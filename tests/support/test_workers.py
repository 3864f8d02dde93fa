"""What shares costly things stays together, in files that exist."""

import pytest

from tests.support.paths import ROOT
from tests.support.workers import TOGETHER, name_scope


def test_a_file_stays_together_and_so_do_those_that_train() -> None:
    assert name_scope("tests/cli/test_main.py::test_a[x::y]") == "tests/cli/test_main.py"
    assert name_scope("tests/training/optimiser/test_muon.py::test_a") == "training"
    assert name_scope("tests/cli/test_train.py::test_b") == "training"


@pytest.mark.parametrize("beginning", [one for beginnings in TOGETHER.values() for one in beginnings])
def test_what_stays_together_is_there(beginning: str) -> None:
    assert (ROOT / beginning).exists()

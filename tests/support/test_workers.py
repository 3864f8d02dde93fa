"""What shares costly things stays together, in files that exist."""

import pytest

from tests.support.paths import ROOT
from tests.support.workers import EARLY, TOGETHER, name_scope, rank_of


def test_a_file_stays_together_and_so_do_those_that_train() -> None:
    assert name_scope("tests/cli/test_main.py::test_a[x::y]") == "tests/cli/test_main.py"
    assert name_scope("tests/training/optimiser/test_muon.py::test_a") == "training"
    assert name_scope("tests/cli/test_train.py::test_b") == "training"


def test_what_stays_together_begins_before_long_files_and_those_before_short_ones() -> None:
    ordered = (
        "tests/training/test_run.py",
        "tests/fuzz/test_seeds.py",
        "tests/cli/test_main.py",
        "tests/test_files.py",
    )
    ranks = [rank_of(file) for file in ordered]
    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize("beginning", [*(one for some in TOGETHER.values() for one in some), *EARLY])
def test_what_begins_early_is_there(beginning: str) -> None:
    assert (ROOT / beginning).exists()

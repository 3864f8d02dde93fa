"""The table of the study-aware page: counts that add up, and rows that are those of the command."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.study_aware import (
    PROTOCOLS,
    SETTINGS,
    Heads,
    Outcomes,
    Setting,
    format_outcomes,
    measure,
    measure_bundle,
)
from tests.support.paths import DOCS

PAGE = DOCS / "explanation" / "study-aware.md"


@pytest.fixture(scope="module", autouse=True)
def small_heads() -> Iterator[None]:
    """Scan heads of a quarter of the pixels: what is counted stays the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmarks.study_aware.MATRIX", 64)
        yield


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads(len(PROTOCOLS))


def test_every_series_is_counted_once_whatever_becomes_of_it(heads: Heads) -> None:
    counts = measure(heads, Setting(0.8, (0.1, 0.9), shuffled=0.5, shared=0.5), 3)
    assert counts.total() == 3 * sum(map(len, PROTOCOLS))
    assert not {("right", "wrong"), ("wrong", "right")} & counts.keys()


def test_a_network_without_errors_loses_no_answer(heads: Heads) -> None:
    assert measure(heads, Setting(1 - 1e-12, (0.5, 0.5)), 3).keys() == {("right", "right")}


def test_the_simulated_network_has_the_area_that_is_asked_for(heads: Heads) -> None:
    counts = measure(heads, Setting(0.9, (0.5, 0.5)), 200)
    wrong = sum(n for (alone, _), n in counts.items() if alone == "wrong") / counts.total()
    assert wrong == pytest.approx(0.182, abs=0.025)  # Phi(-Phi^-1(0.9) / sqrt 2)


def test_a_bundle_that_calls_all_pre_contrast_is_denied_by_each_study(tiny_bundle: Path) -> None:
    counts = measure_bundle(tiny_bundle, 1)
    assert counts == Outcomes([("right", "right"), ("wrong", "silent")])


def test_the_page_shows_the_rows_of_the_command() -> None:
    page = PAGE.read_text(encoding="utf-8")
    head = format_outcomes({}).splitlines()[0]
    assert head in page
    shown = [
        line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| AUC")
    ]
    assert shown == [str(setting) for setting in SETTINGS]
    assert len(np.unique(shown)) == len(shown)

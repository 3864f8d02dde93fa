"""All benchmarks by one command: a page with every row, whatever becomes of one of them."""

import re
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

import benchmarks.__main__ as runner
from benchmarks.page import Circumstances, Result, render
from benchmarks.plan import PLAN, Benchmark
from benchmarks.table import Row
from tests.docs.menu import read_anchors
from tests.support.paths import DOCS, ROOT

HOW = Circumstances(
    command="make bench-quick",
    date="30 November 2026, 18:00 UTC",
    commit="commit 0123456",
    machine={"processor": "2 cores"},
    is_quick=True,
    is_busy=False,
)
ROWS = (Row("an epoch", ">= 3 x", "2.0 x", met=False, peer="Keras: 4 s"), Row("the page", "", "1.2 MB"))
MISSING = Benchmark("missing", "Nothing", "There is no such module.")
NO_PEER = Namespace(quick=True, peer="none", peer_python="python3")
TINY = {
    "archive": ("--studies", "1", "--most", "20"),
    "headers": ("--seconds", "0.1", "--starts", "1"),
    "growth": ("--quick", "--only", "frames of one object"),
    "default_latency": ("--runs", "1"),
    "default_speed": ("--epochs", "1", "--steps", "1"),
    "report": ("--slices", "400"),
    "answers_page": ("--studies", "5", "--rounds", "1"),
    "store": ("--answers", "20", "--rows-asked", "200"),
    "study_aware": ("--subjects", "1", "--networks", "1"),
    "audit_copies": ("--subjects", "2", "--images", "100"),
}
"""Sizes that say nothing, but go every way."""


def test_the_page_says_first_what_was_not_met_and_then_shows_every_row(tmp_path: Path) -> None:
    page = render([Result(PLAN[0], ROWS, 61), Result(PLAN[1], ROWS[1:], 2)], HOW)
    assert "Figures: 3. Something was asked of 1, and 0 met it. Not met:" in page
    assert f"| an epoch | 2.0 x | >= 3 x | [{PLAN[0].title}](#" in page
    assert page.index("| an epoch | 2.0 x | >= 3 x | Keras: 4 s | **no** |") > page.index(
        f"## {PLAN[0].title}"
    )
    assert page.count("| the page | 1.2 MB |") == 2
    assert "| took | 1 min 3 s |" in page
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    assert set(re.findall(r"\(#([^)]+)\)", page)) <= read_anchors(path)


def test_the_page_says_how_large_the_work_was_and_whether_the_machine_was_busy() -> None:
    quick, busy = "the quick run", "machine was busy"
    assert quick in render([], HOW)
    assert busy not in render([], HOW)
    page = render([], replace(HOW, is_quick=False, is_busy=True))
    assert quick not in page
    assert busy in page


def test_a_benchmark_that_fails_is_a_row_that_says_so() -> None:
    (row,) = runner.run(MISSING, NO_PEER).rows
    assert (row.name, row.met) == (MISSING.title, False)
    assert re.fullmatch(r"failed with 1: .*No module named benchmarks\.missing", row.measured)


def test_a_benchmark_that_takes_too_long_is_stopped_and_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_QUICK_S", 0.01)
    (row,) = runner.run(PLAN[1], NO_PEER).rows
    assert (row.measured, row.met) == ("stopped after 0 s", False)


@pytest.mark.parametrize("benchmark", PLAN, ids=lambda benchmark: benchmark.name)
def test_every_benchmark_of_the_plan_has_its_options_and_reports_rows(benchmark: Benchmark) -> None:
    text = (ROOT / "benchmarks" / f"{benchmark.name}.py").read_text(encoding="utf-8")
    assert "begin_parser(__doc__)" in text
    assert "arguments.rows" in text
    for option in (*benchmark.whole, *benchmark.quick):
        assert not option.startswith("--") or f'"{option}"' in text


def test_the_page_that_is_there_is_one_that_the_command_writes() -> None:
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    titles = ["In short", *(one.title for one in PLAN)]
    shown = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert len(shown) > 1
    assert shown == [title for title in titles if title in shown]
    assert re.search(r"^Written by `make bench(-quick)?`, .+, from commit [0-9a-f]+", page, re.MULTILINE)


@pytest.mark.slow
def test_a_run_of_all_writes_a_page_with_figures_of_every_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PLAN", [replace(one, quick=TINY.get(one.name, ())) for one in PLAN])
    output = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--output", str(output)])
    runner.main()
    page = output.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["In short", *(one.title for one in PLAN)]
    assert "failed with" not in page
    assert "stopped after" not in page

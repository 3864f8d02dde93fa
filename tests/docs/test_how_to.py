"""The how-to pages are true: their commands, run in their order in an empty folder, print what they say.

By default the commands run within this process and on smaller scans; slowly in a shell, as they stand.
"""

import ast
import csv
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gadoscope as gs
from gadoscope.results.store.reader import StoreReader
from gadoscope.statistics import predictors
from gadoscope.web.security.access import read_access
from tests.docs.console import in_shape, matches, read_blocks, run_block, run_block_here
from tests.support.commands import run_command
from tests.support.paths import DOCS

SAVED = re.compile(r"[Ss]ave this as\s+`([^`]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""What a page asks to be saved under a name."""


@dataclass(frozen=True)
class Page:
    """What a page needs: what its reader brings, what makes a command small, what must hold at the end."""

    prepare: Callable[[Path], None] = lambda _folder: None
    prepare_small: Callable[[Path], None] = lambda _folder: None
    smaller: Mapping[str, Sequence[str]] = field(default_factory=dict)
    check: Callable[[Path], None] = lambda _folder: None
    is_quick: bool = True
    """Whether it is run by default; what `audit` and `explain` show is tried in tests of their own."""


def bring_tcia(folder: Path, *, slices: int = 8, matrix: int = 96) -> None:
    """Make series of two planes, and a table of their scan types with the columns of the published one."""
    published = []
    for seed, (plane, said) in enumerate({"sagittal": "Sag", "axial": "Ax"}.items(), start=1):
        gs.make_phantom(
            folder / "tcia" / plane,
            form="dicom",
            subjects=3,
            seed=seed,
            plane=plane,
            slices=slices,
            matrix=matrix,
        )
        manifest = folder / "tcia" / plane / "manifest.csv"
        with manifest.open(newline="") as table:
            rows = list(csv.DictReader(table))
        manifest.unlink()
        for number, row in enumerate(rows, start=1):
            series = gs.read_series(folder / "tcia" / plane / row["path"])
            uid = str((series.facts or {})["SeriesInstanceUID"])
            kind = {"pre": "T1", "post": "T1GD"}[row["label"]]
            published.append(["REMBRANDT", f"{plane}-{row['subject_id']}", uid, number, kind, said])
    published.append(["TCGA-LGG", "TCGA-00-0000", published[0][2], 1, "T1", "Sag"])
    published.append(["REMBRANDT", "elsewhere", "1.2.3.4", 1, "T1", "Sag"])
    published.append(["REMBRANDT", "elsewhere", "1.2.3.5", 1, "T2", "Ax"])
    header = [
        "TCIA project name",
        "TCIA subject ID",
        "Series UID",
        "Series ID",
        "Scan type",
        "Scan direction",
    ]
    with (folder / "TCIA_scan_types_UID_test.csv").open("w", newline="") as table:
        csv.writer(table).writerows([header, *published])


def check_tcia(folder: Path) -> None:
    """What is judged are the series of the table that are here, each once, by plane."""
    series = json.loads((folder / "report" / "report.json").read_text())["comparison"]["series"]
    assert [row["name"] for row in series["models"]][1:] == ["plane", "majority"]
    assert {row["plane"]: row["n_pre"] + row["n_post"] for row in series["planes"]} == {
        "sagittal": 6,
        "axial": 6,
    }
    plane = series["models"][1]["figures"]
    assert plane["balanced_accuracy"]["value"] == pytest.approx(0.5), "each plane has both labels alike"


def tell_phases(scans: Path) -> dict[str, str]:
    """Return the phase of each scan as the door tells it, by the name of the file, in their order."""
    return {Path(one.path).name: str(one.phase) for one in gs.classify(scans, jobs=1)}


def check_pipeline(folder: Path) -> None:
    """What other programs call answers without them, too; they themselves are slow to start."""
    (rule,) = re.findall(r'"(gadoscope classify .*)"', (folder / "Snakefile").read_text())
    line = rule.format(input="scans/sub-001", output="answers/sub-001.csv")
    assert run_command(*shlex.split(line)[1:], folder=folder).returncode == 0
    with (folder / "answers" / "sub-001.csv").open(newline="") as table:
        answered = {Path(row["path"]).name: row["phase"] for row in csv.DictReader(table)}
    assert answered == tell_phases(folder / "scans" / "sub-001")
    program = ast.parse((folder / "flow.py").read_text())
    (function,) = (node for node in program.body if isinstance(node, ast.FunctionDef))
    names: dict[str, Any] = {}
    exec(ast.unparse(function), names)  # noqa: S102 - the page's own
    name = "sub-001_pre.nii.gz"
    assert names["tell_phase"](folder / "scans" / "sub-001" / name) == answered[name]


def check_access(folder: Path) -> None:
    """Only who was not removed is let in, and the store holds what was classified."""
    access = read_access(folder / "access.json")
    assert access.check_password("anna", "correct horse battery")
    assert access.users.keys() == {"anna"}
    assert StoreReader(str(folder / "answers.db")).count()


PAGES = {
    "audit-your-data": Page(is_quick=False),
    "install": Page(),
    "read-the-evidence": Page(is_quick=False),
    "serve-a-review-room": Page(check=check_access),
    "use-in-a-pipeline": Page(smaller={"phantom": ["--jobs", "1"]}, check=check_pipeline),
    "score-on-tcia": Page(
        bring_tcia, partial(bring_tcia, slices=4, matrix=48), {"evaluate": ["--cases", "0"]}, check_tcia
    ),
}


def bring(name: str, folder: Path, *, small: bool = False) -> str:
    """Return the text of a page, and leave in a folder what its reader has there, or the like of it."""
    text = (DOCS / "how-to" / f"{name}.md").read_text(encoding="utf-8")
    page = PAGES[name]
    (page.prepare_small if small else page.prepare)(folder)
    for file, content in SAVED.findall(text):
        (folder / file).write_text(content, encoding="utf-8")
    return text


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.is_quick])
def test_every_command_of_a_how_to_prints_in_small_the_lines_of_the_page(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictors, "N_TREES", 1)  # of the forests that look for what gives the label away
    need, text = PAGES[name], bring(name, tmp_path, small=True)
    blocks = read_blocks(text)
    assert blocks, "a page without a command needs no test here"
    for steps in blocks:
        ran = run_block_here(steps, tmp_path, lambda words: [*words, *need.smaller.get(words[0], [])])
        for step, printed in zip(steps, ran, strict=True):
            is_so = matches(in_shape(step.expected), in_shape(printed))
            assert is_so, (
                f"{name}: $ {step.command}\n{printed}\nexpected but for its numbers:\n{step.expected}"
            )
    need.check(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_how_to_prints_what_the_page_says(name: str, tmp_path: Path) -> None:
    """Its twin is above: the same commands in small, and every line of the page but for its numbers."""
    for steps in read_blocks(bring(name, tmp_path)):
        for step, printed in zip(steps, run_block(steps, tmp_path), strict=True):
            assert matches(step.expected, printed), (
                f"{name}: $ {step.command}\n{printed}\nexpected:\n{step.expected}"
            )


def need_program(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}: pip install {name}")


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Return a folder with the programs of the page and the scans that they look for."""
    bring("use-in-a-pipeline", tmp_path)
    gs.make_phantom(tmp_path / "scans", form="nifti", subjects=2, matrix=96, slices=8, seed=1)
    return tmp_path


def run_program(words: Sequence[str], folder: Path) -> str:
    ended = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_snakemake_makes_a_table_of_phases(pipeline: Path) -> None:
    """Its twin is above: the command of its rule."""
    need_program("snakemake")
    run_program(["-m", "snakemake", "--cores", "1"], pipeline)
    with (pipeline / "phases.csv").open(newline="") as table:
        rows = {Path(row["path"]).name: row["phase"] for row in csv.DictReader(table)}
    assert rows == tell_phases(pipeline / "scans")


@pytest.mark.slow
def test_a_node_of_nipype_tells_the_phase_of_each_scan(pipeline: Path) -> None:
    """Its twin is above: the function of its node."""
    need_program("nipype")
    said = run_program(["flow.py"], pipeline)
    assert said.splitlines()[-1].split() == list(tell_phases(pipeline / "scans").values())

"""The lesson's notebook runs from its first cell to its last, and what it says is what it shows."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import gadoscope as gs
from gadoscope.freezing.freeze import Frozen
from gadoscope.labels import PicturedResult
from gadoscope.statistics import predictors
from gadoscope.training.job import TrainedRun
from tests.docs.notebook import PAGE, PICTURES
from tests.support.curves import no_curves
from tests.support.notebooks import execute, read_cells, read_code, read_text, set_parameters
from tests.support.quick_runs import remember_shortcuts
from tests.support.tiny_run import write_run

SMALLEST = {"SUBJECTS": 6, "SLICES": 1, "MATRIX": 32, "EPOCHS": 1}
FEW_TREES = 1
"""Of the forests that look for what gives the label away."""


def write_trained(config: object, *, data: Path, output: Path, **_options: object) -> TrainedRun:
    """Leave what a training leaves, without one: three trainings are most of the notebook."""
    run = write_run(output.resolve())
    bundle = run / "model.onnx"
    decision = gs.open_bundle(bundle).metadata.decision
    return TrainedRun(
        run=run,
        bundle=bundle,
        weights_sha256="",
        onnx_difference=0.0,
        layers=(),
        frozen=Frozen(decision=decision, performance={}, notices=()),
        notices=(),
        history=(),
        kept_epoch=1,
    )


def run_plainly(code: list[str], shown: list[Any]) -> None:
    """Run the cells as one program, which is given what a notebook has without asking: `display`."""
    names: dict[str, Any] = {"__name__": "__main__", "display": shown.append}
    for number, source in enumerate(code, start=1):
        exec(compile(source, f"cell {number}", "exec"), names)  # noqa: S102 - our own cells


def test_every_cell_of_the_notebook_runs_on_the_smallest_heads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole, with its trainings, runs below, slowly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    monkeypatch.setattr(gs, "train", write_trained)
    monkeypatch.setattr(predictors, "N_TREES", FEW_TREES)
    remember_shortcuts(monkeypatch)
    shown: list[Any] = []
    with no_curves():
        run_plainly(read_code(**SMALLEST), shown)
    said = capsys.readouterr().out
    assert [type(one) for one in shown[2:]] == [PicturedResult] * 2
    assert re.search(r"the default model +\d+\.\d%", said)
    assert [path.name for path in tmp_path.iterdir()] == ["lesson-files"]


@pytest.mark.slow
def test_the_notebook_shows_a_perfect_score_at_home_a_coin_next_door_and_the_cure(tmp_path: Path) -> None:
    notebook = execute(tmp_path)
    said = "".join(
        output.text for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    shares = {name: float(share) for name, share in re.findall(r"^(\w.+?) {2,}([\d.]+)%$", said, re.M)}
    (at_home,) = re.findall(r"same two hospitals ([\d.]+)%", said)
    assert float(at_home) >= 95
    assert 40 <= shares["two hospitals, a label each"] <= 60
    assert shares["both labels from both"] >= 75
    curves = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(curves) == 3, "each training shows its curves once, whatever the number of epochs"


def test_the_notebook_is_kept_without_outputs() -> None:
    for cell in json.loads(read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_the_notebook_begins_with_what_is_missing() -> None:
    assert read_code()[0].splitlines()[-1] == 'gs.check_extra("train")'


def test_the_page_shows_the_cells_of_the_notebook_in_their_order() -> None:
    page = PAGE.read_text(encoding="utf-8")
    at = 0
    for cell in read_cells()[1:]:  # the page says how it was made below its title
        at = page.find(cell.source, at)
        assert at >= 0, f"run `make notebook`: the page lacks\n{cell.source}"
    for name in re.findall(r"images/notebook/(\S+?)[)\"]", page):
        assert (PICTURES / name).is_file(), name


def test_no_figure_stands_in_the_words_of_the_notebook() -> None:
    for cell in read_cells():
        if cell.kind == "markdown":
            assert not re.search(r"\d ?%|0\.\d\d", cell.source), cell.source


def test_parameters_are_set_by_name_and_keep_their_remarks() -> None:
    assert set_parameters("A = 20  # people\nB = ''  # a path", {"B": "x", "A": 3}) == (
        "A = 3  # people\nB = 'x'  # a path"
    )
    with pytest.raises(KeyError):
        set_parameters("A = 1", {"C": 2})

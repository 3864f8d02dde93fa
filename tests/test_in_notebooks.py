"""What a notebook shows while one works: growing curves, and a sentence in place of a traceback."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import gadoscope as gs
from gadoscope.training.loop import Moment

ROWS = [
    {
        "epoch": epoch,
        "train_loss": 1 / epoch,
        "train_accuracy": 0.5,
        "validation_loss": 2 / epoch,
        "validation_accuracy": 0.5,
        "seconds": 1.0,
    }
    for epoch in (1, 2)
]
MOMENTS = [
    Moment(epoch=int(row["epoch"]), step=step, n_steps=2, loss=0.5, row=row if step == 2 else None)
    for row in ROWS
    for step in (1, 2)
]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """Return IPython as it runs in a kernel, without one."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    without_history = Config({"HistoryManager": {"enabled": False}})
    yield InteractiveShell.instance(colors="nocolor", config=without_history)
    InteractiveShell.clear_instance()


def test_curves_are_drawn_at_each_epochs_end_in_one_place(shell: InteractiveShell) -> None:
    curves = gs.LiveCurves()
    with capture_output() as captured:
        for moment in MOMENTS:
            curves(moment)
    first, second = captured.outputs
    assert first.data["image/svg+xml"].startswith("<svg")
    assert second.data["text/plain"] == "epoch 2: loss 0.5000, validation loss 1.0000"
    assert second.update
    assert first.transient["display_id"] == second.transient["display_id"]
    assert curves.rows == ROWS


def test_without_a_notebook_curves_keep_their_rows_and_show_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    curves = gs.LiveCurves()
    for moment in MOMENTS:
        curves(moment)
    assert curves.rows == ROWS
    assert capsys.readouterr().out == ""


def test_an_error_of_ours_is_one_sentence_in_a_notebook(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("import gadoscope as gs\ngs.open_bundle('none.onnx')")
    said = capsys.readouterr().out
    assert said.startswith("BundleError: there is no bundle none.onnx.")
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_an_extra_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(gs.UsageError, match=r"there is no extra 'trian'; expected .*did you mean train\?"):
        gs.check_extra("trian")


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Gone(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Gone())
import gadoscope as gs
try:
    gs.check_extra("train")
except gs.UsageError as error:
    print(error._render_traceback_()[0])
print(sorted({"numpy", "torch", "matplotlib"} & set(sys.modules)))
"""


def test_the_first_line_of_a_notebook_without_the_extra_is_one_sentence_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    said, loaded = ended.stdout.splitlines()
    assert said.startswith("UsageError: what follows needs torch, which is not installed: ")
    assert " install " in said
    assert loaded == "[]"

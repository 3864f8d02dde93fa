"""Most evaluations of the tests do without figures, and without a second look at the same data."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.paths import LESSON
from tests.support.quick_runs import draw_no_curves, explain_coarsely, remember_shortcuts
from tests.support.traps import N_FEW, write_trap


@dataclass(frozen=True)
class TrapRun:
    """A run of one epoch on data with a trap, and what the command said."""

    data: Path
    run: Path
    said: Result


@pytest.fixture(scope="session")
def trap_run(tmp_path_factory: pytest.TempPathFactory) -> TrapRun:
    """Return a run of the lesson whose hospitals write images of two sizes."""
    from gadoscope.cli.train import command  # noqa: PLC0415 — most evaluations do without torch

    folder = tmp_path_factory.mktemp("trap")
    data, run = folder / "data", folder / "run"
    write_trap(data / "Train", n=N_FEW)
    write_trap(data / "Test", n=3, first=5000)
    settings = ("epochs=1", "batch_size=8", "threads=1")
    arguments = [str(LESSON), "--data", str(data), "--output", str(run)]
    arguments += [part for setting in settings for part in ("--set", setting)]
    with pytest.MonkeyPatch.context() as patch:
        remember_shortcuts(patch)
        draw_no_curves(patch)
        return TrapRun(data, run, CliRunner().invoke(command, arguments))


@pytest.fixture
def curves() -> None:
    """Draw them all the same."""


@pytest.fixture(autouse=True)
def no_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none, where the test does not ask for ``curves``."""
    if "curves" not in request.fixturenames:
        monkeypatch.setattr("gadoscope.evaluation.run.draw_figures", lambda *_: {})


@pytest.fixture(autouse=True)
def known_shortcuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure once what gives the label of the same data away."""
    remember_shortcuts(monkeypatch)


@pytest.fixture(autouse=True)
def coarse_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask about few places of the slices that are explained."""
    explain_coarsely(monkeypatch)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in the test's own folder: hundreds beside that of the project would be searched for an audit."""
    monkeypatch.chdir(tmp_path)

"""Most evaluations of the tests do without figures, and without a second look at the same data."""

import pytest

from tests.support.quick_runs import remember_shortcuts


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

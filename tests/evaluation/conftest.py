"""Most evaluations of the tests do without figures, which take nine tenths of the time."""

import pytest


@pytest.fixture
def curves() -> None:
    """Draw them all the same."""


@pytest.fixture(autouse=True)
def no_curves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none, where the test does not ask for ``curves``."""
    if "curves" not in request.fixturenames:
        monkeypatch.setattr("gadoscope.evaluation.run.draw_figures", lambda *_: {})

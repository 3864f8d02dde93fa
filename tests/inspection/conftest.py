"""Most audits of the tests grow small forests."""

import pytest

from tests.support.quick_runs import grow_few_trees


@pytest.fixture
def whole_forests() -> None:
    """Grow as many trees as a user's audit does."""


@pytest.fixture(autouse=True)
def small_forests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grow few trees, where the test does not ask for ``whole_forests``."""
    if "whole_forests" not in request.fixturenames:
        grow_few_trees(monkeypatch)

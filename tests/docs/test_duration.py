"""How long the tests take stands in two places, and is one figure."""

import pytest

from tests.support.duration import STATED
from tests.support.paths import ROOT


@pytest.mark.parametrize("name", ["Makefile", "CONTRIBUTING.md"])
def test_how_long_the_tests_take_is_the_same_wherever_it_is_said(name: str) -> None:
    text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
    assert STATED in text

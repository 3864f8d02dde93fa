"""Evaluations without their curves."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_curves() -> Iterator[None]:
    """Let evaluations draw none: curves take most of their time, and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gadoscope.evaluation.run.draw_figures", lambda *_: {})
        yield

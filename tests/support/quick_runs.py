"""What most tests of runs do without: figures, large forests, a second look at the same data."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from gadoscope.inspection import shortcuts
from gadoscope.preparation.items import Item
from gadoscope.records import Data
from gadoscope.statistics import predictors

N_TREES = 4
"""Of a forest: enough for what gives a label away plainly. Ten times as many are grown in
tests/statistics/test_predictors.py and tests/inspection/test_shortcuts.py."""

_known: dict[str, Data] = {}
"""What gives the label away, by the digest of all that it rests on."""


def grow_few_trees(patch: pytest.MonkeyPatch) -> None:
    """Look for what gives the label away with small forests."""
    patch.setattr(predictors, "N_TREES", N_TREES)


def remember_shortcuts(patch: pytest.MonkeyPatch) -> None:
    """Measure once in a session what gives the label of the same data away, with small forests."""
    grow_few_trees(patch)
    measure = shortcuts.measure_shortcuts

    def look_up(items: Sequence[Item], digests: Sequence[str], **how: Any) -> Data:
        data = shortcuts.describe_data(items, digests)
        if data not in _known:
            _known[data] = measure(items, digests, **how)
        return deepcopy(_known[data])

    patch.setattr(shortcuts, "measure_shortcuts", look_up)


def draw_no_curves(patch: pytest.MonkeyPatch) -> None:
    """Train without a figure of the learning curves at the end."""
    patch.setattr("gadoscope.training.run.draw_curves", lambda *_: None)

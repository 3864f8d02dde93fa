"""What most tests of runs do without: figures, large forests and networks, second looks at the same."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from gadoscope.evaluation import cases
from gadoscope.explanation import occlusion
from gadoscope.inspection import shortcuts
from gadoscope.preparation.items import Item
from gadoscope.records import Data
from gadoscope.statistics import predictors

N_TREES = 4
"""Of a forest: enough for what gives a label away plainly. Ten times as many are grown in
tests/statistics/test_predictors.py and tests/inspection/test_shortcuts.py."""

NARROW = (8, 16, 16)
"""Maps of each stage."""

COARSE = 0.3
"""Side of a hidden patch and the way to the next, as shares of a slice's side: 16 places, not 169."""

_known: dict[str, Data] = {}
"""What gives the label away, by the digest of all that it rests on."""


def grow_few_trees(patch: pytest.MonkeyPatch) -> None:
    """Look for what gives the label away with small forests."""
    patch.setattr(predictors, "N_TREES", N_TREES)


def explain_coarsely(patch: pytest.MonkeyPatch) -> None:
    """Ask about few places of what a report explains; what a map shows is claimed in tests/explanation."""
    defaults: dict[str, Any] = occlusion.occlude.__kwdefaults__ or {}
    assert "step" in defaults
    patch.setitem(defaults, "step", COARSE)
    patch.setattr(occlusion, "PATCH", COARSE)
    patch.setattr(cases, "STEP", COARSE)


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


def train_quickly(patch: pytest.MonkeyPatch) -> None:
    """Train without what is claimed elsewhere."""
    remember_shortcuts(patch)
    draw_no_curves(patch)


def narrow_compact(patch: pytest.MonkeyPatch) -> None:
    """Build the default network of few stages and few maps: for what is true of a run, whatever it trains.

    Half the stages take half the time.
    """
    from gadoscope.models.compact import Compact  # noqa: PLC0415 — only those who train need torch
    from gadoscope.models.registry import GATED_NETWORKS, NETWORKS  # noqa: PLC0415 — as above

    narrow = partial(Compact, channels=NARROW, n_residual=1)
    patch.setitem(NETWORKS, "compact", narrow)
    patch.setitem(GATED_NETWORKS, "compact", partial(narrow, with_gate=True))


def draw_no_curves(patch: pytest.MonkeyPatch) -> None:
    """Train without a figure of the learning curves at the end."""
    patch.setattr("gadoscope.training.run.draw_curves", lambda *_: None)

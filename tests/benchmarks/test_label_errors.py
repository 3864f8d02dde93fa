"""Planted errors are whole series of the kind that they are counted as."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_errors import (
    EXCHANGED,
    RIGHT,
    Found,
    choose_wrong,
    format_table,
    judge,
    name_images,
    plant,
)
from gadoscope.experiments.suspects_report import list_suspects
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest
from gadoscope.statistics.table import Predictions, from_rows

SHOWN = ((Label.PRE, Label.POST), (Label.PRE,), (Label.POST,))
"""Phases of three subjects in turn, as in a phantom lesson."""


@pytest.fixture
def right() -> Manifest:
    items = tuple(
        Item(
            path=Path(f"/{number}-{label}-{index}.png"),
            label=label,
            subject_id=f"s{number:02}",
            split=Split.TEST,
        )
        for number in range(30)
        for label in SHOWN[number % 3]
        for index in range(2)
    )
    return name_images(Manifest(items=items, origin=Path("/")))


def predict(manifest: Manifest, truth: Manifest) -> Predictions:
    """Return what a network that is always right, and sure, says of the true labels."""
    return from_rows(
        [
            {
                "path": str(item.path),
                "subject_id": item.subject_id,
                "source": item.source,
                "plane": item.plane,
                "split": "validation",
                "reference_label": item.label,
                "logit": float(np.log(p / (1 - p))),
                "probability": p,
                **item.extra,
            }
            for item, true in zip(manifest.items, truth.items, strict=True)
            for p in [0.95 if true.label is Label.POST else 0.05]
        ]
    )


def test_the_planted_labels_are_those_of_whole_series_and_half_of_them_are_pairs(right: Manifest) -> None:
    wrong = choose_wrong(right, 0.2)
    assert len(wrong) == 8
    assert sum(kind == EXCHANGED for kind in wrong.values()) == 4
    changed = plant(right, wrong)
    for before, after in zip(right.items, changed.items, strict=True):
        assert (before.label != after.label) == (before.extra["series"] in wrong)
        assert replace(after, label=before.label) == before
        assert after.split is None


def test_what_a_perfect_network_says_is_counted_as_found_and_nothing_else_is(right: Manifest) -> None:
    wrong = choose_wrong(right, 0.2)
    predictions = predict(plant(right, wrong), right)
    rows = judge(predictions, list_suspects(predictions), wrong)
    assert sum(row.n_series for row in rows) == 40
    for row in rows:
        expected = 0 if row.kind == RIGHT else row.n_series
        assert (row.n_suspected, row.n_contradicted) == (expected, expected)
    assert "| right, in data without errors | 40 | 1 | 2 |" in format_table(rows, [Found(RIGHT, 40, 1, 2)])

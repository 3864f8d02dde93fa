"""Figures of held-out images: each at a threshold that its own subject had no part in."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.experiments.out_of_fold import Fold, judge_folds
from gadoscope.freezing.threshold import choose_threshold
from gadoscope.statistics.table import Predictions, from_rows, join


def table(name: str, labels: str, probability: list[float], **attributes: str) -> Predictions:
    """Return one image a subject; labels are - and +."""
    return from_rows(
        [
            {
                "path": f"{name}/{index}.png",
                "subject_id": f"{name}{index}",
                "source": "a",
                "plane": "sagittal",
                "split": "validation",
                "reference_label": "post" if label == "+" else "pre",
                "logit": float(np.log(p / (1 - p))),
                "probability": p,
                **attributes,
            }
            for index, (label, p) in enumerate(zip(labels, probability, strict=True))
        ]
    )


def choose(predictions: Predictions) -> float:
    return choose_threshold(predictions.is_post, predictions.probability)


def fold(name: int | str, predictions: Predictions, *, own: bool = True) -> Fold:
    return Fold(name=name, predictions=predictions, threshold=choose(predictions), own_threshold=own)


FIRST = table("x", "--++", [0.1, 0.2, 0.3, 0.4])  # its own best threshold lies at 0.25
SECOND = table("y", "--++", [0.6, 0.7, 0.8, 0.9])  # and of these at 0.75


def test_a_fold_is_judged_at_the_threshold_of_the_others_and_its_own_stands_beside_it() -> None:
    spread, figures = judge_folds([fold(1, FIRST), fold(2, SECOND)], "fold", choose)
    assert [row["AUC"] for row in spread.rows] == [1, 1]
    assert [row["at own threshold"] for row in spread.rows] == [1, 1]
    assert [row["accuracy"] for row in spread.rows] == [0.5, 0.5]
    assert figures["accuracy"]["value"] == 0.5
    assert [row["fold"] for row in spread.rows] == [1, 2]


def test_a_threshold_that_was_chosen_elsewhere_is_taken_as_it_is() -> None:
    folds = [
        Fold(name="a", predictions=FIRST, threshold=0.35, own_threshold=False),
        fold("b", SECOND, own=False),
    ]
    spread, _ = judge_folds(folds, "source", choose)
    assert spread.rows[0]["accuracy"] == 0.75
    assert "at own threshold" not in spread.figures


def test_a_source_of_one_class_has_an_accuracy_and_no_area() -> None:
    alone = table("z", "---", [0.1, 0.2, 0.9])
    other = Fold(name="b", predictions=alone, threshold=0.5, own_threshold=False)
    spread, figures = judge_folds([fold("a", FIRST, own=False), other], "source", choose)
    assert spread.rows[1]["AUC"] is None
    assert spread.rows[1]["accuracy"] == pytest.approx(2 / 3)
    assert figures["auc"]["n"] == 7
    json.dumps([spread.to_dict(), figures], allow_nan=False)


def test_tables_are_joined_with_the_attributes_of_any_of_them() -> None:
    joined = join([FIRST, table("v", "+-", [0.5, 0.5], vendor="Siemens")])
    vendors: NDArray[np.str_] = joined.attributes["vendor"]
    assert vendors.tolist() == [""] * 4 + ["Siemens"] * 2
    assert len(joined) == 6
    assert joined.n_subjects == 6

"""Slices and series each get their own scale, where the validation images can give it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gadoscope.freezing.freeze import Frozen, freeze_held_out
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.records import to_plain
from gadoscope.statistics.metrics import roc_auc
from gadoscope.statistics.table import from_rows
from gadoscope.training.config import parse_config
from gadoscope.training.freeze import freeze_logits

N_SLICES = 5
BRIGHT = 6.0
"""How much higher the logit of the one slice is that shows the enhancement."""


def draw(n_subjects: int = 30, *, one_bright_slice: bool = False) -> tuple[list[Item], NDArray[np.float64]]:
    """Return the slices of two series a subject, and logits that tell them apart with errors."""
    generator = np.random.default_rng(4)
    items, logits = [], []
    for subject in range(n_subjects):
        for label in (Label.PRE, Label.POST):
            shift = generator.normal(0, 0.5)
            for index in range(N_SLICES):
                is_shown = label is Label.POST and (not one_bright_slice or index == subject % N_SLICES)
                rise = BRIGHT if one_bright_slice else 2.0
                logits.append(-1 + shift + rise * is_shown + generator.normal(0, 1.5))
                items.append(
                    Item(
                        path=Path(f"/{subject}-{label.value}-{index}.png"),
                        label=label,
                        subject_id=f"s{subject}",
                        plane=Plane.SAGITTAL,
                        source="north",
                    )
                )
    return items, np.array(logits)


def freeze(items: Sequence[Item], logit: NDArray[np.float64], **sections: dict[str, Any]) -> Frozen:
    return freeze_logits(items, logit, parse_config(sections).to_plan())


@cache
def freeze_drawn() -> Frozen:
    """Return what is frozen of the drawn slices as they are."""
    return freeze(*draw())


def without_subjects(items: Sequence[Item], **extra: Any) -> list[Item]:
    return [replace(item, subject_id=None, extra=extra) for item in items]


def test_series_are_told_apart_better_than_slices_and_have_a_point_of_their_own() -> None:
    frozen = freeze_drawn()
    assert frozen.decision.of_series is not None
    assert frozen.decision.of_series.point.chosen_on == "validation: 60 series, 30 subjects"
    assert frozen.decision.of_slice.point.chosen_on == "validation: 300 images, 30 subjects"
    of_series, of_slices = frozen.performance["validation_series"], frozen.performance["validation"]
    assert of_series["auc"] > of_slices["auc"]
    assert of_series["accuracy"] > of_slices["accuracy"]
    assert of_series["n_series"] == 60


def test_the_mean_of_five_slices_is_surer_than_one_and_its_temperature_lower() -> None:
    frozen = freeze_drawn()
    assert frozen.decision.aggregation.method == "mean"
    assert frozen.decision.of_series is not None
    of_series, of_slice = (
        decided.calibration.parameters["temperature"]
        for decided in (frozen.decision.of_series, frozen.decision.of_slice)
    )
    assert of_series < 0.8 * of_slice


def test_where_one_slice_shows_it_the_mean_is_not_chosen() -> None:
    items, logit = draw(one_bright_slice=True)
    frozen = freeze(items, logit)
    assert frozen.decision.aggregation.method in ("max", "log_mean_exp")
    named = freeze(items, logit, aggregation={"method": "mean"})
    chosen_auc = frozen.performance["validation_series"]["auc"]
    assert chosen_auc > named.performance["validation_series"]["auc"]
    assert {row["name"] for row in frozen.performance["validation_series"]["aggregations"]} >= {"mean", "max"}


def test_the_aggregation_that_is_named_is_taken() -> None:
    items, logit = draw()
    frozen = freeze(items, logit, aggregation={"method": "log_mean_exp", "sharpness": 2.0})
    assert to_plain(frozen.decision.aggregation) == {"method": "log_mean_exp", "sharpness": 2.0}
    highest = freeze(items, logit, aggregation={"method": "max"})
    label = np.array([item.label is Label.POST for item in items]).reshape(-1, N_SLICES)[:, 0]
    expected = roc_auc(label, logit.reshape(-1, N_SLICES).max(axis=1))
    assert highest.performance["validation_series"]["auc"] == pytest.approx(expected)


def test_without_subjects_there_are_no_series_and_slices_alone_are_frozen() -> None:
    items, logit = draw()
    frozen = freeze(without_subjects(items), logit)
    assert frozen.decision.aggregation.method == "mean"
    assert frozen.decision.of_series is None
    assert frozen.decision.of_slice.point.chosen_on == "validation: 300 images, subjects unknown"
    assert "validation_series" not in frozen.performance


def test_a_column_of_series_stands_in_for_subjects_that_are_unknown() -> None:
    items, logit = draw()
    named = [
        replace(item, subject_id=None, extra={"series": f"{item.subject_id}-{item.label}"}) for item in items
    ]
    frozen = freeze(named, logit)
    assert frozen.decision.of_series is not None
    assert frozen.decision.of_series.point.chosen_on == "validation: 60 series, subjects unknown"


@pytest.mark.parametrize(("n_subjects", "is_frozen"), [(9, False), (10, True)])
def test_series_of_too_few_subjects_are_decided_as_slices_are(n_subjects: int, is_frozen: bool) -> None:
    assert (freeze(*draw(n_subjects)).decision.of_series is not None) == is_frozen


def test_series_of_one_slice_each_are_slices() -> None:
    items, logit = draw()
    assert freeze(items[::N_SLICES], logit[::N_SLICES]).decision.of_series is None


def test_the_order_of_the_images_makes_no_difference() -> None:
    items, logit = draw()
    order = np.random.default_rng(0).permutation(len(items))
    turned = freeze([items[index] for index in order], logit[order])
    straight = freeze_drawn()
    assert turned.decision.aggregation == straight.decision.aggregation
    assert turned.decision.of_slice.point.threshold == pytest.approx(
        straight.decision.of_slice.point.threshold, rel=1e-6
    )
    assert turned.decision.of_series is not None
    assert straight.decision.of_series is not None
    of_turned, of_straight = turned.decision.of_series.point, straight.decision.of_series.point
    assert of_turned.threshold == pytest.approx(of_straight.threshold, rel=1e-6)


def test_predictions_of_other_networks_freeze_what_the_same_logits_of_validation_would() -> None:
    items, logits = draw()
    table = from_rows(
        [
            {
                "path": item.path,
                "subject_id": item.subject_id,
                "source": item.source,
                "plane": item.plane.value,
                "split": "validation",
                "reference_label": item.label.value,
                "logit": float(logit),
                "probability": 0.5,
            }
            for item, logit in zip(items, logits, strict=True)
        ]
    )
    of_validation = freeze_drawn().decision
    of_held_out = freeze_held_out(table, parse_config({}).to_plan()).decision
    point = of_held_out.of_slice.point
    assert point.chosen_on == "out of fold: 300 images, 30 subjects"
    assert point == replace(of_validation.of_slice.point, chosen_on=point.chosen_on)
    assert of_held_out.of_series is not None
    assert of_validation.of_series is not None
    assert of_held_out.of_series.calibration == of_validation.of_series.calibration


def test_only_the_sources_that_are_named_choose_the_threshold() -> None:
    items, logits = draw()
    foreign = [replace(item, source="south", subject_id=f"south {item.subject_id}") for item in items]
    both, shifted = [*items, *foreign], np.concatenate([logits, logits + 5])
    named = freeze(both, shifted, operating_point={"sources": ["north"]})
    assert named == freeze_drawn()
    assert named.decision.of_slice.point.threshold != freeze(both, shifted).decision.of_slice.point.threshold


def test_where_no_image_is_of_the_named_sources_all_are_asked_and_the_user_is_told() -> None:
    items, logits = draw()
    frozen = freeze(items, logits, operating_point={"sources": ["east"]})
    assert frozen.decision.of_slice.point == freeze_drawn().decision.of_slice.point
    assert "operating_point.sources name east, but the images to choose on are of north" in frozen.notices[0]


def test_by_hospital_a_small_one_has_its_say_in_threshold_and_calibration_and_the_bundle_says_so() -> None:
    north, logit = draw()
    south, of_south = draw(12)
    both = [*north, *(replace(item, subject_id=f"south-{item.subject_id}", source="south") for item in south)]
    logits = np.concatenate([logit, of_south + 3])
    by_image, by_hospital = (
        freeze(both, logits, operating_point={"weigh": weigh}) for weigh in ("images", "hospitals")
    )
    assert by_hospital.decision.of_slice.point.threshold != by_image.decision.of_slice.point.threshold
    assert by_hospital.decision.of_slice.calibration != by_image.decision.of_slice.calibration
    assert by_hospital.decision.of_slice.point.chosen_on.endswith(
        "42 subjects, weighed so that no source and plane decides alone"
    )
    assert by_hospital.decision.of_series is not None
    assert by_image.decision.of_slice.point.chosen_on.endswith("42 subjects")


def test_a_hospital_in_one_label_does_not_move_the_threshold_by_hospital() -> None:
    north, logit = draw()
    healthy = [replace(item, subject_id=f"h-{item.subject_id}", source="healthy") for item in north[:60]]
    healthy = [replace(item, label=Label.PRE, path=Path(f"/h{n}.png")) for n, item in enumerate(healthy)]
    alone, beside = (
        freeze(items, logits, operating_point={"weigh": "hospitals"}, calibration={"method": "none"})
        for items, logits in ((north, logit), ([*north, *healthy], np.concatenate([logit, logit[:60] + 4])))
    )
    assert beside.decision.of_slice.point.threshold == pytest.approx(
        alone.decision.of_slice.point.threshold, abs=0.02
    )

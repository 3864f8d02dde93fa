"""Who is one subject: one answer, wherever it is asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.decision.calibration import sigmoid
from gadoscope.errors import LeakError
from gadoscope.evaluation.overlap import divide_own
from gadoscope.evaluation.subgroups import count
from gadoscope.inspection.counts import count_items as count_audited
from gadoscope.inspection.counts import find_two_sided
from gadoscope.labels import Label, Level, Plane, Split
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import read_manifest, write_manifest
from gadoscope.preparation.series import name_series
from gadoscope.preparation.split import check_leaks
from gadoscope.preparation.stand_ins import name_for_split
from gadoscope.preparation.subjects import (
    count_items,
    count_subjects,
    number_subjects,
    tell_shared_ids,
)
from gadoscope.statistics.levels import group_cases
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions, from_rows
from gadoscope.training.config import parse_config
from gadoscope.training.freeze import freeze_logits
from gadoscope.training.sampling import find_partners
from tests.support.slices import write_slice

N_IDS = 12


def two_sources() -> list[Item]:
    """Return 48 images: two sources, in each the ids 00 to 11, of each one image before and one after."""
    return [
        Item(
            path=Path(f"/data/{source}-{number:02}-{label.value}.png"),
            label=label,
            subject_id=f"{number:02}",
            plane=Plane.AXIAL,
            source=source,
        )
        for source in ("north", "south")
        for number in range(N_IDS)
        for label in (Label.PRE, Label.POST)
    ]


def to_table(items: list[Item], logit: np.ndarray) -> Predictions:
    return from_rows(
        [
            {
                "path": str(item.path),
                "subject_id": item.subject_id,
                "source": item.source,
                "plane": item.plane.value,
                "split": "test",
                "reference_label": item.label.value,
                "logit": float(one),
                "probability": float(sigmoid(np.array(one))),
            }
            for item, one in zip(items, logit, strict=True)
        ]
    )


def test_ids_that_meet_across_sources_are_one_number_of_subjects_wherever_it_is_asked() -> None:
    items = two_sources()
    logit = np.random.default_rng(1).normal(size=len(items))
    frozen = freeze_logits(items, logit, parse_config({}).to_plan())
    table = to_table(items, logit)

    assert frozen.performance["validation"]["n_subjects"] == N_IDS
    assert frozen.decision.of_slice.point.chosen_on == "validation: 48 images, 12 subjects"
    assert table.n_subjects == count(table)["n_subjects"] == N_IDS
    assert count(table)["most_images_of_a_subject"] == 4
    assert count_items(items)["n_subjects"] == N_IDS
    assert count_audited("all", items).n_subjects == N_IDS
    assert len(set(name_for_split(Manifest(tuple(items), Path("m.csv")), []).values())) == N_IDS


def test_a_person_on_two_sides_is_found_though_the_sources_differ() -> None:
    items = [
        replace(one, split=Split.TRAIN if one.source == "north" else Split.TEST) for one in two_sources()
    ]
    manifest = Manifest(tuple(items), Path("m.csv"))

    with pytest.raises(LeakError, match="12 of 12 subjects"):
        check_leaks(manifest)
    assert divide_own(manifest).n_shared_subjects == len(find_two_sided(items)) == N_IDS


def test_an_interval_is_no_narrower_for_people_who_were_scanned_twice_under_one_id() -> None:
    right = np.random.default_rng(2).random(N_IDS) < 0.7
    items = two_sources()
    table = to_table(items, np.zeros(len(items)))
    is_right = np.array([right[int(item.subject_id or 0)] for item in items])
    once = np.array([item.source == "north" for item in items])

    both = estimate_share(is_right, table.subject_group)
    alone = estimate_share(is_right[once], table.subject_group[once])

    assert (both.lower, both.upper) == (alone.lower, alone.upper)
    assert both.n_subjects == N_IDS


def test_series_and_pairs_of_slices_never_mix_two_sources() -> None:
    items = two_sources()
    series = name_series(items)
    cases = group_cases(to_table(items, np.zeros(len(items))), Level.SUBJECT)
    partners = find_partners(items, np.arange(len(items)))

    assert series is not None
    assert cases is not None
    assert len(set(series)) == len(set(cases.tolist())) == len(items)
    assert all(items[row].source == items[int(one)].source for row in partners for one in partners[row])


def test_numbers_of_subjects_keep_the_order_of_sources_and_then_of_ids() -> None:
    ids, sources = ["2", "1", None, "3", "1"], ["b", "b", "b", "a", "c"]
    own = [f"row {row}" for row in range(5)]

    assert number_subjects(ids, own, sources=sources).tolist() == [2, 1, 3, 0, 1]
    assert number_subjects(ids, own).tolist() == [2, 1, 0, 3, 1]


def test_subjects_that_share_a_picture_count_as_one() -> None:
    numbers = number_subjects(["1", "2", "3", None], ["block 0"] * 4, links=[(0, 2)])
    assert numbers[0] == numbers[2]
    assert len(set(numbers.tolist())) == 3


def test_one_unknown_subject_or_no_image_leaves_the_number_unknown() -> None:
    assert count_subjects(["1", "1", "2"]) == 2
    assert count_subjects(["1", None]) is count_subjects(["1", ""]) is count_subjects([]) is None


def test_whoever_reads_a_manifest_is_told_that_ids_stand_under_two_sources(tmp_path: Path) -> None:
    items = [
        Item(path=write_slice(tmp_path / f"{index}.png", index), label=label, subject_id=one, source=source)
        for index, (label, one, source) in enumerate(
            [(Label.PRE, "1", "a"), (Label.POST, "1", "b"), (Label.PRE, "2", "a"), (Label.POST, "3", "c")]
        )
    ]
    write_manifest(Manifest(tuple(items), tmp_path), tmp_path / "manifest.csv")

    (notice,) = read_manifest(tmp_path).notices

    assert notice.startswith("1 subject id stands under several sources (a and b): ")
    assert tell_shared_ids(items[1:]) == ()

"""Phantom slices of hard heads: three planes, both phases, seeds that nothing else has."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.labels import Label, Plane
from recipes.default import hard_heads
from recipes.default.data import PHANTOM_SEED, PLANES
from recipes.default.hard_heads import list_cohorts, make_hard

BENCHMARK_SEEDS = {4711, 4712}


def test_no_cohort_of_hard_heads_shares_its_seed_with_another_or_a_benchmark() -> None:
    seeds = [cohort.seed for _, cohort in list_cohorts()]
    others = BENCHMARK_SEEDS | {PHANTOM_SEED + number for number in range(len(PLANES))}
    assert len(set(seeds) | others) == len(seeds) + len(others)


def test_hard_heads_are_forty_in_each_plane_and_six_slices_each() -> None:
    heads = Counter[Plane]()
    for _, cohort in list_cohorts():
        heads[cohort.plane] += cohort.subjects
        assert (cohort.slices, cohort.paired) == (6, True)
    assert heads == dict.fromkeys(PLANES, 40)


def test_each_slice_of_a_hard_head_is_there_before_and_after_contrast_and_as_what_is_no_t1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = [(name, replace(cohort, subjects=3, slices=1, matrix=24)) for name, cohort in list_cohorts()][-2:]
    monkeypatch.setattr(hard_heads, "list_cohorts", lambda **_: iter(small))
    monkeypatch.setattr(hard_heads, "count_jobs", lambda _: 1)
    items = make_hard(tmp_path / "hard")
    assert Counter((item.label, item.plane, item.source, item.split) for item in items) == {
        (Label.PRE, Plane.CORONAL, "phantom-hard", None): 6,
        (Label.POST, Plane.CORONAL, "phantom-hard", None): 6,
        (Label.OTHER, Plane.CORONAL, "phantom-hard-other", None): 18,
    }
    assert len({item.subject_id for item in items}) == 6
    assert all(item.path.is_file() for item in items)

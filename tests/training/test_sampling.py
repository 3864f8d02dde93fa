"""Balanced batches: shares of sources, labels alike, couples of one subject at one place."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import ConfigError
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.checks import check_sources
from gadoscope.training.sampling import SamplingConfig, count_steps, draw_epoch, find_partners, find_place

BATCH = 20
N_COUPLES = BATCH // 2
ALL_POST, ALL_PRE, PAIRED = "hospital of post", "hospital of pre", "pairs"


def make_item(name: str, label: Label, subject: str | None, source: str = PAIRED, **extra: str) -> Item:
    return Item(
        path=Path(f"/{source}/{name}.png"),
        label=label,
        subject_id=subject,
        plane=Plane.AXIAL,
        source=source,
        extra=extra,
    )


@pytest.fixture(scope="module")
def items() -> tuple[Item, ...]:
    """Return 150 post and 40 pre of one hospital each, and pairs of 6 subjects with 4 places."""
    alone = [
        make_item(f"{number}", label, f"{source} {number}", source)
        for source, label, count in ((ALL_POST, Label.POST, 150), (ALL_PRE, Label.PRE, 40))
        for number in range(count)
    ]
    pairs = [
        make_item(f"s{subject}_{label}_{place:02d}", label, f"s{subject}")
        for subject in range(6)
        for label in (Label.PRE, Label.POST)
        for place in (4, 6, 8, 10)
    ]
    return (*alone, *pairs)


def draw(
    items: tuple[Item, ...], seed: int = 1, batch_size: int = BATCH, **settings: object
) -> list[list[Item]]:
    config = SamplingConfig(**{"method": "balanced", "steps_per_epoch": 50, **settings})  # type: ignore[arg-type]
    steps = draw_epoch(items, np.arange(len(items)), batch_size=batch_size, config=config, seed=[seed, 1, 0])
    return [[items[row] for row in step] for step in steps]


def test_every_source_has_its_share_of_every_batch(items: tuple[Item, ...]) -> None:
    shares = {PAIRED: 0.6, ALL_POST: 0.2, ALL_PRE: 0.2}
    for batch in draw(items, shares=shares):
        assert Counter(first.source for first in batch[::2]) == {
            source: round(share * N_COUPLES) for source, share in shares.items()
        }


def test_shares_that_do_not_divide_the_batch_are_right_on_average_and_never_further_off_than_a_couple(
    items: tuple[Item, ...],
) -> None:
    shares = {PAIRED: 0.47, ALL_POST: 0.22, ALL_PRE: 0.31}
    batches = draw(items, shares=shares, steps_per_epoch=400)
    for source, share in shares.items():
        counts = np.array([sum(first.source == source for first in batch[::2]) for batch in batches])
        assert np.abs(counts - share * N_COUPLES).max() <= 1
        assert counts.mean() == pytest.approx(share * N_COUPLES, abs=0.08)
    assert {len(batch) for batch in batches} == {BATCH}


def test_sources_that_are_not_named_share_the_rest_alike(items: tuple[Item, ...]) -> None:
    batch = draw(items, shares={PAIRED: 0.6})[0]
    assert Counter(first.source for first in batch[::2]) == {PAIRED: 6, ALL_POST: 2, ALL_PRE: 2}


def test_a_source_that_is_held_out_leaves_its_share_to_the_others(items: tuple[Item, ...]) -> None:
    rest = tuple(item for item in items if item.source != ALL_POST)
    batch = draw(rest, shares={PAIRED: 0.6, ALL_POST: 0.2, ALL_PRE: 0.2})[0]
    counts = Counter(first.source for first in batch[::2])
    assert counts in ({PAIRED: 8, ALL_PRE: 2}, {PAIRED: 7, ALL_PRE: 3})


def test_every_couple_has_one_image_of_each_label(items: tuple[Item, ...]) -> None:
    for batch in draw(items):
        for first, second in zip(batch[::2], batch[1::2], strict=True):
            assert {first.label, second.label} == {Label.PRE, Label.POST}


def test_a_source_of_one_label_is_coupled_with_images_of_its_plane(items: tuple[Item, ...]) -> None:
    sagittal = tuple(
        replace(make_item(f"{source} {number}", label, f"{source} {number}", source), plane=Plane.SAGITTAL)
        for source, label in (("sagittal post", Label.POST), (ALL_PRE, Label.PRE))
        for number in range(5)
    )
    seen = set()
    for batch in draw((*items, *sagittal)):
        for first, second in zip(batch[::2], batch[1::2], strict=True):
            if first.source != PAIRED:
                assert first.plane is second.plane
                seen.add((first.source, second.source))
    assert {("sagittal post", ALL_PRE), (ALL_POST, PAIRED), (ALL_POST, ALL_PRE)} <= seen


def test_without_the_other_label_a_couple_is_any_two_images(items: tuple[Item, ...]) -> None:
    alone = tuple(item for item in items if item.source == ALL_POST)
    assert {len(batch) for batch in draw(alone)} == {BATCH}


def test_a_couple_is_one_subject_at_one_place_before_and_after_contrast(items: tuple[Item, ...]) -> None:
    for batch in draw(items, shares={PAIRED: 1.0, ALL_POST: 0.0, ALL_PRE: 0.0}):
        for first, second in zip(batch[::2], batch[1::2], strict=True):
            assert first.subject_id == second.subject_id
            assert find_place(first) == find_place(second)
            assert {first.label, second.label} == {Label.PRE, Label.POST}


def test_without_pairs_the_second_image_is_of_any_subject(items: tuple[Item, ...]) -> None:
    couples = [
        (first, second)
        for batch in draw(items, pairs=False)
        for first, second in zip(batch[::2], batch[1::2], strict=True)
        if first.source == PAIRED
    ]
    assert any(first.subject_id != second.subject_id for first, second in couples)
    assert all(first.label is not second.label for first, second in couples)


def test_every_image_is_drawn_before_one_is_drawn_again(items: tuple[Item, ...]) -> None:
    drawn = [first.path for batch in draw(items) for first in batch[::2] if first.source == ALL_PRE]
    counts = Counter(drawn)
    assert len(counts) == 40
    assert max(counts.values()) - min(counts.values()) <= 1


def test_an_epoch_depends_on_its_seed_alone(items: tuple[Item, ...]) -> None:
    assert draw(items, seed=1) == draw(items, seed=1) != draw(items, seed=2)


def test_the_partner_is_at_the_nearest_place_that_there_is() -> None:
    items = (
        make_item("a_10", Label.PRE, "s"),
        make_item("b_07", Label.POST, "s"),
        make_item("c_12", Label.POST, "s"),
        make_item("d_10", Label.POST, "another"),
    )
    assert {row: rows.tolist() for row, rows in find_partners(items, np.arange(4)).items()} == {
        0: [2],
        1: [0],
        2: [0],
    }


def test_images_without_a_place_are_partners_of_all_of_the_subject() -> None:
    items = (
        make_item("pre", Label.PRE, "s"),
        make_item("x", Label.POST, "s"),
        make_item("y", Label.POST, "s"),
    )
    assert find_partners(items, np.arange(3))[0].tolist() == [1, 2]


def test_images_of_unknown_subjects_have_no_partner() -> None:
    items = (make_item("a_1", Label.PRE, None), make_item("b_1", Label.POST, None))
    assert find_partners(items, np.arange(2)) == {}


def test_the_place_is_the_manifests_column_or_the_number_at_the_end_of_the_name() -> None:
    assert find_place(make_item("T1_scan_0012", Label.PRE, "s")) == 12
    assert find_place(make_item("T1_scan_0012", Label.PRE, "s", slice="3.5")) == 3.5
    assert find_place(make_item("T1_scan_0012", Label.PRE, "s", slice="middle")) == 12
    assert np.isnan(find_place(make_item("scan_T1_sag", Label.PRE, "s")))


def test_steps_are_those_asked_for_or_as_many_as_show_as_many_images() -> None:
    assert count_steps(21, 8, SamplingConfig()) == 3
    assert count_steps(21, 8, SamplingConfig(method="balanced")) == 3
    assert count_steps(21, 8, SamplingConfig(method="balanced", steps_per_epoch=7)) == 7


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({PAIRED: 1.0}, "leave nothing for hospital of post, hospital of pre"),
        ({PAIRED: 0.0, ALL_POST: 0.0, ALL_PRE: 0.0}, None),
        ({PAIRED: 0.9, ALL_POST: 0.2}, r"add up to 1\.1; expected 1 at most"),
        ({PAIRED: -0.1}, r"sampling\.shares\.pairs is -0\.1"),
    ],
)
def test_shares_that_make_no_batch_are_refused(
    items: tuple[Item, ...], shares: dict[str, float], message: str | None
) -> None:
    with pytest.raises(ConfigError, match=message or "are all 0 for the sources"):
        draw(items, shares=shares)


@pytest.mark.parametrize("table", ["sampling.shares", "gate.shares"])
def test_a_source_that_the_data_do_not_have_is_named(table: str) -> None:
    with pytest.raises(ConfigError, match=f"{table} name tcga, but the data have the sources ixi, tcga-lgg"):
        check_sources(table, {"tcga": 0.6}, ["tcga-lgg", "ixi", "ixi"])


def test_a_source_whose_sagittal_images_are_mostly_pre_contrast_does_not_teach_the_plane() -> None:
    counts = {(Plane.SAGITTAL, Label.PRE): 32, (Plane.SAGITTAL, Label.POST): 4, (Plane.CORONAL, Label.PRE): 3}
    counts[Plane.CORONAL, Label.POST] = 26
    many = tuple(
        replace(make_item(f"{plane}{label}{number}", label, f"{plane}{label}{number}"), plane=plane)
        for (plane, label), count in counts.items()
        for number in range(count)
    )
    batches = draw(many)
    for batch in batches:
        assert all(one.plane is other.plane for one, other in zip(batch[::2], batch[1::2], strict=True))
        assert {item.label for item in batch} == {Label.PRE, Label.POST}
    drawn = Counter((item.plane, item.label) for batch in batches for item in batch)
    for plane in (Plane.SAGITTAL, Plane.CORONAL):
        assert drawn[plane, Label.PRE] == drawn[plane, Label.POST]

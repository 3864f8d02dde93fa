"""Images are counted by label, and a subject on two sides is found."""

from pathlib import Path

import pytest

from gadoscope.inspection.counts import count_by, count_items, find_two_sided, name_split
from gadoscope.labels import Label, Split
from gadoscope.preparation.items import Item


def item(subject: str | None, label: Label, split: Split | None = None, source: str = "a") -> Item:
    return Item(path=Path("x.png"), label=label, subject_id=subject, split=split, source=source)


def test_labels_and_subjects_are_counted() -> None:
    count = count_items("all", [item("1", Label.PRE), item("1", Label.POST), item("2", Label.OTHER)])
    assert (count.n_images, count.n_subjects, count.n_pre, count.n_post, count.n_other) == (3, 2, 1, 1, 1)


def test_one_unknown_subject_leaves_their_number_unknown() -> None:
    assert count_items("all", [item("1", Label.PRE), item(None, Label.PRE)]).n_subjects is None


def test_groups_come_with_the_largest_first() -> None:
    items = [item("1", Label.PRE), item("2", Label.PRE, source="b"), item("3", Label.POST, source="b")]
    assert [(count.name, count.n_images) for count in count_by(items, lambda one: one.source)] == [
        ("b", 2),
        ("a", 1),
    ]


def test_a_subject_in_two_splits_is_found_once_with_all_its_images() -> None:
    items = [
        item("1", Label.PRE, Split.TEST),
        item("2", Label.PRE, Split.TEST),
        item("1", Label.POST, Split.TRAIN),
        item("1", Label.POST, Split.TRAIN),
        item("2", Label.PRE, Split.TEST),
    ]
    (found,) = find_two_sided(items)
    assert found.splits == (Split.TRAIN, Split.TEST)
    assert found.members == (0, 2, 3)


@pytest.mark.parametrize("other", [None, Split.TRAIN])
def test_unknown_subjects_and_unsaid_splits_are_no_leak(other: Split | None) -> None:
    assert find_two_sided([item(None, Label.PRE, Split.TEST), item(None, Label.PRE, Split.TRAIN)]) == []
    assert find_two_sided([item("1", Label.PRE, other), item("1", Label.PRE, other)]) == []


def test_what_has_no_split_says_so() -> None:
    assert [name_split(item("1", Label.PRE, split)) for split in (Split.TEST, None)] == ["test", "not said"]

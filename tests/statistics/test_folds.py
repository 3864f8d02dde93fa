import numpy as np

from gadoscope.statistics.folds import deal_folds, weigh_by_subject
from tests.support.simulation import Population


def test_folds_keep_subjects_together_and_share_out_both_classes() -> None:
    table = Population(separation=1, n_subjects=53, images_per_subject=4, share_post=0.3).draw(
        np.random.default_rng(9)
    )

    fold = deal_folds(table.is_post, table.group)

    assert fold is not None
    assert all(np.unique(fold[table.group == g]).size == 1 for g in np.unique(table.group))
    n_post = [np.unique(table.group[(fold == k) & table.is_post]).size for k in range(5)]
    assert max(n_post) - min(n_post) <= 1
    assert min(n_post) >= 2


def test_one_subject_in_a_class_cannot_be_dealt() -> None:
    assert deal_folds(np.array([True, False, False]), np.arange(3)) is None


def test_there_are_no_more_folds_than_subjects_of_the_rarer_class() -> None:
    fold = deal_folds(np.arange(20) < 3, np.arange(20))

    assert fold is not None
    assert np.bincount(fold[:3]).tolist() == [1, 1, 1]


def test_the_same_seed_deals_the_same_folds() -> None:
    is_post, group = np.arange(60) % 3 == 0, np.arange(60) // 2

    first, again = deal_folds(is_post, group), deal_folds(is_post, group)
    other = deal_folds(is_post, group, seed=2)

    assert first is not None
    assert other is not None
    assert again is not None
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_each_subject_weighs_one() -> None:
    group = np.array(["a", "b", "a", "a"])

    assert weigh_by_subject(group).tolist() == [1 / 3, 1, 1 / 3, 1 / 3]

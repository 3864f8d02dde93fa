import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.experiments.suspects import rank_suspects
from tests.statistics.test_delong import IS_POST, A
from tests.support.simulation import Population

# cleanlab 2.9.0, get_label_quality_scores(method="self_confidence", adjust_pred_probs=True)
CLEANLAB_QUALITY = np.loadtxt(
    [
        "0.65312804 0.44500487 0.50446863 0.51437926 0.33598797 0.8909831 0.7819662 0.91080435 0.6729493 "
        "0.45491549 0.65312804 0.55402177 0.98017875 0.62339616 0.46579949 0.97124148 0.82258207 0.8324927 "
        "0.63428015 0.76311831 0.77302894 0.57481639 0.54508451 0.62436952 0.52526325 0.52526325 0.58472702 "
        "0.49553137 0.79285019 0.3270507"
    ]
)
# compute_confident_joint(return_indices_of_off_diagonals=True, calibrate=False)
CLEANLAB_OFF_DIAGONAL = [4, 29]


def test_doubt_is_cleanlabs_quality_turned_round() -> None:
    suspects = rank_suspects(IS_POST, A / 100, np.arange(30))

    assert 1 - suspects.doubt == pytest.approx(CLEANLAB_QUALITY, abs=1e-8)
    assert suspects.order.tolist() == np.argsort(CLEANLAB_QUALITY, kind="stable").tolist()


def test_suspects_are_cleanlabs_confident_disagreements() -> None:
    suspects = rank_suspects(IS_POST, A / 100, np.arange(30))

    assert np.flatnonzero(suspects.is_suspect).tolist() == CLEANLAB_OFF_DIAGONAL


def test_planted_label_errors_come_first() -> None:
    table = Population(separation=3.5, n_subjects=200, images_per_subject=5, correlation=0.8).draw(
        np.random.default_rng(2)
    )
    wrong = np.isin(table.group, np.random.default_rng(3).choice(200, 6, replace=False))

    suspects = rank_suspects(table.is_post ^ wrong, table.probability, table.group)

    first = suspects.order[: int(wrong.sum())]
    assert wrong[first].mean() > 0.8
    assert suspects.is_suspect[wrong].mean() > 0.8
    assert suspects.is_suspect[~wrong].mean() < 0.03


def test_a_series_that_is_wrong_throughout_is_more_suspect_than_one_odd_slice() -> None:
    is_post = np.array([False] * 4 + [True] * 4)
    probability = np.array([0.9, 0.9, 0.1, 0.1, 0.9, 0.8, 0.9, 0.8])
    group = np.array([0, 0, 1, 1, 2, 2, 3, 3])

    suspects = rank_suspects(is_post, probability, group)

    assert suspects.subject_doubt[0] > suspects.subject_doubt[2]
    assert set(suspects.order[:2]) == {0, 1}


def test_both_series_of_a_subject_are_judged_apart() -> None:
    is_post, probability = np.array([True, True, False, False]), np.array([0.9, 0.7, 0.8, 0.6])

    suspects = rank_suspects(is_post, probability, np.zeros(4))

    for rows in (is_post, ~is_post):
        assert suspects.subject_doubt[rows] == pytest.approx(suspects.doubt[rows].mean())


def test_one_class_still_ranks_and_suspects_nobody() -> None:
    suspects = rank_suspects(np.ones(3, dtype=bool), np.array([0.9, 0.2, 0.5]), np.arange(3))

    assert suspects.order.tolist() == [1, 2, 0]
    assert suspects.confidence_pre is None
    assert not suspects.is_suspect.any()


def test_a_probability_that_is_no_number_is_refused() -> None:
    with pytest.raises(ManifestError, match="1 of 2 scores are not numbers"):
        rank_suspects(np.array([True, False]), np.array([0.5, np.nan]), np.arange(2))

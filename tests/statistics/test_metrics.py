import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from gadoscope.statistics.metrics import (
    accuracy_sweep,
    average_precision,
    confusion_at,
    precision_recall_points,
    roc_auc,
    roc_points,
)
from tests.support.tables import lesson_test_set


def random_scores(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    is_post = generator.random(n) < 0.3
    return is_post, np.round(np.clip(generator.normal(0.4 + 0.2 * is_post, 0.15), 0, 1), 2)


def test_the_confusion_matrix_equals_scikit_learns() -> None:
    is_post, probability = random_scores()

    ours = confusion_at(is_post, probability, 0.45)

    assert ours.matrix == confusion_matrix(is_post, probability >= 0.45).tolist()


def test_the_lessons_published_confusion_is_counted_right() -> None:
    table = lesson_test_set()

    assert confusion_at(table.is_post, table.probability, 0.5).matrix == [[451, 3], [6, 111]]


def test_a_probability_equal_to_the_threshold_is_post_contrast() -> None:
    assert confusion_at(np.array([True]), np.array([0.5]), 0.5).true_post == 1


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    is_post, score = random_scores()
    pairs = score[is_post][:, None] - score[~is_post][None, :]

    assert roc_auc(is_post, score) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_the_area_under_the_drawn_roc_is_the_auc() -> None:
    is_post, score = random_scores()

    assert np.trapezoid(*roc_points(is_post, score)[::-1]) == pytest.approx(roc_auc(is_post, score))


def test_the_area_under_the_drawn_precision_steps_is_the_average_precision() -> None:
    is_post, score = random_scores()
    recall, precision = precision_recall_points(is_post, score)

    assert average_precision(is_post, score) == pytest.approx((np.diff(recall) * precision[1:]).sum())


def test_figures_that_one_class_does_not_define_are_none() -> None:
    is_post, score = np.array([True, True]), np.array([0.2, 0.9])

    assert roc_auc(is_post, score) is None
    assert average_precision(is_post, score) is None
    assert confusion_at(is_post, score, 0.5).balanced_accuracy is None


def test_the_sweep_gives_the_accuracy_at_every_threshold() -> None:
    is_post, probability = random_scores()
    edges, accuracy = accuracy_sweep(is_post, probability)

    for threshold in (0.001, 0.25, 0.4, 0.617, 0.999):
        step = np.searchsorted(edges, threshold, side="left") - 1
        assert accuracy[step] == pytest.approx(accuracy_score(is_post, probability >= threshold))

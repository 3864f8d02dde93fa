import pytest

from gadoscope.evaluation.summary import subgroups, summarise_split, wrong_rows
from tests.evaluation.tables import POINT, lesson_test_set, make_predictions


def test_the_lessons_figures_come_out_as_published() -> None:
    figures = summarise_split(lesson_test_set(), POINT)["at_operating_point"]

    assert figures["confusion"] == [[451, 3], [6, 111]]
    assert 100 * figures["accuracy"]["value"] == pytest.approx(98.42, abs=0.005)
    assert 100 * figures["accuracy"]["lower"] == pytest.approx(97.03, abs=0.01)
    assert 100 * figures["accuracy"]["upper"] == pytest.approx(99.17, abs=0.01)
    assert 100 * figures["sensitivity"]["value"] == pytest.approx(94.87, abs=0.005)
    assert 100 * figures["specificity"]["value"] == pytest.approx(99.34, abs=0.005)


def test_the_threshold_tuned_on_the_test_images_is_never_worse() -> None:
    table = make_predictions([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.55, 0.8, 0.9])

    summary = summarise_split(table, POINT)

    assert summary["at_operating_point"]["accuracy"]["value"] == pytest.approx(5 / 6)
    assert summary["optimism"] == pytest.approx(0)
    assert summarise_split(table, {**POINT, "threshold": 0.85})["optimism"] == pytest.approx(1 / 6)


def test_one_class_alone_leaves_undefined_figures_undefined() -> None:
    summary = summarise_split(make_predictions([1, 1], [0.4, 0.9]), POINT)

    assert summary["auc"]["value"] is None
    assert summary["average_precision"] is None
    assert summary["at_best_accuracy"] is None
    assert summary["at_operating_point"]["specificity"]["value"] is None
    assert summary["at_operating_point"]["specificity"]["upper"] is None
    assert summary["at_operating_point"]["sensitivity"]["value"] == 0.5


def test_intervals_by_subject_stand_only_where_subjects_repeat() -> None:
    labels, scores = [0, 1] * 20, [0.1, 0.9] * 18 + [0.9, 0.1, 0.2, 0.8]
    alone = make_predictions(labels, scores, subject=[str(n) for n in range(40)])
    repeated = make_predictions(labels, scores, subject=[str(n // 4) for n in range(40)])

    assert summarise_split(alone, POINT)["at_operating_point"]["accuracy"]["by_subject_lower"] is None
    assert summarise_split(repeated, POINT)["at_operating_point"]["accuracy"]["by_subject_lower"] is not None
    assert summarise_split(repeated, POINT)["auc"]["resampled_by"] == "subject"


def test_subgroups_add_up() -> None:
    table = make_predictions([0, 0, 1, 1], [0.1, 0.7, 0.9, 0.8], source=["a", "a", "a", "b"])
    rows = subgroups(table, 0.5)

    assert [(row["source"], row["n_images"]) for row in rows] == [("a", 3), ("b", 1), (None, 4)]
    assert rows[0]["specificity"]["value"] == 0.5
    assert rows[1]["auc"]["value"] is None


def test_knowing_the_source_alone_is_measured() -> None:
    table = make_predictions([0, 0, 1, 1, 1], [0.5] * 5, source=["a", "a", "b", "b", "a"])

    assert summarise_split(table, POINT)["source_only"] == {"accuracy": 0.8, "majority": 0.6}


def test_the_band_of_a_bundle_is_counted_apart() -> None:
    table = make_predictions([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9])

    abstention = summarise_split(table, {**POINT, "lower": 0.4, "upper": 0.6})["abstention"]

    assert abstention["n_indeterminate"] == 1  # 0.5; the upper end answers post-contrast
    assert abstention["answered"]["accuracy"]["n_right"] == 2


def test_wrong_answers_come_with_the_most_confident_first() -> None:
    table = make_predictions([0, 1, 1, 0, 0], [0.7, 0.01, 0.4, 0.999, 0.1])

    assert wrong_rows(table, 0.5).tolist() == [3, 1, 0, 2]


def test_a_threshold_at_the_end_still_orders_wrong_answers() -> None:
    assert wrong_rows(make_predictions([0, 0], [0.2, 0.9]), 0.0).tolist() == [1, 0]

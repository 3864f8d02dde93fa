import pytest

from gadoscope.decision.decision import Decision
from gadoscope.evaluation.subgroups import attribute_subgroups, subgroups
from gadoscope.evaluation.summary import summarise_split
from gadoscope.evaluation.wrong import wrong_rows
from tests.support.tables import DECISION, DRAWS, decided, lesson_test_set, make_predictions


def test_the_lessons_figures_come_out_as_published() -> None:
    figures = summarise_split(lesson_test_set(), DECISION, draws=DRAWS).figures["at_operating_point"]

    assert figures["confusion"] == [[451, 3], [6, 111]]
    assert 100 * figures["accuracy"]["value"] == pytest.approx(98.42, abs=0.005)
    assert 100 * figures["accuracy"]["lower"] == pytest.approx(97.03, abs=0.01)
    assert 100 * figures["accuracy"]["upper"] == pytest.approx(99.17, abs=0.01)
    assert 100 * figures["sensitivity"]["value"] == pytest.approx(94.87, abs=0.005)
    assert 100 * figures["specificity"]["value"] == pytest.approx(99.34, abs=0.005)


def test_the_threshold_tuned_on_the_test_images_is_never_worse() -> None:
    table = make_predictions([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.55, 0.8, 0.9])

    summary = summarise_split(table, DECISION, draws=DRAWS).figures

    assert summary["at_operating_point"]["accuracy"]["value"] == pytest.approx(5 / 6)
    assert summary["optimism"] == pytest.approx(0)
    assert summarise_split(table, Decision(of_slice=decided(0.85)), draws=DRAWS).figures[
        "optimism"
    ] == pytest.approx(1 / 6)


def test_one_class_alone_leaves_undefined_figures_undefined() -> None:
    summary = summarise_split(make_predictions([1, 1], [0.4, 0.9]), DECISION, draws=DRAWS).figures

    assert summary["auc"]["value"] is None
    assert summary["average_precision"]["value"] is None
    assert summary["at_best_accuracy"] is None
    assert summary["at_operating_point"]["specificity"]["value"] is None
    assert summary["at_operating_point"]["specificity"]["upper"] is None
    assert summary["at_operating_point"]["sensitivity"]["value"] == 0.5


def test_intervals_are_wider_where_subjects_repeat() -> None:
    labels, scores = [0, 1] * 20, [0.1, 0.9] * 18 + [0.9, 0.1, 0.2, 0.8]
    alone = make_predictions(labels, scores, subject=[str(n) for n in range(40)])
    repeated = make_predictions(labels, scores, subject=[str(n // 4) for n in range(40)])

    one, other = (
        summarise_split(table, DECISION, draws=DRAWS).figures["at_operating_point"]["accuracy"]
        for table in (alone, repeated)
    )

    assert one["value"] == other["value"]
    assert other["lower"] < one["lower"]
    assert other["n_subjects"] == 10


def test_slices_become_series_and_subjects_where_those_are_known() -> None:
    subject = [str(n // 4) for n in range(40)]
    labels = [n // 2 % 2 for n in range(40)]
    table = make_predictions(labels, [0.9 if label else 0.1 for label in labels], subject=subject)

    levels = summarise_split(table, DECISION, draws=DRAWS).figures["levels"]

    assert [(row["level"], row["n_cases"]) for row in levels] == [
        ("slice", 40),
        ("series", 20),
        ("subject", 20),
    ]
    assert levels[1]["figures"]["sensitivity"]["n"] == 10


def test_unknown_subjects_leave_series_unknown() -> None:
    summary = summarise_split(make_predictions([0, 1], [0.1, 0.9]), DECISION, draws=DRAWS).figures

    assert [row["figures"] is None for row in summary["levels"]] == [False, True, True]
    assert summary["trust"]["level"] == "slice"


def test_a_subgroup_of_one_has_a_wide_interval_and_no_area() -> None:
    table = make_predictions([0, 0, 1, 1], [0.1, 0.2, 0.9, 0.8], vendor=["Siemens"] * 3 + ["GE"])

    rows = {row["value"]: row for row in attribute_subgroups(table, 0.5)}

    assert rows["GE"]["sensitivity"]["value"] == 1
    assert rows["GE"]["sensitivity"]["lower"] < 0.3
    assert rows["GE"]["auc"]["value"] is None
    assert rows["GE"]["specificity"]["value"] is None


def test_attributes_come_in_their_order_and_the_unknown_last() -> None:
    table = make_predictions(
        [0, 1] * 3, [0.1, 0.9] * 3, age_band=["20-39", "<20", "", "80+", "20-39", "40-59"]
    )

    rows = attribute_subgroups(table, 0.5)

    assert [row["value"] for row in rows] == ["<20", "20-39", "40-59", "80+", "unknown"]


def test_an_attribute_with_one_value_divides_nothing() -> None:
    assert attribute_subgroups(make_predictions([0, 1], [0.1, 0.9], sex=["female"] * 2), 0.5) == []


def test_subgroups_add_up() -> None:
    table = make_predictions([0, 0, 1, 1], [0.1, 0.7, 0.9, 0.8], source=["a", "a", "a", "b"])
    rows = subgroups(table, 0.5)

    assert [(row["source"], row["n_images"]) for row in rows] == [("a", 3), ("b", 1), (None, 4)]
    assert rows[0]["specificity"]["value"] == 0.5
    assert rows[1]["auc"]["value"] is None


def test_knowing_the_source_alone_is_measured() -> None:
    table = make_predictions([0, 0, 1, 1, 1], [0.5] * 5, source=["a", "a", "b", "b", "a"])

    assert summarise_split(table, DECISION, draws=DRAWS).figures["source_only"] == {
        "accuracy": 0.8,
        "majority": 0.6,
    }


def test_the_band_of_a_bundle_is_counted_apart() -> None:
    table = make_predictions([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9])

    abstention = summarise_split(table, Decision(of_slice=decided(band=(0.4, 0.6))), draws=DRAWS).figures[
        "trust"
    ]["abstention"]

    assert abstention["n_indeterminate"] == 1  # 0.5; the upper end answers post-contrast
    assert abstention["answered"]["accuracy"]["n_right"] == 2


def test_each_level_has_the_band_of_its_own_scale() -> None:
    table = make_predictions(
        [0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.5, 0.2, 0.3, 0.5, 0.9, 0.8, 0.7], subject=list("aabbccdd")
    )
    decision = Decision(of_slice=decided(band=(0.4, 0.6)), of_series=decided())
    summary = summarise_split(table, decision, draws=DRAWS).figures
    levels = {row["level"]: row["abstention"] for row in summary["levels"]}

    assert levels["slice"]["n_indeterminate"] == 2
    assert levels["slice"]["answered"]["accuracy"]["n_right"] == 6
    assert levels["series"] is None


def test_wrong_answers_come_with_the_most_confident_first() -> None:
    table = make_predictions([0, 1, 1, 0, 0], [0.7, 0.01, 0.4, 0.999, 0.1])

    assert wrong_rows(table, 0.5).tolist() == [3, 1, 0, 2]


def test_a_threshold_at_the_end_still_orders_wrong_answers() -> None:
    assert wrong_rows(make_predictions([0, 0], [0.2, 0.9]), 0.0).tolist() == [1, 0]

from dataclasses import replace

import pytest

from gadoscope.evaluation.caveats import Context, judge
from gadoscope.evaluation.summary import summarise_split
from gadoscope.report.finding import CAUTION, SERIOUS
from gadoscope.statistics.table import Predictions
from tests.support.tables import DECISION, DRAWS, make_predictions

TEST = Context(split="test")


def judgements(table: Predictions, context: Context = TEST) -> dict[str, tuple[str, str]]:
    found = judge(table, summarise_split(table, DECISION, draws=DRAWS).figures, context)
    return {item["title"]: (item["severity"], item["text"]) for item in found}


def confounded(paired: bool) -> Predictions:
    """IXI all pre, Cheng all post, perfectly told apart; one source with both labels, guessed."""
    labels = [0] * 10 + [1] * 10 + ([0, 1] * 5 if paired else [])
    scores = [0.1] * 10 + [0.9] * 10 + ([0.4, 0.3] * 5 if paired else [])
    sources = ["ixi"] * 10 + ["cheng"] * 10 + (["tcga"] * 10 if paired else [])
    return make_predictions(labels, scores, source=sources)


def test_sources_of_one_class_are_named_and_the_figure_disowned() -> None:
    severity, text = judgements(confounded(False))["The figure over all sources does not measure contrast"]

    assert severity == SERIOUS
    assert "ixi: only pre-contrast; cheng: only post-contrast" in text
    assert "already right in 100.0" in text
    assert "No source here holds both labels" in text


def test_the_sources_to_believe_are_named_with_their_figures() -> None:
    _, text = judgements(confounded(True))["The figure over all sources does not measure contrast"]

    assert "already right in 83.3" in text
    assert text.endswith(
        "tcga: balanced accuracy 50.0\xa0%, sensitivity 0.0\xa0%, specificity 100.0\xa0% on 10 images."
    )


def test_the_believed_figure_is_that_over_all_planes_of_the_source() -> None:
    table = confounded(True)
    plane = table.plane.astype("<U8")
    plane[-3:] = "axial"

    _, text = judgements(replace(table, plane=plane))["The figure over all sources does not measure contrast"]

    assert text.endswith("on 10 images.")
    assert text.count("tcga: ") == 1


def test_one_source_with_both_labels_is_not_accused() -> None:
    titles = judgements(make_predictions([0, 1] * 5, [0.1, 0.9] * 5))

    assert not any("source" in title.lower() for title in titles)


def test_a_single_one_class_source_beside_paired_ones_is_a_caution() -> None:
    table = make_predictions([0, 0, 1], [0.1, 0.2, 0.9], source=["ixi", "tcga", "tcga"])

    assert judgements(table)["Some sources hold one class only"][0] == CAUTION


def test_sources_that_hold_both_labels_are_said_to() -> None:
    table = make_predictions([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], source=["a", "a", "b", "b"])

    assert "Every source holds both labels" in judgements(table)


def test_training_on_one_class_sources_is_told_even_if_the_test_is_paired() -> None:
    context = replace(TEST, training_sources={"ixi": (100, 0), "cheng": (0, 80), "tcga": (5, 5)})

    _, text = judgements(make_predictions([0, 1], [0.1, 0.9]), context)[
        "In training, source and label went together"
    ]

    assert "pre-contrast images alone from ixi and post-contrast images alone from cheng" in text


@pytest.mark.parametrize(
    ("labels", "title"),
    [([1, 1], "There are no pre-contrast images"), ([0, 0], "There are no post-contrast images")],
)
def test_a_missing_class_is_serious(labels: list[int], title: str) -> None:
    assert judgements(make_predictions(labels, [0.1, 0.9]))[title][0] == SERIOUS


def test_ten_rows_are_called_few() -> None:
    _, text = judgements(make_predictions([0, 1] * 5, [0.1, 0.9] * 5))["Few images, wide intervals"]

    assert "The sensitivity rests on 5 images and may lie anywhere from 56.6" in text


def test_many_rows_are_not_called_few() -> None:
    assert "Few images, wide intervals" not in judgements(make_predictions([0, 1] * 500, [0.1, 0.9] * 500))


def test_unknown_subjects_are_told_and_the_split_by_name_with_them() -> None:
    table = make_predictions([0, 1], [0.1, 0.9])

    _, text = judgements(table, replace(TEST, split_method="keras"))["The subjects are unknown"]

    assert "one person may stand on both sides" in text


def test_subjects_with_several_images_are_told() -> None:
    table = make_predictions([0, 1, 1], [0.1, 0.9, 0.8], subject=["a", "b", "b"])

    assert "from 2 subjects, up to 2 from one" in judgements(table)["Subjects have several images"][1]


@pytest.mark.parametrize(
    ("context", "title", "severity"),
    [
        (replace(TEST, n_shared_images=1), "Training images are among the evaluated ones", SERIOUS),
        (replace(TEST, n_shared_subjects=2), "Subjects stand on both sides of the split", SERIOUS),
        (replace(TEST, split="validation"), "There are no test images", SERIOUS),
        (
            replace(TEST, chosen_on="the lesson's test images"),
            "The threshold was chosen on test images",
            CAUTION,
        ),
        (replace(TEST, n_unread=3), "Some images could not be read", CAUTION),
        (replace(TEST, foreign_planes=["axial"]), "Planes that the network was not trained on", CAUTION),
    ],
)
def test_what_the_rows_do_not_show_is_told(context: Context, title: str, severity: str) -> None:
    assert judgements(make_predictions([0, 1], [0.1, 0.9]), context)[title][0] == severity


def test_the_gravest_comes_first() -> None:
    table = make_predictions([0, 1], [0.1, 0.9])
    found = judge(
        table,
        summarise_split(table, DECISION, draws=DRAWS).figures,
        replace(TEST, n_unread=1, n_shared_images=1),
    )

    severities = [item["severity"] for item in found]
    assert severities == sorted(severities, key=["serious", "caution", "note"].index)


def test_accuracy_is_compared_with_saying_the_same_every_time() -> None:
    _, text = judgements(make_predictions([0, 0, 0, 1], [0.1] * 4))["What one reaches without a network"]

    assert "Calling every image pre-contrast is right in 75.0" in text

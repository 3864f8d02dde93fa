import json

from gadoscope.evaluation.comparison import Rival, compare
from gadoscope.evaluation.rivals import RIVALS, answer_without
from gadoscope.statistics.table import Predictions
from tests.support.tables import make_predictions


def table() -> Predictions:
    labels = [0, 1] * 20
    scores = [0.1, 0.9] * 18 + [0.9, 0.1, 0.2, 0.8]
    subject = [f"s{row // 2}" for row in range(40)]
    return make_predictions(
        labels,
        scores,
        subject=subject,
        source=["a" if row % 2 else "b" for row in range(40)],
    )


def ours(predictions: Predictions) -> Rival:
    called_post = predictions.probability >= 0.5
    return Rival(name="ours", meaning="the network", score=predictions.logit, called_post=called_post)


def test_the_first_has_no_difference_and_the_same_answers_differ_by_nothing() -> None:
    predictions = table()

    rows = compare(predictions, ours(predictions), [ours(predictions)], draws=200)["models"]

    assert rows[0]["difference"] is None
    assert rows[0]["figures"] == rows[1]["figures"]
    assert rows[1]["difference"]["balanced_accuracy"]["value"] == 0
    assert rows[1]["difference"]["auc"]["value"] == 0


def test_a_rival_without_an_answer_says_why() -> None:
    predictions = table()
    rival = answer_without("header", predictions, {path: {} for path in predictions.path.tolist()})

    row = compare(predictions, ours(predictions), [rival], draws=200)["models"][1]

    assert row["figures"] is None
    assert "no column of the manifest holds header text" in row["why_not"]


def test_a_source_that_gives_the_label_away_beats_the_network() -> None:
    predictions = table()
    rivals = [answer_without(name, predictions, {}) for name in ("source", "majority")]

    source, majority = compare(predictions, ours(predictions), rivals, draws=200)["models"][1:]

    assert source["figures"]["accuracy"]["value"] == 1
    assert source["difference"]["accuracy"]["value"] < 0
    assert majority["figures"]["balanced_accuracy"]["value"] == 0.5


def test_one_plane_alone_cannot_be_a_rival() -> None:
    assert answer_without("plane", table(), {}).why_not == "all images have one plane"


def test_the_header_says_contrast_where_its_words_do_and_pre_where_it_is_silent() -> None:
    predictions = make_predictions([0, 1, 1], [0.1, 0.9, 0.8])
    texts = ["T1 SAG", "T1 SAG +C", "t1 post gad"]
    paths = predictions.path.tolist()
    columns = {path: {"series_description": text} for path, text in zip(paths, texts, strict=True)}

    called_post = answer_without("header", predictions, columns).called_post

    assert called_post is not None
    assert called_post.tolist() == [False, True, True]


def test_every_rival_meets_one_class_and_a_single_image_without_a_made_up_number() -> None:
    for labels in ([1] * 10, [0]):
        predictions = make_predictions(labels, [0.7] * len(labels))
        columns = {path: {"series_description": "T1"} for path in predictions.path.tolist()}
        rivals = [answer_without(name, predictions, columns) for name in RIVALS]

        found = compare(predictions, ours(predictions), rivals, draws=200)

        json.dumps(found, allow_nan=False)
        for row in found["models"]:
            assert row["figures"] is None or row["figures"]["auc"]["value"] is None

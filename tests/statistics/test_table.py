from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.statistics.table import COLUMNS, from_rows, join, read_predictions, write_predictions
from tests.support.tables import make_predictions

HEADER = ",".join(COLUMNS)


def test_a_table_is_read_back_to_the_last_digit(tmp_path: Path) -> None:
    table = make_predictions([0, 1, 1], [0.1, 1 / 3, 0.9], subject=["a", "b, c", ""], split="validation")
    write_predictions(table, tmp_path / "predictions.csv")

    again = read_predictions(tmp_path / "predictions.csv")

    for name in ("path", "subject_id", "source", "plane", "split", "is_post", "logit", "probability"):
        assert np.array_equal(getattr(again, name), getattr(table, name)), name


def test_a_score_that_is_not_a_number_blames_the_network() -> None:
    row = {
        "path": "a.png",
        "subject_id": None,
        "source": "x",
        "plane": "sagittal",
        "split": "test",
        "reference_label": "pre",
        "logit": float("nan"),
        "probability": float("nan"),
    }

    with pytest.raises(ManifestError, match="1 of 1 images have a score that is not a number"):
        from_rows([row])


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("logit", [0.0, np.inf], "1 of 2 images have a score that is not a number"),
        ("probability", [0.5, 1.5], "1 of 2 images have a score that is not a number"),
        ("probability", [np.nan, np.nan], "2 of 2 images have a score that is not a number"),
        ("t1_brain_logit", [np.nan, 3.0], "of the gate 1 of 2 scores are not numbers"),
        ("t1_brain_logit", [3.0], "2 images, but 1 entries of t1_brain_logit"),
        ("logit", [0.0, 1.0, 2.0], "2 images, but 3 entries of logit"),
        ("source", ["a"], "2 images, but 1 entries of source"),
    ],
)
def test_what_cannot_be_judged_does_not_become_a_table(column: str, wrong: list[Any], message: str) -> None:
    table = make_predictions([0, 1], [0.1, 0.9])

    with pytest.raises(ManifestError, match=message):
        replace(table, **{column: np.array(wrong)})  # type: ignore[arg-type]  # a column of any type


def test_rows_that_are_selected_keep_the_gate_and_the_attributes_and_a_gate_may_be_missing() -> None:
    gated = make_predictions(
        [0, 1, 1], [0.1, 0.8, 0.9], t1_brain=np.array([0.2, 0.5, 0.9]), sex=["f", "", "m"]
    )

    chosen = gated.select(np.array([2, 0]))

    assert chosen.t1_brain_logit is not None
    assert gated.t1_brain_logit is not None
    assert chosen.t1_brain_logit.tolist() == gated.t1_brain_logit[[2, 0]].tolist()
    assert chosen.attributes["sex"].tolist() == ["m", "f"]
    assert make_predictions([0], [0.1]).select(np.array([0])).t1_brain_logit is None


def test_tables_are_joined_one_after_the_other() -> None:
    first = make_predictions([0, 1], [0.1, 0.9], sex=["f", "m"])
    second = make_predictions([1], [0.7])

    table = join([first, second])

    assert table.is_post.tolist() == [False, True, True]
    assert table.attributes["sex"].tolist() == ["f", "m", ""]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.png,,x,sagittal,test,maybe,0,0.5", "row 2 .* reference_label is 'maybe'; expected pre or post"),
        ("a.png,,x,sagittal,dev,pre,0,0.5", "row 2 .* split is 'dev'"),
        ("a.png,,x,sagittal,test,pre,nan,0.5", "row 2 .* logit is 'nan', not a number"),
        ("a.png,,x,sagittal,test,pre,0", "row 2 .* probability is None, not a number"),
        ("a.png,,x,sagittal,test,pre,0,1.5", "score that is not a number"),
    ],
)
def test_a_bad_value_is_named_with_its_row(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "p.csv").write_text(f"{HEADER}\n{line}\n")

    with pytest.raises(ManifestError, match=message):
        read_predictions(tmp_path / "p.csv")


def test_an_image_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    line = "a.png,,x,sagittal,test,pre,0,0.5\n"
    (tmp_path / "p.csv").write_text(f"{HEADER}\n{line}{line}")

    with pytest.raises(ManifestError, match=r"1 images more than once, first a\.png"):
        read_predictions(tmp_path / "p.csv")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("path,logit\na,1\n")

    with pytest.raises(ManifestError, match="lacks the column subject_id, source, plane"):
        read_predictions(tmp_path / "p.csv")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot read the predictions"):
        read_predictions(tmp_path / "none.csv")


def test_one_id_under_two_sources_is_one_subject() -> None:
    table = make_predictions([0, 1, 1], [0.1, 0.2, 0.3], source=["a", "b", "b"], subject=["1", "1", "2"])

    assert table.n_subjects == 2
    assert table.subject_group.tolist() == [0, 0, 1]


def test_images_without_a_subject_are_not_lumped_together() -> None:
    table = make_predictions([0, 1, 1], [0.1, 0.2, 0.3])

    assert table.n_subjects is None
    assert len(set(table.subject_group)) == 3

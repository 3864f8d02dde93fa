from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.statistics.table import COLUMNS, from_rows, read_predictions, write_predictions
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


def test_two_sources_with_one_id_are_two_subjects() -> None:
    table = make_predictions([0, 1, 1], [0.1, 0.2, 0.3], source=["a", "b", "b"], subject=["1", "1", "1"])

    assert table.n_subjects == 2


def test_images_without_a_subject_are_not_lumped_together() -> None:
    table = make_predictions([0, 1, 1], [0.1, 0.2, 0.3])

    assert table.n_subjects is None
    assert len(set(table.subject_group)) == 3

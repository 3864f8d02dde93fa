import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.statistics.columns import check_scores, effective_number, number_groups, sum_by_group


def test_the_effective_number_is_kishs() -> None:
    assert effective_number(np.array([0, 0, 0, 1])) == pytest.approx(16 / 10)
    assert effective_number(np.array(["a", "b", "c"])) == pytest.approx(3)


def test_subjects_of_any_name_get_numbers_without_gaps() -> None:
    assert number_groups(np.array(["x", "c", "x"]), 3).tolist() == [1, 0, 1]
    assert number_groups(np.array([70, 7, 70]), 3).tolist() == [1, 0, 1]


def test_sums_are_taken_by_subject() -> None:
    assert sum_by_group(np.array([1.5, 2.0, 3.0]), np.array([2, 0, 2]), 4).tolist() == [2.0, 0.0, 4.5, 0.0]
    assert sum_by_group(np.zeros(0), np.zeros(0, dtype=np.int64), 2).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("is_post", "score", "message"),
    [
        ([], [], "there is no image to judge"),
        ([True], [0.1, 0.2], "1 labels, but 2 scores"),
        ([True, False], [0.1, np.nan], "1 of 2 scores are not numbers"),
        ([True, False], [-np.inf, np.inf], "2 of 2 scores are not numbers"),
    ],
)
def test_a_table_that_cannot_be_judged_is_refused(
    is_post: list[bool], score: list[float], message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        check_scores(np.array(is_post, dtype=np.bool_), np.array(score, dtype=np.float64))

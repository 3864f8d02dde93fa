"""What gives the label away is told on subjects that were not seen; what tells nothing has no skill."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import CategoricalNB

from gadoscope.inspection.predictors import MAX_NAMES, list_predictors
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.statistics.predictors import MIN_SUBJECTS, Nature, Predictor, Scored, score_predictors

N_SUBJECTS = 60
GENERATOR = np.random.default_rng(3)
SUBJECT = np.repeat(np.arange(N_SUBJECTS), 4)
IS_POST = np.tile([False, True, False, True], N_SUBJECTS)


def score(values: NDArray[np.float64] | NDArray[np.str_]) -> Scored:
    predictor = Predictor("it", "what it is", Nature.CIRCUMSTANCE, values)
    (scored,) = score_predictors([predictor], IS_POST, SUBJECT)
    return scored


def auc(values: NDArray[np.float64] | NDArray[np.str_]) -> float:
    scored = score(values)
    assert scored.score is not None
    return float(roc_auc_score(IS_POST, scored.score))


def test_a_name_that_goes_with_the_label_tells_it() -> None:
    assert auc(np.where(IS_POST, "hospital B", "hospital A")) == 1


def test_a_range_in_the_middle_tells_it_too() -> None:
    size = np.where(IS_POST, GENERATOR.uniform(250, 260, IS_POST.size),
                    GENERATOR.choice([200.0, 300.0], IS_POST.size))  # fmt: skip
    assert auc(size[:, np.newaxis]) == 1


def test_numbers_that_tell_nothing_have_no_skill() -> None:
    values = GENERATOR.normal(size=(IS_POST.size, 5))
    assert 0.35 < auc(values) < 0.62


def test_the_subjects_name_is_no_predictor_for_subjects_never_seen() -> None:
    """One label a subject: whoever has seen a slice of it knows all; the folds must keep them apart."""
    is_post = SUBJECT % 2 == 0
    names = np.array([f"person {number}" for number in SUBJECT])
    (scored,) = score_predictors([Predictor("name", "", Nature.CIRCUMSTANCE, names)], is_post, SUBJECT)
    assert scored.score is not None
    assert not scored.score.any()


def test_frequencies_are_those_of_naive_bayes() -> None:
    names = np.where(
        IS_POST, GENERATOR.choice(["a", "b", "b"], IS_POST.size), GENERATOR.choice(["a", "b"], IS_POST.size)
    )
    scored = score(names)
    assert scored.score is not None
    code = (names == "b").astype(int)[:, np.newaxis]
    bayes = CategoricalNB(alpha=0.5, fit_prior=False).fit(code, IS_POST)
    chance = bayes.predict_log_proba(code)
    # each fold sees four fifths of these, so the figures are near, and of the same sign
    np.testing.assert_allclose(scored.score, chance[:, 1] - chance[:, 0], atol=0.2)


@pytest.mark.parametrize(("n_images", "tells"), [(18, False), (20, True)])
def test_what_would_leave_fewer_than_eight_images_in_a_leaf_is_not_learned(
    n_images: int, tells: bool
) -> None:
    """A fold of 18 leaves 15 images at most to learn from, one of 20 leaves twice eight."""
    is_post = np.arange(n_images) % 2 == 1
    predictor = Predictor("it", "", Nature.CIRCUMSTANCE, is_post[:, np.newaxis].astype(np.float64))
    (scored,) = score_predictors([predictor], is_post, np.arange(n_images))
    assert scored.score is not None
    assert ((scored.score > 0) == is_post).all() if tells else not scored.score.any()


def test_the_same_data_give_the_same_scores() -> None:
    rows = slice(60)
    values = GENERATOR.normal(size=(60, 3)) + IS_POST[rows, np.newaxis]
    predictor = Predictor("it", "what it is", Nature.CIRCUMSTANCE, values)
    ((first,), (again,)) = (score_predictors([predictor], IS_POST[rows], SUBJECT[rows]) for _ in range(2))
    assert first.score is not None
    assert first.score.any()
    np.testing.assert_array_equal(first.score, again.score)


def test_missing_numbers_are_no_obstacle_and_may_be_what_tells() -> None:
    assert auc(np.where(IS_POST, np.nan, 1.5)[:, np.newaxis]) == 1


def test_one_value_for_all_is_constant_and_not_measured() -> None:
    assert score(np.full(IS_POST.size, "same")).reason == "constant"
    assert score(np.full((IS_POST.size, 2), np.nan)).reason == "constant"


@pytest.mark.parametrize("n_subjects", [1, MIN_SUBJECTS - 1])
def test_too_few_subjects_are_said(n_subjects: int) -> None:
    predictor = Predictor("it", "", Nature.CIRCUMSTANCE, np.array(["a", "b"] * n_subjects))
    is_post = np.array([False, True] * n_subjects)
    (scored,) = score_predictors([predictor], is_post, np.repeat(np.arange(n_subjects), 2))
    assert (scored.score, scored.reason) == (None, "too few subjects")


def list_columns(**columns: list[str]) -> dict[str, Predictor]:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    items = [
        Item(path=Path("a.png"), label=Label.PRE, plane=Plane.AXIAL, source="s", extra=row) for row in rows
    ]
    return {predictor.name: predictor for predictor in list_predictors(items, [])}


def test_columns_are_numbers_where_all_are_and_names_elsewhere() -> None:
    found = list_columns(field_strength_t=["1.5", "", "3"], vendor=["A", "B", ""], mixed=["1", "x", "2"])
    np.testing.assert_array_equal(found["field_strength_t"].values, [[1.5], [np.nan], [3.0]])
    assert found["vendor"].is_named
    assert found["mixed"].is_named


def test_columns_written_about_an_image_and_free_text_are_left_out() -> None:
    n = MAX_NAMES + 1
    found = list_columns(
        note=["x"] * n, licence=["y"] * n, sha256=["z"] * n, text=[f"word {i}" for i in range(n)],
        empty=[""] * n, infinite=["inf"] * n,
    )  # fmt: skip
    assert found.keys() & {"note", "licence", "sha256", "text", "empty"} == set()

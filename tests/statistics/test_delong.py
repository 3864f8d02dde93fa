import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from gadoscope.errors import ManifestError
from gadoscope.statistics.delong import compare_auc, estimate_auc, exponential_variance, find_components
from tests.support.simulation import Population

# Two models on 14 pre- and 16 post-contrast images.
IS_POST = np.arange(30) >= 14
A = np.loadtxt(["35 56 50 49 67 11 22 9 33 55 35 45 2 38 47 98 83 84 64 77 78 58 55 63 53 53 59 50 80 33"])
B = np.loadtxt(["46 42 40 31 52 23 33 19 37 66 42 37 31 38 59 85 68 53 59 74 65 63 67 56 69 73 70 67 81 69"])
ALONE = np.arange(30)


def test_with_one_image_a_subject_the_variance_is_delongs() -> None:
    # MLstatkit 0.1.91, Delong_test(return_auc=True), and confidenceinterval 1.0.5, roc_auc_score, agree.
    area, components = find_components(IS_POST, A, ALONE)

    assert area == pytest.approx(0.8638392857142857)
    half_width = (0.9957306890198058 - 0.7319478824087656) / 2
    assert np.sqrt(components.variance) * 1.959963984540054 == pytest.approx(half_width)


def test_the_variance_of_a_difference_is_delongs() -> None:
    _, a = find_components(IS_POST, A, ALONE)
    _, b = find_components(IS_POST, B, ALONE)

    assert (a - b).variance == pytest.approx(0.004616212470565149)  # MLstatkit 0.1.91


def test_the_comparison_comes_near_delongs_test() -> None:
    difference = compare_auc(IS_POST, A, B, ALONE)

    assert difference.value == pytest.approx(0.8638392857142857 - 0.9732142857142857)
    assert difference.p_value == pytest.approx(0.1074, abs=0.03)  # MLstatkit: normal quantiles
    assert difference.lower is not None
    assert difference.upper is not None
    assert difference.lower < 0 < difference.upper


def obuchowski(is_post: NDArray[np.bool_], score: NDArray[np.float64], group: NDArray[np.int64]) -> float:
    """Return the variance by the paper's formulas, pair by pair and subject by subject."""

    def kernel(x: float, y: float) -> float:
        return 1.0 if x > y else 0.5 if x == y else 0.0

    post, pre = np.flatnonzero(is_post), np.flatnonzero(~is_post)
    v10 = {i: np.mean([kernel(score[i], score[j]) for j in pre]) for i in post}
    v01 = {j: np.mean([kernel(score[i], score[j]) for i in post]) for j in pre}
    area = np.mean(list(v10.values()))
    subjects = np.unique(group)
    x = {g: [v10[i] for i in post if group[i] == g] for g in subjects}
    y = {g: [v01[j] for j in pre if group[j] == g] for g in subjects}
    excess_x = np.array([sum(x[g]) - len(x[g]) * area for g in subjects])
    excess_y = np.array([sum(y[g]) - len(y[g]) * area for g in subjects])
    i10, i01, n = sum(bool(x[g]) for g in subjects), sum(bool(y[g]) for g in subjects), len(subjects)
    s10 = i10 / ((i10 - 1) * post.size) * (excess_x**2).sum()
    s01 = i01 / ((i01 - 1) * pre.size) * (excess_y**2).sum()
    s11 = n / (n - 1) * (excess_x * excess_y).sum()
    return float(s10 / post.size + s01 / pre.size + 2 * s11 / (post.size * pre.size))


@pytest.mark.parametrize("mixed", [False, True])
def test_by_subject_the_variance_is_obuchowskis(mixed: bool) -> None:
    population = Population(separation=1.2, n_subjects=15, images_per_subject=4, mixed=mixed)
    table = population.draw(np.random.default_rng(4))
    score = np.round(table.logit)  # with ties

    _, components = find_components(table.is_post, score, table.group)

    assert components.variance == pytest.approx(obuchowski(table.is_post, score, table.group))


def test_images_that_repeat_their_subject_add_no_certainty() -> None:
    alone = estimate_auc(IS_POST, A, ALONE)
    repeated = estimate_auc(np.repeat(IS_POST, 7), np.repeat(A, 7), np.repeat(ALONE, 7))

    assert repeated.value == pytest.approx(alone.value)
    assert (repeated.lower, repeated.upper) == pytest.approx((alone.lower, alone.upper), abs=1e-6)


def test_the_area_is_scikit_learns_also_with_ties() -> None:
    rounded = np.round(A, -1)

    assert estimate_auc(IS_POST, rounded, ALONE).value == pytest.approx(roc_auc_score(IS_POST, rounded))


def test_newcombes_interval_solves_its_equation() -> None:
    # With a perfect order: 1 - a = z sqrt(variance at a), n = 20 subjects in each class.
    is_post = np.arange(40) >= 20

    estimate = estimate_auc(is_post, np.arange(40.0), np.arange(40))

    assert estimate.value == 1
    assert estimate.upper == 1
    assert estimate.lower is not None
    error = np.sqrt(exponential_variance(estimate.lower, 20, 20))
    assert 1 - estimate.lower == pytest.approx(1.959963984540054 * error)
    assert 0.85 < estimate.lower < 0.95


@pytest.mark.parametrize("area", [0.5, 0.8, 0.99])
def test_the_exponential_variance_is_hanley_and_mcneils(area: float) -> None:
    n_post, n_pre = 30, 30  # equal numbers: Newcombe's mean of the two changes nothing
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    hanley = area * (1 - area) + (n_post - 1) * (q1 - area**2) + (n_pre - 1) * (q2 - area**2)

    assert exponential_variance(area, n_post, n_pre) == pytest.approx(hanley / (n_post * n_pre))


def test_a_perfect_order_of_many_slices_of_few_subjects_promises_little() -> None:
    is_post = np.arange(100) >= 50

    estimate = estimate_auc(is_post, np.arange(100.0), np.arange(100) // 25)

    assert estimate.lower is not None
    assert estimate.lower < 0.6


def test_one_subject_in_a_class_gives_a_wide_interval_and_not_none() -> None:
    is_post = np.arange(30) >= 10
    group = np.where(is_post, np.arange(30), 0)

    estimate = estimate_auc(is_post, np.sin(np.arange(30.0)), group)

    assert estimate.lower is not None
    assert estimate.upper is not None
    assert 0 <= estimate.lower < estimate.upper <= 1
    assert estimate.upper - estimate.lower > 0.7


def test_one_class_has_no_area() -> None:
    estimate = estimate_auc(np.ones(4, dtype=bool), np.arange(4.0), np.arange(4))

    assert (estimate.value, estimate.lower, estimate.upper) == (None, None, None)
    assert compare_auc(np.ones(4, dtype=bool), np.arange(4.0), np.arange(4.0), np.arange(4)).value is None


def test_two_models_that_rank_alike_do_not_differ() -> None:
    difference = compare_auc(IS_POST, A, A**3, ALONE)

    assert difference.value == 0
    assert difference.p_value == 1
    assert difference.lower is not None
    assert difference.upper is not None
    assert difference.lower < 0 < difference.upper


def test_two_perfect_models_may_still_differ_on_new_data() -> None:
    is_post = np.arange(20) >= 10

    difference = compare_auc(is_post, np.arange(20.0), is_post.astype(np.float64), np.arange(20))

    assert (difference.value, difference.p_value) == (0, 1)
    assert difference.lower == pytest.approx(-(difference.upper or 0))
    assert (difference.upper or 0) > 0.05


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_not_a_number_is_refused(bad: float) -> None:
    with pytest.raises(ManifestError, match="1 of 2 scores are not numbers"):
        estimate_auc(np.array([True, False]), np.array([0.5, bad]), np.arange(2))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ManifestError, match="the table is empty"):
        estimate_auc(np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0))

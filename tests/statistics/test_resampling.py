import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, roc_auc_score

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.statistics.columns import number_groups, sum_by_group
from gadoscope.statistics.intervals import Interval
from gadoscope.statistics.resampling import (
    MAX_LEFT_OUT,
    Statistic,
    bootstrap_average_precision,
    has_enough_subjects,
    ranking_statistic,
    resample,
)


def bootstrap_auc(is_post: Bools, score: Floats, group: Integers) -> Interval | None:
    """Return the interval of the ROC area alone; reports take DeLong's, which has one without an error."""
    if not has_enough_subjects(is_post, group):
        return None
    return resample(ranking_statistic(is_post, score, group), group).find_interval(0)


def mean_statistic(values: NDArray[np.generic], group: NDArray[np.generic]) -> Statistic:
    """Return the statistic "means over images" of ``values``, shape (n, k)."""
    compact = number_groups(group, len(values))
    size = np.bincount(compact).astype(np.float64)
    sums = np.column_stack([sum_by_group(column, compact) for column in values.T])
    return lambda weights: (weights @ sums) / (weights @ size)[:, None]


def bootstrap_share(is_success: Bools, group: Integers) -> Interval | None:
    """Return the interval of a share; reports take `shares.estimate_share`'s."""
    return resample(mean_statistic(is_success[:, None], group), group).find_interval(0)


def compare_pairs(is_post: Bools, score: Floats) -> float:
    """Return the ROC area as it is defined, pair by pair: scikit-learn's takes ten times as long."""
    is_post = is_post.astype(bool)  # scipy resamples numbers
    above = score[is_post][:, None] - score[~is_post]
    return float(np.mean(above > 0) + np.mean(above == 0) / 2)


def test_comparing_pairs_gives_the_area_that_scikit_learn_does() -> None:
    is_post, score = scores(50)
    assert compare_pairs(is_post, score) == pytest.approx(roc_auc_score(is_post, score))


def scores(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    is_post = generator.random(n) < 0.4
    return is_post, np.round(generator.normal(size=n) + 1.2 * is_post, 1)  # rounded: there are ties


def test_the_draws_and_their_correction_agree_with_scipys_bca() -> None:
    is_post, score = scores(300)
    reference = bootstrap(
        (is_post, score),
        compare_pairs,
        paired=True,
        vectorized=False,
        n_resamples=500,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval

    ours = bootstrap_auc(is_post, score, np.arange(300))

    assert ours is not None
    assert ours.lower == pytest.approx(reference.low, abs=0.012)
    assert ours.upper == pytest.approx(reference.high, abs=0.01)


def test_drawn_figures_are_those_of_subjects_drawn_one_by_one() -> None:
    is_post, score = scores(120)
    group = np.arange(120) // 4
    images = [np.flatnonzero(group == number) for number in range(30)]
    generator = np.random.default_rng(1)
    areas, averages = [], []
    for _ in range(400):
        rows = np.concatenate([images[number] for number in generator.integers(0, 30, 30)])
        areas.append(compare_pairs(is_post[rows], score[rows]))
        averages.append(average_precision_score(is_post[rows], score[rows]))

    drawn = resample(ranking_statistic(is_post, score, group), group).drawn

    for ours, one_by_one in zip(drawn.T, (areas, averages), strict=True):
        quantiles = np.arange(0.05, 1, 0.1)
        assert np.quantile(ours, quantiles) == pytest.approx(np.quantile(one_by_one, quantiles), abs=0.02)


def test_a_draw_counts_an_image_as_often_as_its_subject_is_drawn() -> None:
    is_post, score = scores(40)
    group = np.arange(40) // 4
    times = np.array([2, 0, 1, 3, 1, 0, 1, 1, 1, 0])
    rows = np.repeat(np.arange(40), times[group])

    area, average = ranking_statistic(is_post, score, group)(times[None, :].astype(float))[0]

    assert area == pytest.approx(roc_auc_score(is_post[rows], score[rows]))
    assert average == pytest.approx(average_precision_score(is_post[rows], score[rows]))


def test_leaving_out_blocks_of_many_subjects_finds_the_same_skewness() -> None:
    generator = np.random.default_rng(2)
    values = generator.exponential(size=(4 * MAX_LEFT_OUT, 1))
    group = np.arange(len(values))

    pull = resample(mean_statistic(values, group), group, draws=10).left_out[:, 0]
    pull = pull.mean() - pull
    acceleration = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)
    one_by_one = values[:, 0] - values.mean()

    assert pull.size == MAX_LEFT_OUT
    reference = (one_by_one**3).sum() / (6 * (one_by_one**2).sum() ** 1.5)
    assert acceleration == pytest.approx(reference, rel=0.35)


def test_images_that_repeat_a_subject_add_no_certainty() -> None:
    is_post, score = scores(60)
    right = (score > 0.5) == is_post
    alone = bootstrap_share(right, np.arange(60))
    by_subject = bootstrap_share(np.repeat(right, 10), np.repeat(np.arange(60), 10))
    by_image = bootstrap_share(np.repeat(right, 10), np.arange(600))

    assert alone is not None
    assert by_subject is not None
    assert by_image is not None
    assert by_subject.upper - by_subject.lower == pytest.approx(alone.upper - alone.lower, abs=0.01)
    assert by_image.upper - by_image.lower < 0.5 * (by_subject.upper - by_subject.lower)


def test_group_numbers_with_gaps_change_nothing() -> None:
    is_post, score = scores(100)

    assert bootstrap_auc(is_post, score, np.arange(100)) == bootstrap_auc(is_post, score, np.arange(100) * 7)
    assert bootstrap_share(is_post, np.arange(100)) == bootstrap_share(is_post, np.arange(100) * 7)


def test_the_same_seed_gives_the_same_interval() -> None:
    is_post, score = scores(100)

    assert bootstrap_auc(is_post, score, np.arange(100)) == bootstrap_auc(is_post, score, np.arange(100))


def test_a_perfect_order_has_no_bootstrap_interval_rather_than_a_false_one() -> None:
    is_post = np.array([False] * 10 + [True] * 10)

    assert bootstrap_auc(is_post, np.arange(20.0), np.arange(20)) is None
    assert bootstrap_average_precision(is_post, np.arange(20.0), np.arange(20)) is None
    assert bootstrap_share(np.ones(20, dtype=bool), np.arange(20)) is None


def test_too_few_subjects_have_no_bootstrap_interval() -> None:
    is_post, score = scores(40)

    assert bootstrap_auc(is_post, score, np.arange(40) % 4) is None
    assert bootstrap_average_precision(is_post, score, np.arange(40) % 4) is None
    assert bootstrap_share(is_post, np.arange(40) % 4) is None


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    is_post, score = scores(50)
    whole = bootstrap_auc(is_post, score, np.arange(50))
    monkeypatch.setattr("gadoscope.statistics.resampling.BLOCK_ELEMENTS", 50 * 7)

    assert bootstrap_auc(is_post, score, np.arange(50)) == whole


def test_an_interval_is_ordered() -> None:
    is_post, score = scores(50)
    interval = bootstrap_auc(is_post, score, np.arange(50))

    assert isinstance(interval, Interval)
    assert interval.lower < roc_auc_score(is_post, score) < interval.upper

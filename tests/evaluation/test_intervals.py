import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from gadoscope.evaluation.intervals import Interval, bootstrap_auc, bootstrap_share, wilson


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [(562, 571, 97.03, 99.17), (111, 117, 89.3, 97.6), (451, 454, 98.1, 99.8)],
)
def test_wilson_gives_the_intervals_known_for_the_lesson(
    successes: int, n: int, lower: float, upper: float
) -> None:
    interval = wilson(successes, n)

    assert interval is not None
    assert 100 * interval.lower == pytest.approx(lower, abs=0.05)
    assert 100 * interval.upper == pytest.approx(upper, abs=0.05)


def test_wilson_equals_its_formula() -> None:
    z, n, p = 1.959963984540054, 40, 0.9
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))

    interval = wilson(36, 40)

    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx(
        ((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    )


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None


def scores(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    is_post = generator.random(n) < 0.4
    return is_post, np.round(generator.normal(size=n) + 1.2 * is_post, 1)  # rounded: there are ties


def test_resampling_images_agrees_with_scipys_bootstrap() -> None:
    is_post, score = scores(300)
    reference = bootstrap(
        (is_post, score),
        roc_auc_score,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval

    ours = bootstrap_auc(is_post, score, np.arange(300))

    assert ours is not None
    assert ours.lower == pytest.approx(reference.low, abs=0.008)
    assert ours.upper == pytest.approx(reference.high, abs=0.008)


def test_resampling_subjects_agrees_with_drawing_them_one_by_one() -> None:
    is_post, score = scores(120)
    group = np.arange(120) // 4
    generator = np.random.default_rng(1)
    areas = []
    for _ in range(1000):
        rows = np.concatenate([np.flatnonzero(group == g) for g in generator.integers(0, 30, 30)])
        areas.append(roc_auc_score(is_post[rows], score[rows]))

    ours = bootstrap_auc(is_post, score, group)

    assert ours is not None
    assert (ours.lower, ours.upper) == pytest.approx(tuple(np.percentile(areas, [2.5, 97.5])), abs=0.015)


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
    assert bootstrap_share(np.ones(20, dtype=bool), np.arange(20)) is None


def test_too_few_subjects_have_no_bootstrap_interval() -> None:
    is_post, score = scores(40)

    assert bootstrap_auc(is_post, score, np.arange(40) % 4) is None


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    is_post, score = scores(50)
    whole = bootstrap_auc(is_post, score, np.arange(50))
    monkeypatch.setattr("gadoscope.evaluation.intervals.BLOCK_ELEMENTS", 50 * 7)

    assert bootstrap_auc(is_post, score, np.arange(50)) == whole


def test_an_interval_is_ordered() -> None:
    is_post, score = scores(50)
    interval = bootstrap_auc(is_post, score, np.arange(50))

    assert isinstance(interval, Interval)
    assert interval.lower < roc_auc_score(is_post, score) < interval.upper

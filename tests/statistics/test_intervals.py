import numpy as np
import pytest
from scipy.stats import binomtest

from gadoscope.statistics.intervals import wilson_of_share


@pytest.mark.parametrize(
    ("successes", "n", "lower", "upper"),
    [(562, 571, 97.03, 99.17), (111, 117, 89.3, 97.6), (451, 454, 98.1, 99.8)],
)
def test_wilson_gives_the_intervals_known_for_the_lesson(
    successes: int, n: int, lower: float, upper: float
) -> None:
    interval = wilson_of_share(successes / n, n)

    assert 100 * interval.lower == pytest.approx(lower, abs=0.05)
    assert 100 * interval.upper == pytest.approx(upper, abs=0.05)


def test_wilson_equals_its_formula() -> None:
    z, n, p = 1.959963984540054, 40, 0.9
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))

    interval = wilson_of_share(0.9, 40)

    assert (interval.lower, interval.upper) == pytest.approx(
        ((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    )


@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (3, 17), (571, 571)])
def test_wilson_equals_scipys_also_at_the_ends(successes: int, n: int) -> None:
    reference = binomtest(successes, n).proportion_ci(0.95, method="wilson")

    interval = wilson_of_share(successes / n, n)

    assert (interval.lower, interval.upper) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= interval.lower <= successes / n <= interval.upper <= 1


def test_a_share_of_no_whole_number_of_images_lies_between_its_neighbours() -> None:
    few, between, many = (wilson_of_share(0.8, n) for n in (10, 12.5, 15))

    assert few.lower < between.lower < many.lower
    assert many.upper < between.upper < few.upper

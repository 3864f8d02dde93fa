"""The line through the times of more and more work: straight or not, whatever the start costs."""

import pytest

from benchmarks.growth import KINDS, Kind, Point, count_volumes, describe, fit

COUNTS = (10, 100, 1000, 10_000)


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.3, 2.0])
def test_the_exponent_is_found_whatever_the_start_costs(exponent: float) -> None:
    for start in (0.01, 1.0):
        found = fit(COUNTS, [start + 0.005 * n**exponent for n in COUNTS])
        assert found == pytest.approx((start, 0.005, exponent), rel=0.02)


def test_work_that_is_lost_beside_the_start_is_a_straight_line() -> None:
    assert fit((20, 200, 2000), (1.75, 1.75, 2.68))[2] == 1.0


@pytest.mark.parametrize(("exponent", "is_met"), [(1.0, True), (1.5, False)])
def test_a_line_that_is_not_straight_is_not_what_was_asked(exponent: float, is_met: bool) -> None:
    rows = describe(KINDS[0], [Point(n, 1 + 0.01 * n**exponent, 100) for n in COUNTS])
    assert [row.name.split()[0] for row in rows[:-2]] == ["10", "100", "1,000", "10,000"]
    assert [row.met for row in rows[-2:]] == [is_met, True]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_line_goes_through_three_sizes_or_more(kind: Kind) -> None:
    assert min(len(kind.counts), len(kind.quick)) >= 3


def test_an_object_has_a_row_for_each_time_point_and_one_for_all() -> None:
    assert [count_volumes(n) for n in (20, 100, 200, 10_000)] == [1, 1, 3, 101]

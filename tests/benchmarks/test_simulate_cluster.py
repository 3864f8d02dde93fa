"""The simulation of many workers keeps to what arithmetic says of its ends."""

import pytest

pytest.importorskip("distributed", reason="needs the extra `cluster`")

from benchmarks.simulate_cluster import simulate


@pytest.mark.parametrize(("n_workers", "rate"), [(1, 10), (4, 40), (10, 100), (100, 250), (1000, 250)])
def test_few_workers_are_the_limit_and_of_many_the_driver(n_workers: int, rate: float) -> None:
    """Tasks of 0.1 s, of which the driver handles 250 a second."""
    wall, busy = simulate(n_workers, 4000, 0.004, [0.1])
    assert 4000 / wall == pytest.approx(rate, rel=0.05)
    assert busy == pytest.approx(rate * 0.1 / n_workers, rel=0.05)
